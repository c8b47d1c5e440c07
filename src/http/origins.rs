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
pub(super) enum OriginVerdict {
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

    pub(super) fn judge(&self, headers: &HeaderMap) -> OriginVerdict {
        let mut given = headers.get_all(ORIGIN).iter();
        match (given.next(), given.next()) {
            (None, _) => OriginVerdict::None,
            (Some(origin), None) if self.allow(origin, headers) => {
                OriginVerdict::Allowed(origin.clone())
            }
            _ => OriginVerdict::Refused,
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
mod tests;
