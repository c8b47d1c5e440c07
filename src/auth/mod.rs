//! Token in, [`Agent`] out. Nothing here knows HTTP servers or sockets.
//!
//! A signed token (a JWT) is checked by the keys of its algorithm, wherever they come from: secrets,
//! one public key, a key set. The algorithm is a key's; a token's header only says which keys to try,
//! and its `jwk`, `jku`, `x5u` and `x5c` are not looked at. Once a key has confirmed the signature, the
//! claims decide, and nobody else is asked. What no key vouches for is a question for the auth service,
//! if there is one: also a JWT, which it may have signed with a key of its own.

mod agent;
mod claims;
mod endpoint;
mod hs256;
mod introspection;
mod jwk;
mod jwks;
mod key;
mod key_set;
mod pem;
mod settings;

use anyhow::Context as _;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use time::OffsetDateTime;

pub use agent::{Agent, Grant};
pub use claims::Rules;
pub use endpoint::Endpoint;
pub use hs256::{Hs256, NewToken};
pub use introspection::{ClientCredentials, IntrospectionSettings};
pub use jwks::KeySource;
pub use key::{Key, KeyError};
pub use settings::Settings;

use introspection::Introspection;
use jwks::Jwks;

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
    /// Who could vouch for the token cannot be asked now.
    #[error("Service unavailable")]
    Unavailable,
}

/// What the keys say about a token.
enum Signature {
    /// One of them signed it: its claims, not yet judged.
    Good(Map<String, Value>),
    /// None did.
    Bad,
    /// The key set that could tell cannot be loaded.
    Unknown,
}

/// Checks tokens by every configured method.
#[derive(Debug)]
pub struct Authenticator {
    rules: Rules,
    hs256: Hs256,
    public_key: Option<Key>,
    key_set: Option<Jwks>,
    introspection: Option<Introspection>,
}

impl Authenticator {
    /// Takes the keys in, and begins to load the key set; that takes a runtime. Neither its server
    /// nor the auth service has to be up.
    ///
    /// # Errors
    /// When TLS is needed and the system has no certificates of authorities.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        let rules = settings.rules.clone();
        let introspection = settings.introspection.clone();
        let introspection = introspection.map(|asked| Introspection::new(asked, rules.clone()));
        Ok(Self {
            public_key: settings.public_key.clone(),
            key_set: settings
                .key_set
                .clone()
                .map(Jwks::new)
                .transpose()
                .context("the key set's client")?,
            introspection: introspection
                .transpose()
                .context("the auth service's client")?,
            hs256: Hs256::new(settings),
            rules,
        })
    }

    /// The agent that the token speaks for.
    ///
    /// # Errors
    /// [`AuthError`]; its texts are those of the contract's `connect_error`.
    pub async fn authenticate(&self, token: &str) -> Result<Agent, AuthError> {
        if token.len() > MAX_TOKEN {
            return Err(AuthError::Invalid);
        }
        let unsigned = match self.signature(token).await {
            Signature::Good(claims) => return self.rules.agent(&claims, now()),
            Signature::Bad => AuthError::Invalid,
            Signature::Unknown => AuthError::Unavailable,
        };
        let Some(introspection) = &self.introspection else {
            return Err(unsigned);
        };
        match introspection.agent(token).await {
            // Of a key set that cannot be asked, the auth service knows nothing.
            Err(AuthError::Invalid) => Err(unsigned),
            answer => answer,
        }
    }

    async fn signature(&self, token: &str) -> Signature {
        let header = match jsonwebtoken::decode_header(token) {
            // RFC 7515, section 4.1.11: an extension that is not understood must not be passed over.
            Ok(header) if header.crit.is_none() => header,
            _ => return Signature::Bad,
        };
        let by_key = match header.alg {
            Algorithm::HS256 => {
                let claims = self.hs256.claims(token);
                return claims.map_or(Signature::Bad, Signature::Good);
            }
            Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA => {
                self.public_key.as_ref().and_then(|key| key.claims(token))
            }
            _ => return Signature::Bad,
        };
        match (by_key, &self.key_set) {
            (Some(claims), _) => Signature::Good(claims),
            (None, Some(key_set)) => key_set.check(token, &header).await,
            (None, None) => Signature::Bad,
        }
    }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
