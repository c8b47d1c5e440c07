//! Who may call `/internal/*`, and see `/metrics`.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::counter::Counter;

/// The header that carries a key, besides `Authorization: Bearer`.
pub(super) const HEADER: &str = "x-internal-api-key";

/// The configured keys, as hashes: of equal length, so that comparing reveals nothing of theirs.
/// Clones are the same keys: what renews one renews all.
#[derive(Clone)]
pub struct ApiKeys(Arc<Kept>);

struct Kept {
    hashes: ArcSwap<Vec<[u8; 32]>>,
    refused: Counter,
}

impl From<&[String]> for ApiKeys {
    fn from(keys: &[String]) -> Self {
        let hashes: Vec<_> = keys.iter().map(|key| hash(key.as_bytes())).collect();
        Self(Arc::new(Kept {
            hashes: ArcSwap::from_pointee(hashes),
            refused: Counter::default(),
        }))
    }
}

impl fmt::Debug for ApiKeys {
    // Not even a hash appears in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApiKeys").field(&self.len()).finish()
    }
}

impl ApiKeys {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.hashes.load().len()
    }

    /// Whether every call is refused.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the other's keys in the place of these, from the next call on.
    pub fn renew(&self, other: &Self) {
        self.0.hashes.store(other.0.hashes.load_full());
    }

    /// The number of the key that the request carries, from 1 on: by that the log distinguishes keys
    /// apart. Each is compared, in constant time.
    pub(super) fn which(&self, headers: &HeaderMap) -> Option<usize> {
        let key = self.fit(headers);
        if key.is_none() {
            self.0.refused.count();
        }
        key
    }

    /// Whether the request carries one of them. One that does not may carry a key of another kind, and
    /// is not counted.
    pub(super) fn open(&self, headers: &HeaderMap) -> bool {
        self.fit(headers).is_some()
    }

    /// How many requests carried none.
    pub(super) fn refused(&self) -> &Counter {
        &self.0.refused
    }

    fn fit(&self, headers: &HeaderMap) -> Option<usize> {
        let given = hash(given(headers)?);
        let hashes = self.0.hashes.load();
        let found = (1_u64..)
            .zip(hashes.iter())
            .fold(0, |found, (number, key)| {
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
        ApiKeys::from(keys.as_slice())
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
    fn renewed_keys_count_for_all_who_have_them() {
        let keys = |key: &str| ApiKeys::from([key.to_owned()].as_slice());
        let ours = keys(KEY);
        let handlers = ours.clone();
        let headers = [("x-internal-api-key".parse().unwrap(), KEY.parse().unwrap())];
        let headers = HeaderMap::from_iter(headers);
        assert_eq!(handlers.which(&headers), Some(1));
        ours.renew(&keys("another key, after"));
        assert_eq!(handlers.which(&headers), None);
        ours.renew(&keys(KEY));
        assert_eq!(handlers.which(&headers), Some(1));
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
