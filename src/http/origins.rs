//! Which web pages may talk to the gateway from a browser.
//!
//! A browser names the page's origin with every WebSocket and every request that is not a plain
//! one of the same origin, and no page can change that. CORS alone would not do: it keeps a page
//! from reading answers, and does not cover WebSockets at all.
//!
//! The gateway's own pages are those of [`PublicUrls`], or else those at the host that was asked for.
//! What that is a page cannot change: X-Forwarded-* would take a preflight, which does not allow them.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};

use super::Settings;
use super::forwarded::Forwarded;
use super::origin::{InvalidOrigin, Origin, host_and_port};
use super::public_urls::PublicUrls;

/// The origins that may talk to the gateway.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    allowed: Vec<Origin>,
    /// What the gateway is called outside, if it is known.
    public: PublicUrls,
    /// How many proxies say which host was asked for.
    proxies: usize,
}

/// What a request says of its origin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing: it is no browser's, or of the same origin.
    None,
    /// It may talk to the gateway.
    Allowed(HeaderValue),
    /// It may not.
    Refused,
}

impl Origins {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            allowed: settings.origins.clone(),
            public: settings.public_urls.clone(),
            proxies: settings.proxies,
        }
    }

    pub(super) fn judge(&self, headers: &HeaderMap) -> Verdict {
        let mut given = headers.get_all(ORIGIN).iter();
        match (given.next(), given.next()) {
            (None, _) => Verdict::None,
            (Some(origin), None) if self.allow(origin, headers) => Verdict::Allowed(origin.clone()),
            _ => Verdict::Refused,
        }
    }

    fn allow(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        read(origin)
            .is_ok_and(|origin| self.allowed.contains(&origin) || self.is_own(&origin, headers))
    }

    fn is_own(&self, origin: &Origin, headers: &HeaderMap) -> bool {
        if self.public.are_known() {
            return self.public.contain(origin);
        }
        let mut said = Forwarded::read(headers, self.proxies);
        let host = said.host.take().or_else(|| host_and_port(host(headers)?));
        host.is_some_and(|(host, port)| is_at(origin, &host, port, &said))
    }

    /// What to do about an origin that was refused, for the operator.
    pub(super) fn advice(&self, headers: &HeaderMap) -> String {
        let mut given = headers.get_all(ORIGIN).iter();
        let origin = match (given.next().map(read), given.next()) {
            (Some(Ok(origin)), None) => origin,
            (Some(Err(InvalidOrigin::Null)), None) => {
                return "null is what a sandboxed frame says of itself, and cannot be allowed: \
                    give the frame allow-same-origin"
                    .to_owned();
            }
            _ => return "it is no origin, and cannot be allowed".to_owned(),
        };
        let more = |known: bool| if known { "add" } else { "set" };
        let elsewhere = format!("ALLOWED_ORIGINS={origin}");
        if origin.secure().is_none() {
            let add = more(!self.allowed.is_empty());
            return format!("{add} {elsewhere} if that is an app of yours");
        }
        let add = more(self.public.are_known());
        let prefix = self.public.prefix();
        let mut advice = format!(
            "{add} PUBLIC_URL={origin}{prefix} if that is what the gateway is called outside, or \
             {elsewhere} if it is another page's"
        );
        if self.proxies == 0 && !self.public.are_known() && Forwarded::is_said(headers) {
            advice += "; what proxies say of the host counts with TRUSTED_PROXIES alone";
        }
        advice
    }

    /// The host that proxies say was asked for, as far as it counts.
    pub(super) fn forwarded_host(&self, headers: &HeaderMap) -> Option<String> {
        let (host, port) = Forwarded::read(headers, self.proxies).host?;
        Some(match port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        })
    }
}

/// Whether this is the origin of what was asked for at a host and port. Unless a proxy says so, the
/// scheme cannot be known where a proxy ends TLS, so that it counts for the port that is left out
/// only: a page of `http://x` is taken for one of `https://x`, which a server that has TLS does not
/// serve. Some proxies leave the port out of the host, and name it beside.
fn is_at(origin: &Origin, host: &str, port: Option<u16>, said: &Forwarded) -> bool {
    let Some(secure) = origin.secure() else {
        return false;
    };
    let port_fits = match port {
        Some(_) => origin.port() == port,
        None => origin.has_default_port() || origin.port() == said.port,
    };
    host == origin.host() && port_fits && said.secure.is_none_or(|said| said == secure)
}

fn read(origin: &HeaderValue) -> Result<Origin, InvalidOrigin> {
    let text = origin.to_str().map_err(|_| InvalidOrigin::Form)?;
    Origin::parse(text)
}

/// The only Host header.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(allowed: &[&str], public: &str, proxies: usize) -> Origins {
        let allowed = allowed.iter().map(|text| Origin::parse(text).unwrap());
        let public = match public {
            "" => PublicUrls::default(),
            public => PublicUrls::parse(public).unwrap(),
        };
        Origins {
            allowed: allowed.collect(),
            public,
            proxies,
        }
    }

    fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for &(name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        map
    }

    fn verdict(allowed: &[&str], proxies: usize, headers: &[(&'static str, &str)]) -> Verdict {
        origins(allowed, "", proxies).judge(&map(headers))
    }

    fn passes(origin: &str, host: &str) -> bool {
        let allowed = [
            "https://portal.example.com",
            "http://10.0.0.1:8080",
            "wss://socket.example.com",
            "capacitor://localhost",
            "app://main:1",
        ];
        let headers = [("origin", origin), ("host", host)];
        match verdict(&allowed, 0, &headers) {
            Verdict::Allowed(given) => given == origin,
            Verdict::Refused => false,
            Verdict::None => panic!("there is an origin"),
        }
    }

    #[test]
    fn allowed_origins_pass_and_nothing_that_looks_like_them() {
        for origin in [
            "https://portal.example.com",
            "https://portal.example.com:443",
            "https://Portal.Example.COM",
            "wss://portal.example.com",
            "http://10.0.0.1:8080",
            "ws://10.0.0.1:8080",
            "https://socket.example.com",
            "capacitor://localhost",
            "Capacitor://LOCALHOST",
            "app://main:1",
        ] {
            assert!(passes(origin, "gw"), "{origin}");
        }
        for origin in [
            "",
            "null",
            "portal.example.com",
            "http://portal.example.com",
            "ws://portal.example.com",
            "https://portal.example.com:444",
            "https://portal.example.com:",
            "https://portal.example.com:0443x",
            "https://portal.example.com.",
            "https://portal.example.com/",
            "https://portal.example.com.evil.com",
            "https://evilportal.example.com",
            "https://evil.com/https://portal.example.com",
            "https://portal.example.com@evil.com",
            "https://evil.com@portal.example.com",
            "https://user:password@portal.example.com",
            "https://portal.example.com evil",
            "https://portal.example.com,https://evil.com",
            "https://portal.example.com https://evil.com",
            "https://portal.example.com#",
            "https://portal.example.com?",
            "https://portal.example.com\\.evil.com",
            "https:portal.example.com",
            "ftp://portal.example.com",
            "file://",
            "https://",
            "http://10.0.0.1",
            "http://10.0.0.1:80800",
            "http://[::1",
            "capacitor://localhost:80",
            "capacitor://localhost.evil.com",
            "capacitor2://localhost",
            "ionic://localhost",
            "http://localhost",
            "app://main",
        ] {
            assert!(!passes(origin, "gw"), "{origin}");
        }
    }

    #[test]
    fn its_own_origin_passes_by_host_and_port() {
        for (origin, host, own) in [
            ("https://gw.example.com", "gw.example.com", true),
            ("https://gw.example.com", "gw.example.com:443", true),
            ("https://gw.example.com", "GW.example.com", true),
            ("http://gw.example.com", "gw.example.com", true),
            ("wss://gw.example.com", "gw.example.com", true),
            ("ws://gw.example.com", "gw.example.com", true),
            ("ws://127.0.0.1:3012", "127.0.0.1:3012", true),
            ("http://127.0.0.1:3012", "127.0.0.1:3012", true),
            ("http://[::1]:3012", "[0:0::1]:3012", true),
            ("https://gw.example.com", "gw.example.com:80", false),
            ("http://gw.example.com:3012", "gw.example.com", false),
            ("http://gw.example.com", "gw.example.com:3012", false),
            ("http://x.gw.example.com", "gw.example.com", false),
            ("http://gw.example.com", "x.gw.example.com", false),
            ("http://gw.example.com", "", false),
            ("ionic://gw.example.com", "gw.example.com", false),
            ("null", "null", false),
        ] {
            assert_eq!(passes(origin, host), own, "{origin} at {host}");
        }
    }

    #[test]
    fn which_host_was_asked_for_is_a_proxys_word_only_if_there_is_one() {
        let origin = ("origin", "https://gw.example.com");
        let inner = ("host", "gateway:3012");
        let outer = ("x-forwarded-host", "evil.example, gw.example.com");
        let refused = verdict(&[], 0, &[origin, inner, outer]);
        assert_eq!(refused, Verdict::Refused);
        let allowed = |headers: &[_]| verdict(&[], 1, headers) != Verdict::Refused;
        assert!(allowed(&[origin, inner, outer]));
        assert!(allowed(&[origin, ("host", "gw.example.com")]));
        assert!(!allowed(&[origin, inner]));
        let evil = ("origin", "https://evil.example");
        assert!(!allowed(&[evil, inner, outer]));
    }

    #[test]
    fn what_a_proxy_says_of_scheme_and_port_counts_as_well() {
        for (origin, host, proto, port, own) in [
            ("https://gw.example", "gw.example", "https", "443", true),
            ("https://gw.example", "gw.example", "wss", "", true),
            ("http://gw.example", "gw.example", "https", "443", false),
            ("https://gw.example", "gw.example", "http", "80", false),
            ("https://gw.example:8443", "gw.example", "", "8443", true),
            // What listens on another port within: the proxy is called by the usual one.
            ("https://gw.example", "gw.example", "https", "8443", true),
            ("https://gw.example", "gw.example:8443", "", "443", false),
            ("https://gw.example:8443", "gw.example", "", "", false),
        ] {
            let mut headers = vec![("origin", origin), ("host", host)];
            headers.extend([("x-forwarded-proto", proto), ("x-forwarded-port", port)]);
            let passes = verdict(&[], 1, &headers) != Verdict::Refused;
            assert_eq!(passes, own, "{headers:?}");
            let passes = verdict(&[], 0, &headers) != Verdict::Refused;
            let by_host = origin.ends_with("gw.example") && host == "gw.example";
            assert_eq!(passes, by_host, "{headers:?} without proxies");
        }
    }

    #[test]
    fn what_the_gateway_is_called_outside_is_all_that_counts_if_it_is_known() {
        let origins = origins(
            &["https://portal.example"],
            "https://gw.example/realtime, http://gw.internal:8080/realtime",
            1,
        );
        for (origin, passes) in [
            ("https://gw.example", true),
            ("wss://gw.example", true),
            ("http://gw.internal:8080", true),
            ("https://portal.example", true),
            ("http://gw.example", false),
            ("https://gw.example:8443", false),
            ("http://gateway:3012", false),
            ("https://forwarded.example", false),
        ] {
            let headers = map(&[
                ("origin", origin),
                ("host", "gateway:3012"),
                ("x-forwarded-host", "forwarded.example"),
            ]);
            let verdict = origins.judge(&headers);
            assert_eq!(verdict != Verdict::Refused, passes, "{origin}");
        }
    }

    #[test]
    fn none_is_no_browsers_and_two_are_nobodys() {
        assert_eq!(verdict(&[], 0, &[("host", "gw")]), Verdict::None);
        let gw = ("origin", "http://gw");
        let twice = [gw, gw, ("host", "gw")];
        assert_eq!(verdict(&[], 0, &twice), Verdict::Refused);
        let hosts = [gw, ("host", "gw"), ("host", "gw")];
        assert_eq!(verdict(&[], 0, &hosts), Verdict::Refused);
    }

    #[test]
    fn the_advice_is_what_to_write() {
        let advice = |allowed: &[&str], public: &str, origin: &str| {
            origins(allowed, public, 0).advice(&map(&[("origin", origin)]))
        };
        assert_eq!(
            advice(&[], "", "https://portal.example.com:8443"),
            "set PUBLIC_URL=https://portal.example.com:8443 if that is what the gateway is called \
             outside, or ALLOWED_ORIGINS=https://portal.example.com:8443 if it is another page's"
        );
        let more = advice(&[], "https://a.example/x", "https://b.example");
        assert!(more.starts_with("add PUBLIC_URL=https://b.example/x "));
        assert_eq!(
            advice(&[], "", "capacitor://localhost"),
            "set ALLOWED_ORIGINS=capacitor://localhost if that is an app of yours"
        );
        assert!(advice(&[], "", "null").contains("allow-same-origin"));
        for origin in ["file://", "x", "https://a.example/; rm"] {
            assert!(advice(&[], "", origin).contains("cannot be allowed"));
        }
        let headers = [("origin", "https://a.example"), ("x-forwarded-host", "a")];
        let proxied = origins(&[], "", 0).advice(&map(&headers));
        assert!(proxied.ends_with("counts with TRUSTED_PROXIES alone"));
        let proxied = origins(&[], "", 1).advice(&map(&headers));
        assert!(!proxied.contains("TRUSTED_PROXIES"));
    }
}
