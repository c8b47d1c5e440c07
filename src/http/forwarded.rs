//! What the proxies in front say of the address that a browser has asked for.
//!
//! With so many trusted proxies, the entry counts that the outermost of them wrote, as with
//! X-Forwarded-For: the last but so many. What stands before it anybody may have written.
//!
//! Other than X-Forwarded-For, these headers are set by some proxies and appended to by others.
//! Every trusted proxy has to do one of the two. One that sets has thrown away what came before, so
//! that fewer entries than proxies are all written by proxies, and the first of them by the one
//! nearest to the browser that sets. So it counts for the host, provided that X-Forwarded-For says
//! that the request has come by all of them: otherwise somebody may have got past the outer ones.
//! It does not count for the scheme and the port, which an inner proxy sees its own side of: nginx
//! behind a balancer that ends TLS writes `http`.
//!
//! `Forwarded` (RFC 7239) and X-Forwarded-Host have to agree if both name a host. A proxy that
//! writes one of them and hands on the other would have the client's own word count.

mod elements;

use axum::http::HeaderMap;
use axum::http::header::FORWARDED;

use super::origin::host_and_port;
use crate::net::{came_by, entries};
use elements::elements;

const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_PORT: &str = "x-forwarded-port";

/// What has been said of the address that was asked for, as far as it counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// Host and port.
    pub(super) host: Option<(String, Option<u16>)>,
    /// Whether by TLS.
    pub(super) secure: Option<bool>,
    /// The port, said for itself.
    pub(super) port: Option<u16>,
}

impl Forwarded {
    /// Reads what counts behind so many trusted proxies; behind none, nothing does.
    pub(super) fn read(headers: &HeaderMap, proxies: usize) -> Self {
        if proxies == 0 {
            return Self::default();
        }
        let outermost = |name| pick(&entries(headers, name), proxies, false).and_then(text);
        let first = came_by(headers, proxies);
        let elements = elements(headers);
        let element = pick(&elements, proxies, first);
        let standard = element.and_then(|element| host_and_port(element.host.as_deref()?));
        let entries = entries(headers, FORWARDED_HOST);
        let customary =
            pick(&entries, proxies, first).and_then(|entry| host_and_port(text(entry)?));
        let element = pick(&elements, proxies, false);
        let standard_proto = element.and_then(|element| secure(element.proto.as_deref()?));
        Self {
            host: agreed(standard, customary),
            secure: agreed(standard_proto, outermost(FORWARDED_PROTO).and_then(secure)),
            port: outermost(FORWARDED_PORT).and_then(|port| port.parse().ok()),
        }
    }

    /// Whether proxies, or clients, have said anything of the host.
    pub(super) fn is_said(headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED_HOST) || headers.contains_key(FORWARDED)
    }
}

/// The entry of the outermost of so many proxies; of fewer, the first, if that counts.
fn pick<T>(entries: &[T], proxies: usize, first: bool) -> Option<&T> {
    match entries.len().checked_sub(proxies) {
        Some(before) => entries.get(before),
        None if first => entries.first(),
        None => None,
    }
}

/// What both say, or the one that says anything.
fn agreed<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(one),
        (one, other) => one.or(other),
    }
}

fn text<'a>(entry: &&'a [u8]) -> Option<&'a str> {
    Some(std::str::from_utf8(entry).ok()?.trim())
}

fn secure(proto: &str) -> Option<bool> {
    match proto.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)], proxies: usize) -> Forwarded {
        let mut map = HeaderMap::new();
        for &(name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        Forwarded::read(&map, proxies)
    }

    fn host(headers: &[(&'static str, &str)], proxies: usize) -> Option<String> {
        let (host, port) = read(headers, proxies).host?;
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(host + &port)
    }

    #[test]
    fn the_entry_of_the_outermost_trusted_proxy_counts_whatever_stands_before_it() {
        for (entries, proxies, counts) in [
            ("a.example", 0, None),
            ("a.example", 1, Some("a.example")),
            ("evil, a.example:8443", 1, Some("a.example:8443")),
            ("evil, A.example, inner:80", 2, Some("a.example")),
            ("evil, a.example, inner:80", 3, Some("evil")),
            ("a.example,", 1, None),
            ("a.example, b c", 1, None),
        ] {
            let entry = ("x-forwarded-host", entries);
            assert_eq!(host(&[entry], proxies).as_deref(), counts, "{entries}");
            let elements = entries.split(',').map(|host| match host.trim() {
                "" => String::new(),
                host => format!("for=_x;host=\"{host}\""),
            });
            let elements = elements.collect::<Vec<_>>().join(", ");
            let element = ("forwarded", &*elements);
            assert_eq!(host(&[element], proxies).as_deref(), counts, "{elements}");
        }
        let lines = [("x-forwarded-host", "evil"), ("x-forwarded-host", "a")];
        assert_eq!(host(&lines, 1).as_deref(), Some("a"));
        let lines = [("forwarded", "host=evil"), ("forwarded", "host=a")];
        assert_eq!(host(&lines, 1).as_deref(), Some("a"));
    }

    #[test]
    fn of_fewer_entries_than_proxies_the_first_counts_if_the_request_came_by_all_of_them() {
        let set = ("x-forwarded-host", "a.example");
        let way = ("x-forwarded-for", "192.0.2.7, 10.0.0.1");
        assert_eq!(host(&[set, way], 2).as_deref(), Some("a.example"));
        let standard = ("forwarded", "host=a.example");
        assert_eq!(host(&[standard, way], 2).as_deref(), Some("a.example"));
        assert_eq!(host(&[set], 2), None);
        assert_eq!(host(&[set, ("x-forwarded-for", "192.0.2.7")], 2), None);
        assert_eq!(host(&[set, way], 3), None);
        // An inner proxy does not know how the outer one was reached.
        let inner = [
            way,
            ("x-forwarded-proto", "http"),
            ("x-forwarded-port", "80"),
            ("forwarded", "proto=http"),
        ];
        assert_eq!(read(&inner, 2), Forwarded::default());
    }

    #[test]
    fn the_scheme_is_http_or_https_also_of_a_websocket() {
        for (proto, secure) in [
            ("https", Some(true)),
            ("WSS", Some(true)),
            ("http", Some(false)),
            ("ws", Some(false)),
            ("http, https", Some(true)),
            ("gopher", None),
            ("", None),
        ] {
            assert_eq!(read(&[("x-forwarded-proto", proto)], 1).secure, secure);
        }
        let standard = ("forwarded", "proto=http, Proto=\"https\"");
        assert_eq!(read(&[standard], 1).secure, Some(true));
        let both = [standard, ("x-forwarded-proto", "http")];
        assert_eq!(read(&both, 1).secure, None);
        assert_eq!(
            read(&[("x-forwarded-port", "80, 8443")], 1).port,
            Some(8443)
        );
    }

    #[test]
    fn both_headers_have_to_agree() {
        let custom = ("x-forwarded-host", "a.example");
        assert_eq!(host(&[custom, ("forwarded", "host=evil")], 1), None);
        let same = [custom, ("forwarded", "host=A.example")];
        assert_eq!(host(&same, 1).as_deref(), Some("a.example"));
        let silent = [custom, ("forwarded", "for=10.0.0.1")];
        assert_eq!(host(&silent, 1).as_deref(), Some("a.example"));
    }

    #[test]
    fn a_clients_own_element_cannot_swallow_a_proxys() {
        let proxys = "for=\"[2001:db8::1]:4711\";host=a.example;proto=https";
        for clients in [
            "",
            "host=evil",
            "host=evil;x=\"",
            "host=evil;x=\"\\",
            "host=evil;x=\"\\\"",
            "host=evil;x",
            "host=evil;x=\"y\"z",
            "host=evil;host=evil",
            "host=evil;x=y z",
            "host=\"evil",
        ] {
            for header in [
                vec![("forwarded", format!("{clients}, {proxys}"))],
                vec![
                    ("forwarded", clients.to_owned()),
                    ("forwarded", proxys.to_owned()),
                ],
            ] {
                let header: Vec<_> = header.iter().map(|(name, line)| (*name, &**line)).collect();
                let counts = host(&header, 1);
                assert!(
                    counts.as_deref().is_none_or(|host| host == "a.example"),
                    "{header:?}: {counts:?}"
                );
            }
        }
    }

    #[test]
    fn elements_are_read_as_the_grammar_has_them() {
        for (line, value) in [
            ("host=\"a.example:8443\"", Some("a.example:8443")),
            ("host=a.example:8443", Some("a.example:8443")),
            ("HOST=a.example ; proto=https", Some("a.example")),
            (";host=a.example;", Some("a.example")),
            ("host=\"a\\.example\"", Some("a.example")),
            ("by=_x;secret=\"a,b;c\";host=a.example", Some("a.example")),
            ("host=\"[2001:db8::1]:80\"", Some("[2001:db8::1]:80")),
            ("host=", None),
            ("host", None),
            ("=a", None),
            ("host =a", None),
            ("host=a.example/", None),
        ] {
            assert_eq!(host(&[("forwarded", line)], 1).as_deref(), value, "{line}");
        }
    }
}
