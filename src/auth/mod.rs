//! Token in, [`Agent`] out. Nothing here knows HTTP servers or sockets.

mod agent;
mod jwt;

pub use agent::{Agent, Grant};
pub use jwt::{Hs256, NewToken, Settings};

/// Why a token opens no door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token is malformed, not signed by a configured key, not meant for this service, or
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
    hs256: Hs256,
}

impl Authenticator {
    /// Accepts what `hs256` accepts.
    pub fn new(hs256: Hs256) -> Self {
        Self { hs256 }
    }

    /// The agent that the token speaks for.
    ///
    /// # Errors
    /// [`AuthError`]; its texts are those of the contract's `connect_error`.
    pub async fn authenticate(&self, token: &str) -> Result<Agent, AuthError> {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        self.hs256.verify(token, now)
    }
}
