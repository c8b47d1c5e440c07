//! Token in, [`Agent`] out. Nothing here knows HTTP servers or sockets.
//!
//! A signed token (a JWT) is checked by the keys of its algorithm, wherever they come from: secrets,
//! or one public key. The algorithm is a key's; a token's header only says which keys to try,
//! and its `jwk`, `jku`, `x5u` and `x5c` are not looked at.

mod agent;
mod claims;
mod hs256;
mod key;
mod pem;
mod settings;

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use time::OffsetDateTime;

pub use agent::{Agent, Grant};
pub use claims::Rules;
pub use hs256::{Hs256, NewToken};
pub use key::{Key, KeyError};
pub use settings::Settings;

/// The longest token, in bytes. What is longer is not looked at.
const MAX_TOKEN: usize = 8 << 10;

/// Why a token opens no door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token is malformed, nobody vouches for it, it is not meant for this service, or it
    /// lacks a claim.
    #[error("Invalid token")]
    Invalid,
    /// The token was good until `exp` and the leeway had passed.
    #[error("Token expired")]
    Expired,
}

/// Checks tokens by every configured method.
#[derive(Debug)]
pub struct Authenticator {
    rules: Rules,
    hs256: Hs256,
    public_key: Option<Key>,
}

impl Authenticator {
    /// Takes the keys in.
    pub fn new(settings: Settings) -> Self {
        Self {
            rules: settings.rules.clone(),
            public_key: settings.public_key.clone(),
            hs256: Hs256::new(settings),
        }
    }

    /// The agent that the token speaks for.
    ///
    /// # Errors
    /// [`AuthError`]; its texts are those of the contract's `connect_error`.
    pub async fn authenticate(&self, token: &str) -> Result<Agent, AuthError> {
        if token.len() > MAX_TOKEN {
            return Err(AuthError::Invalid);
        }
        let claims = self.claims(token).ok_or(AuthError::Invalid)?;
        self.rules.agent(&claims, now())
    }

    /// The claims of a token that one of the keys has signed, not yet judged.
    fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // RFC 7515, section 4.1.11: an extension that is not understood must not be passed over.
        if header.crit.is_some() {
            return None;
        }
        match header.alg {
            Algorithm::HS256 => self.hs256.claims(token),
            _ => self.public_key.as_ref()?.claims(token),
        }
    }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
