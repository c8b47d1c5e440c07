//! How tokens are checked.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{IntrospectionSettings, Key, KeySource, Rules};

/// Every way to check tokens; one is enough.
#[derive(Clone, Default)]
pub struct Settings {
    /// HS256 keys, the current one first; each of [`Settings::MIN_SECRET`] bytes at least.
    pub secrets: Vec<String>,
    /// RS256, ES256 or EdDSA.
    pub public_key: Option<Key>,
    /// The same, with keys that change.
    pub key_set: Option<KeySource>,
    /// The auth service, for tokens that nothing else vouches for.
    pub introspection: Option<IntrospectionSettings>,
    /// Which claims are accepted, whoever vouches for them.
    pub rules: Rules,
}

impl Settings {
    /// The shortest HS256 key, in bytes: as long as the hash (RFC 7518, section 3.2).
    pub const MIN_SECRET: usize = 32;

    /// A few bits by which replicas see that they check tokens otherwise, and nobody more than that.
    pub fn fingerprint(&self) -> u32 {
        let mut secrets: Vec<_> = self.secrets.iter().collect();
        secrets.sort();
        let mut hash = Sha256::new();
        hash.update(b"agent-gateway tokens\0");
        for secret in secrets {
            hash.update(secret);
            hash.update([0]);
        }
        hash.update(format!("{:?} {:?}", self.public_key, self.rules));
        let digest = hash.finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

impl fmt::Debug for Settings {
    // Secrets appear in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("secrets", &self.secrets.len())
            .field("public_key", &self.public_key)
            .field("key_set", &self.key_set)
            .field("introspection", &self.introspection)
            .field("rules", &self.rules)
            .finish()
    }
}
