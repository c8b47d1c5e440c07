//! Who may call `/internal/*`, and see `/metrics`.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::conversation::Counter;

/// The header that carries a key, besides `Authorization: Bearer`.
const HEADER: &str = "x-internal-api-key";

/// The configured keys, as hashes: of equal length, so that comparing tells nothing of theirs.
pub(super) struct ApiKeys {
    hashes: Vec<[u8; 32]>,
    refused: Counter,
}

impl ApiKeys {
    pub(super) fn new(keys: &[String]) -> Self {
        Self {
            hashes: keys.iter().map(|key| hash(key.as_bytes())).collect(),
            refused: Counter::default(),
        }
    }

    /// The number of the key that the request carries, from 1 on: by that the log tells keys
    /// apart. Each is compared, in constant time.
    pub(super) fn which(&self, headers: &HeaderMap) -> Option<usize> {
        let key = self.fit(headers);
        if key.is_none() {
            self.refused.count();
        }
        key
    }

    /// How many requests carried none.
    pub(super) fn refused(&self) -> &Counter {
        &self.refused
    }

    fn fit(&self, headers: &HeaderMap) -> Option<usize> {
        let given = hash(given(headers)?);
        let found = (1_u64..).zip(&self.hashes).fold(0, |found, (number, key)| {
            u64::conditional_select(&found, &number, key.ct_eq(&given))
        });
        usize::try_from(found).ok().filter(|&number| number > 0)
    }
}

fn given(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(key) = headers.get(HEADER) {
        return Some(key.as_bytes());
    }
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, key) = value.split_at_checked(b"bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(key)
}

fn hash(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a key of the relay";

    fn admits(keys: &[&str], name: &'static str, value: &str) -> bool {
        let keys: Vec<_> = keys.iter().map(|&key| key.to_owned()).collect();
        let headers = [(name.parse().unwrap(), value.parse().unwrap())];
        ApiKeys::new(&keys)
            .which(&HeaderMap::from_iter(headers))
            .is_some()
    }

    #[test]
    fn a_key_opens_in_either_header() {
        assert!(admits(&[KEY], "x-internal-api-key", KEY));
        assert!(admits(&[KEY], "authorization", &format!("Bearer {KEY}")));
        assert!(admits(&[KEY], "authorization", &format!("bearer {KEY}")));
        assert!(admits(
            &["another key, before", KEY],
            "x-internal-api-key",
            KEY
        ));
    }

    #[test]
    fn anything_else_does_not() {
        assert!(!admits(&[], "x-internal-api-key", KEY));
        assert!(!admits(&[], "x-internal-api-key", ""));
        assert!(!admits(&[KEY], "x-internal-api-key", "a key of the relaY"));
        assert!(!admits(&[KEY], "x-internal-api-key", ""));
        assert!(!admits(&[KEY], "authorization", KEY));
        assert!(!admits(&[KEY], "authorization", "Bearer"));
        assert!(!admits(&[KEY], "x-api-key", KEY));
    }
}
