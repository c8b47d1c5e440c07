//! Which address a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::AsHeaderName;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client, behind so many proxies that are trusted.
///
/// Each proxy appends to X-Forwarded-For the address that it was called from, so that the last
/// `proxies` entries are written by proxies, and the first of those names the client. What stands
/// before them anybody may have written, and it is not looked at; without proxies nothing is.
///
/// A request with fewer entries has not come all the way, and an entry that is no address says
/// that the proxy does not know it: both count for the connection's own peer. To choose one's address
/// like this, or to hide, is thus to share an account with all others who come so. To believe the
/// entries that there are would let whoever gets past the outer proxy write any address.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: usize) -> IpAddr {
    let Some(nth) = proxies.checked_sub(1) else {
        return peer;
    };
    let entries = entries(headers, FORWARDED_FOR);
    let nth = entries.iter().rev().nth(nth);
    nth.and_then(|entry| address(std::str::from_utf8(entry).ok()?.trim()))
        .unwrap_or(peer)
}

/// Whether a request has come by so many proxies, as far as X-Forwarded-For shows.
pub fn came_by(headers: &HeaderMap, proxies: usize) -> bool {
    entries(headers, FORWARDED_FOR).len() >= proxies
}

/// A header's entries, of all its lines, in the order in which proxies have written them.
pub fn entries(headers: &HeaderMap, name: impl AsHeaderName) -> Vec<&[u8]> {
    let lines = headers.get_all(name).iter();
    // Bytes that are no text are an entry too: to leave them out would move the others.
    let entries = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    entries.collect()
}

/// An address, which may be in brackets and have a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || Some(entry.parse::<SocketAddr>().ok()?.ip());
    entry.parse().ok().or_else(bracketed).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const PEER: &str = "192.0.2.1";

    fn client(lines: &[&[u8]], proxies: usize) -> String {
        let name = HeaderName::from_static(FORWARDED_FOR);
        let lines = lines
            .iter()
            .map(|line| (name.clone(), HeaderValue::from_bytes(line).unwrap()));
        let headers: HeaderMap = lines.collect();
        client_address(PEER.parse().unwrap(), &headers, proxies).to_string()
    }

    #[test]
    fn without_proxies_nothing_that_is_said_counts() {
        assert_eq!(client(&[b"10.0.0.1"], 0), PEER);
        assert_eq!(client(&[], 0), PEER);
    }

    #[test]
    fn the_entry_of_the_outermost_trusted_proxy_counts_whatever_stands_before_it() {
        assert_eq!(client(&[b"10.0.0.1"], 1), "10.0.0.1");
        assert_eq!(client(&[b"6.6.6.6, 10.0.0.1"], 1), "10.0.0.1");
        assert_eq!(client(&[b"6.6.6.6", b"10.0.0.1"], 1), "10.0.0.1");
        assert_eq!(client(&[b"6.6.6.6, 10.0.0.1,10.0.0.2"], 2), "10.0.0.1");
        assert_eq!(client(&[b"6.6.6.6,10.0.0.1", b"10.0.0.2"], 2), "10.0.0.1");
        assert_eq!(client(&[b"\xff, 10.0.0.1"], 1), "10.0.0.1");
    }

    #[test]
    fn an_entry_may_have_brackets_and_a_port() {
        for (entry, address) in [
            ("10.0.0.1:4711", "10.0.0.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("  10.0.0.1\t", "10.0.0.1"),
        ] {
            assert_eq!(client(&[entry.as_bytes()], 1), address, "{entry}");
        }
    }

    #[test]
    fn what_is_missing_or_no_address_is_the_peers() {
        assert_eq!(client(&[], 1), PEER);
        assert_eq!(client(&[b"10.0.0.1"], 2), PEER);
        for entry in [
            "",
            "unknown",
            "_hidden",
            "10.0.0",
            "10.0.0.1:x",
            "10.0.0.1 10.0.0.2",
        ] {
            assert_eq!(client(&[b"6.6.6.6", entry.as_bytes()], 1), PEER, "{entry}");
        }
        assert_eq!(client(&[b"6.6.6.6, \xff"], 1), PEER);
        assert_eq!(client(&[b"10.0.0.1,"], 1), PEER);
    }
}
