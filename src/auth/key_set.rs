//! A JSON Web Key Set (RFC 7517, section 5), as it was when it was loaded.

use anyhow::{Context as _, bail};
use jsonwebtoken::Header;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::jwk::{NamedKey, UnusableJwk};

/// How many keys of a set are used: a token must not cost a search.
const MAX_KEYS: usize = 100;

/// Public keys by their `kid`.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<NamedKey>,
    /// Of the text, to distinguish one set from the next.
    pub(super) digest: [u8; 32],
    /// How many members were left out because something is wrong with them.
    pub(super) faulty: usize,
    /// What is wrong with the first of those.
    pub(super) fault: Option<String>,
}

/// What a set says about a token.
#[derive(Debug, PartialEq)]
pub(super) enum KeySetCheck {
    /// One of its keys signed it: its claims, not yet judged.
    Signed(Map<String, Value>),
    /// None did.
    Unsigned,
    /// The token names a key that the set does not have; a newer one may.
    UnknownKey,
}

impl KeySet {
    /// Reads a set. Members that are no usable keys are left out.
    ///
    /// # Errors
    /// When it is no set at all.
    pub(super) fn parse(json: &[u8]) -> anyhow::Result<Self> {
        // The parser's own words would repeat what it was given.
        let Ok(mut set) = serde_json::from_slice::<Map<String, Value>>(json) else {
            bail!("is not a JSON object");
        };
        let members = set.remove("keys");
        let Value::Array(members) = members.context("has no member keys")? else {
            bail!("keys is not an array");
        };
        let mut parsed = Self {
            keys: Vec::new(),
            digest: Sha256::digest(json).into(),
            faulty: 0,
            fault: None,
        };
        for (position, member) in members.iter().enumerate() {
            let fault = match NamedKey::parse(member) {
                Ok(key) if parsed.keys.len() < MAX_KEYS => {
                    parsed.keys.push(key);
                    continue;
                }
                Ok(_) => format!("is beyond the {MAX_KEYS} that are used"),
                Err(UnusableJwk::Foreign) => continue,
                Err(unusable) => unusable.to_string(),
            };
            parsed.faulty += 1;
            parsed
                .fault
                .get_or_insert_with(|| format!("keys[{position}] {fault}"));
        }
        Ok(parsed)
    }

    /// How many keys can be used.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Checks a token by the key that its header names. One that names none is checked only if the
    /// set leaves no choice (OpenID Connect Core, section 10.1).
    pub(super) fn check(&self, token: &str, header: &Header) -> KeySetCheck {
        let fits = |named: &&NamedKey| named.key.algorithm() == header.alg;
        let mut candidates: Vec<&NamedKey> = match &header.kid {
            Some(id) => {
                let of_that_name = |named: &&NamedKey| named.id.as_ref() == Some(id);
                if !self.keys.iter().any(|named| of_that_name(&named)) {
                    return KeySetCheck::UnknownKey;
                }
                self.keys.iter().filter(of_that_name).collect()
            }
            None => self.keys.iter().collect(),
        };
        candidates.retain(fits);
        if header.kid.is_none() && candidates.len() > 1 {
            return KeySetCheck::Unsigned;
        }
        candidates
            .iter()
            .find_map(|named| named.key.claims(token))
            .map_or(KeySetCheck::Unsigned, KeySetCheck::Signed)
    }
}
