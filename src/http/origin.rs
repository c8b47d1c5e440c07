//! Which web pages may talk to the gateway from a browser.
//!
//! A browser names the page's origin with every WebSocket and every request that is not a plain
//! one of the same origin, and no page can change that. CORS alone would not do: it keeps a page
//! from reading answers, and does not cover WebSockets at all.

use std::fmt;
use std::net::Ipv6Addr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};

/// An origin: scheme, host and port (RFC 6454). Compared as a whole, never by its beginning or end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

/// Not an origin as a browser would write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidOrigin;

/// The origins that may talk to the gateway, its own aside.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    allowed: Vec<Origin>,
    /// Whether a proxy says which host was asked for.
    proxied: bool,
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

const FORWARDED_HOST: &str = "x-forwarded-host";

impl Origin {
    /// Reads `scheme://host[:port]`, with http or https; the case of letters does not matter.
    ///
    /// # Errors
    /// There is anything else, such as a path or a user.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidOrigin)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(InvalidOrigin),
        };
        let (host, port) = host_and_port(rest).ok_or(InvalidOrigin)?;
        let port = port.unwrap_or(default_port(secure));
        Ok(Self { secure, host, port })
    }

    /// Whether this is the origin of what was asked for at `host`. The scheme cannot be known
    /// behind a proxy that ends TLS, so that it counts for the port that is left out only: a page of
    /// `http://x` is taken for one of `https://x`, which a server that has TLS does not serve.
    fn is_at(&self, host: &str) -> bool {
        host_and_port(host).is_some_and(|(host, port)| {
            host == self.host && port.unwrap_or(default_port(self.secure)) == self.port
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != default_port(self.secure) {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

impl Origins {
    pub(super) fn new(allowed: Vec<Origin>, proxied: bool) -> Self {
        Self { allowed, proxied }
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
        let Some(origin) = origin
            .to_str()
            .ok()
            .and_then(|text| Origin::parse(text).ok())
        else {
            return false;
        };
        self.allowed.contains(&origin)
            || self
                .asked_for(headers)
                .is_some_and(|host| origin.is_at(host))
    }

    /// The host that was asked for. Behind a proxy it may be the proxy's name for the gateway, and
    /// X-Forwarded-Host the client's, whose first entry is then the first proxy's. A page cannot
    /// set it: that would take a preflight, which allows `content-type` alone. (Nor can whoever
    /// can set it gain anything, having no browser to be protected from.)
    fn asked_for<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let forwarded = headers.get(FORWARDED_HOST).filter(|_| self.proxied);
        if let Some(forwarded) = forwarded {
            return forwarded.to_str().ok()?.split(',').next().map(str::trim);
        }
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next()?.to_str().ok()?;
        hosts.next().is_none().then_some(host)
    }
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Reads `host[:port]`; the host in lower case.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            let host: Ipv6Addr = host.parse().ok()?;
            (format!("[{host}]"), port)
        }
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if host.is_empty() || !host.bytes().all(is_name) {
                return None;
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    let Some(port) = port.strip_prefix(':') else {
        return port.is_empty().then_some((host, None));
    };
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((host, Some(port.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(allowed: &[&str], proxied: bool, headers: &[(&'static str, &str)]) -> Verdict {
        let allowed = allowed.iter().map(|text| Origin::parse(text).unwrap());
        let mut map = HeaderMap::new();
        for &(name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        Origins::new(allowed.collect(), proxied).judge(&map)
    }

    fn passes(origin: &str, host: &str) -> bool {
        let allowed = ["https://portal.example.com", "http://10.0.0.1:8080"];
        let headers = [("origin", origin), ("host", host)];
        match verdict(&allowed, false, &headers) {
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
            "http://10.0.0.1:8080",
        ] {
            assert!(passes(origin, "gw"), "{origin}");
        }
        for origin in [
            "",
            "null",
            "portal.example.com",
            "http://portal.example.com",
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
            ("http://127.0.0.1:3012", "127.0.0.1:3012", true),
            ("http://[::1]:3012", "[0:0::1]:3012", true),
            ("https://gw.example.com", "gw.example.com:80", false),
            ("http://gw.example.com:3012", "gw.example.com", false),
            ("http://gw.example.com", "gw.example.com:3012", false),
            ("http://x.gw.example.com", "gw.example.com", false),
            ("http://gw.example.com", "x.gw.example.com", false),
            ("http://gw.example.com", "", false),
            ("null", "null", false),
        ] {
            assert_eq!(passes(origin, host), own, "{origin} at {host}");
        }
    }

    #[test]
    fn which_host_was_asked_for_is_a_proxys_word_only_if_there_is_one() {
        let origin = ("origin", "https://gw.example.com");
        let inner = ("host", "gateway:3012");
        let outer = ("x-forwarded-host", "gw.example.com, between:80");
        let refused = verdict(&[], false, &[origin, inner, outer]);
        assert_eq!(refused, Verdict::Refused);
        let allowed = |headers: &[_]| verdict(&[], true, headers) != Verdict::Refused;
        assert!(allowed(&[origin, inner, outer]));
        assert!(allowed(&[origin, ("host", "gw.example.com")]));
        assert!(!allowed(&[origin, inner]));
    }

    #[test]
    fn none_is_no_browsers_and_two_are_nobodys() {
        assert_eq!(verdict(&[], false, &[("host", "gw")]), Verdict::None);
        let gw = ("origin", "http://gw");
        let twice = [gw, gw, ("host", "gw")];
        assert_eq!(verdict(&[], false, &twice), Verdict::Refused);
        let hosts = [gw, ("host", "gw"), ("host", "gw")];
        assert_eq!(verdict(&[], false, &hosts), Verdict::Refused);
    }

    #[test]
    fn an_origin_is_written_as_a_browser_writes_it() {
        for (text, written) in [
            ("HTTPS://A.example:443", "https://a.example"),
            ("http://a.example:443", "http://a.example:443"),
            ("http://[::0:1]:80", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), written);
        }
    }
}
