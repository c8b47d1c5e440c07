//! The playground's guard: a browser on this machine may use it, and in it the playground's own page.
//!
//! Loopback keeps other machines out, not other sites: any page in the same browser can send
//! requests here, and can give its own name this machine's address (DNS rebinding). So the Host
//! has to be a name of loopback, and what changes something has to come from the same origin.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::error::PlaygroundError;

/// What the browser says of where a request comes from
/// (<https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

pub(in super::super) async fn admit(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = match judge(safe, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(reason) => PlaygroundError::forbidden(reason).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (RESOURCE_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Tokens are among the answers.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Why a request is denied. `safe`: it changes nothing.
fn judge(safe: bool, headers: &HeaderMap) -> Result<(), &'static str> {
    let host = text(headers, &HOST).flatten().unwrap_or_default();
    if !is_loopback(host) {
        return Err("the playground answers to this machine's own names only");
    }
    if safe {
        return Ok(());
    }
    // A request with neither is not a browser's.
    let same_origin = match text(headers, &ORIGIN) {
        None => true,
        Some(origin) => origin
            .and_then(|origin| origin.strip_prefix("http://"))
            .is_some_and(|origin| origin.eq_ignore_ascii_case(host)),
    };
    let same_site = match text(headers, &SEC_FETCH_SITE) {
        None => true,
        Some(site) => site == Some("same-origin"),
    };
    if same_origin && same_site {
        Ok(())
    } else {
        Err("the playground's buttons are pressed from its own page only")
    }
}

/// A header's value: `None` when it is missing, `Some(None)` when it is there twice or no text.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    Some(match values.next() {
        None => value.to_str().ok(),
        Some(_) => None,
    })
}

/// Whether a Host header names this machine to itself.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        // The colons of an IPv6 address stand within brackets.
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, "80"),
    };
    if port.parse::<u16>().is_err() {
        return false;
    }
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: (&str, &str) = ("host", "127.0.0.1:3012");

    fn admits(safe: bool, headers: &[(&str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        judge(safe, &map).is_ok()
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in [
            "127.0.0.1:3012",
            "127.0.0.1",
            "127.3.2.1:80",
            "localhost:3012",
            "LocalHost",
            "[::1]:3012",
            "[::1]",
        ] {
            assert!(admits(true, &[("host", host)]), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:3012",
            "127.0.0.1.evil.example:3012",
            "localhost.evil.example",
            "evil.example:127.0.0.1",
            "127.0.0.1:3012:80",
            "127.0.0.1@evil.example",
            "0.0.0.0:3012",
            "10.0.0.7:3012",
            "[::]:3012",
            "[::1",
        ] {
            assert!(!admits(true, &[("host", host)]), "{host}");
        }
        assert!(!admits(true, &[]));
        assert!(!admits(true, &[HERE, ("host", "evil.example")]));
    }

    #[test]
    fn another_page_changes_nothing() {
        let same_origin = ("sec-fetch-site", "same-origin");
        assert!(admits(false, &[HERE]));
        assert!(admits(false, &[HERE, ("origin", "http://127.0.0.1:3012")]));
        assert!(admits(
            false,
            &[HERE, ("origin", "http://127.0.0.1:3012"), same_origin]
        ));
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://127.0.0.1:3013",
            "http://localhost:3012",
            "https://127.0.0.1:3012",
            "http://127.0.0.1:3012.evil.example",
            "http://user@127.0.0.1:3012",
            "127.0.0.1:3012",
        ] {
            assert!(!admits(false, &[HERE, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!admits(false, &[HERE, ("sec-fetch-site", site)]), "{site}");
        }
        let own = ("origin", "http://127.0.0.1:3012");
        assert!(!admits(
            false,
            &[HERE, own, ("sec-fetch-site", "cross-site")]
        ));
        assert!(!admits(false, &[HERE, own, own]));
        assert!(!admits(
            false,
            &[("host", "evil.example"), ("origin", "http://evil.example")]
        ));
    }
}
