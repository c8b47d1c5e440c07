//! The log of refused origins: an operator has to hear of them, and pages that try again and again
//! must not fill the log.

use axum::http::header::{AsHeaderName, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};
use tracing::{debug, warn};

use super::origins::Origins;
use crate::throttle::Throttle;

/// How much of a header stands in a line of the log, in bytes. Hosts have at most 253.
const SHOWN: usize = 300;

/// Logs refused requests: a warning a minute, and `debug` for the others.
#[derive(Default)]
pub(super) struct Refusals(Throttle<(), 60>);

impl Refusals {
    /// Logs a refused request.
    pub(super) fn add(&self, origins: &Origins, headers: &HeaderMap) {
        let origin = shown(headers, ORIGIN);
        let host = shown(headers, HOST);
        match self.0.note(&()) {
            None => debug!(origin, host, "origin refused"),
            Some(refused) => warn!(
                origin,
                host,
                forwarded_host = origins.forwarded_host(headers),
                refused,
                "origin refused: {}",
                origins.advice(headers)
            ),
        }
    }
}

/// The header as a line of the log may have it: its beginning, with nothing that a terminal acts on.
fn shown(headers: &HeaderMap, name: impl AsHeaderName) -> Option<String> {
    let values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let values: Vec<_> = values.collect();
    if values.is_empty() {
        return None;
    }
    let text = values.join(&b", "[..]).escape_ascii().to_string();
    Some(match text.get(..SHOWN) {
        Some(beginning) if text.len() > SHOWN => format!("{beginning}…"),
        _ => text,
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_warning_is_logged_once_a_minute_with_the_number_of_all() {
        let refusals = Refusals::default();
        let begin = Instant::now();
        let at = |seconds| {
            refusals
                .0
                .note_at(&(), begin + Duration::from_secs(seconds))
        };
        let logged = [0, 0, 59, 60, 61, 119, 300].map(at);
        assert_eq!(logged, [Some(1), None, None, Some(3), None, None, Some(3)]);
    }

    #[test]
    fn a_header_is_shown_plainly_and_not_at_length() {
        let mut headers = HeaderMap::new();
        assert_eq!(shown(&headers, ORIGIN), None);
        let mut add =
            |value: &[u8]| headers.append(ORIGIN, HeaderValue::from_bytes(value).unwrap());
        add(b"https://a.example");
        add(b"\xc2\x9b31m\t");
        let plain = r"https://a.example, \xc2\x9b31m\t";
        assert_eq!(shown(&headers, ORIGIN).as_deref(), Some(plain));
        let long = HeaderValue::from_bytes(&[b'x'; 4000]).unwrap();
        headers.insert(ORIGIN, long);
        let text = shown(&headers, ORIGIN).unwrap();
        assert_eq!(text, format!("{}…", "x".repeat(SHOWN)));
    }
}
