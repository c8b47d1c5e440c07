//! Token in, [`Agent`] out. Nothing here knows HTTP servers or sockets.
//!
//! A signed token (a JWT) is checked by the keys of its algorithm, wherever they come from: secrets,
//! one public key, a key set. The algorithm is a key's; a token's header only says which keys to try,
//! and its `jwk`, `jku`, `x5u` and `x5c` are not looked at. Once a key has confirmed the signature, the
//! claims decide, and nobody else is asked. What no key vouches for is a question for the auth service,
//! if there is one: also a JWT, which it may have signed with a key of its own.

mod agent;
mod claims;
pub mod counts;
mod endpoint;
mod hs256;
mod introspection;
mod jwk;
mod jwks;
mod key;
mod key_set;
mod pem;
mod rejection;
mod settings;

use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use jsonwebtoken::Algorithm;
use jsonwebtoken::errors::Result as Signing;
use serde_json::{Map, Value};
use time::OffsetDateTime;

pub use agent::{Agent, Grant};
pub use claims::{MILLISECONDS, Rules};
pub use endpoint::Endpoint;
pub use hs256::{Hs256, NewToken};
pub use introspection::{ClientCredentials, IntrospectionSettings};
pub use jwks::KeySource;
pub use key::{Key, KeyError};
pub use settings::Settings;

use counts::AuthCounts;
use introspection::Introspection;
use jwks::Jwks;
use rejection::{Rejections, TokenDefect, TokenError};

/// The longest token, in bytes. What is longer is not looked at.
pub const MAX_TOKEN: usize = 16 << 10;

/// Why a token is refused.
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
    /// None did, for this reason.
    Bad(TokenDefect),
    /// The key set that decides cannot be loaded.
    Unknown,
}

/// Checks tokens by every configured method.
#[derive(Debug)]
pub struct Authenticator {
    rules: Rules,
    keys: ArcSwap<Keys>,
    key_set: Option<Jwks>,
    introspection: Option<Introspection>,
    rejections: Rejections,
    counts: Arc<AuthCounts>,
}

/// The keys that are here, and not elsewhere.
#[derive(Debug)]
struct Keys {
    hs256: Hs256,
    public_key: Option<Key>,
}

impl From<Settings> for Keys {
    fn from(settings: Settings) -> Self {
        Self {
            public_key: settings.public_key.clone(),
            hs256: Hs256::new(settings),
        }
    }
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
        let counts: Arc<AuthCounts> = Arc::default();
        let introspection =
            introspection.map(|asked| Introspection::new(asked, rules.clone(), counts.clone()));
        Ok(Self {
            key_set: settings
                .key_set
                .clone()
                .map(|source| Jwks::new(source, counts.clone()))
                .transpose()
                .context("the key set's client")?,
            introspection: introspection
                .transpose()
                .context("the auth service's client")?,
            keys: ArcSwap::from_pointee(settings.into()),
            rules,
            rejections: Rejections::default(),
            counts,
        })
    }

    /// Takes in other secrets, another public key, other credentials for the auth service. What else
    /// the settings say stays as it was, and so does every member.
    pub fn renew(&self, settings: Settings) {
        if let (Some(introspection), Some(asked)) = (&self.introspection, &settings.introspection) {
            introspection.renew(asked.client.clone());
        }
        self.keys.store(Arc::new(settings.into()));
    }

    /// Loads the key set now, if it is in a file, and says whether it is another one.
    ///
    /// # Errors
    /// What is wrong with the file. The last keys then stay in use.
    pub async fn reload_key_set(&self) -> anyhow::Result<bool> {
        match &self.key_set {
            Some(key_set) => key_set.reload().await,
            None => Ok(false),
        }
    }

    /// What has become of loads of the key set and of questions to the auth service.
    pub fn counts(&self) -> Arc<AuthCounts> {
        self.counts.clone()
    }

    /// Signs a token with the current secret; `None` when there is none.
    ///
    /// # Errors
    /// As the library reports them.
    pub fn issue(&self, new: NewToken) -> Signing<Option<String>> {
        self.keys.load().hs256.issue(new)
    }

    /// The agent that the token speaks for.
    ///
    /// # Errors
    /// [`AuthError`]; its texts are those of the contract's `connect_error`.
    pub async fn authenticate(&self, token: &str) -> Result<Agent, AuthError> {
        let agent = self.judge(token).await;
        if let Err(TokenError::Rejected(rejection)) = &agent {
            self.rejections.note(rejection);
        }
        agent.map_err(AuthError::from)
    }

    async fn judge(&self, token: &str) -> Result<Agent, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Rejected(TokenDefect::TooLong.into()));
        }
        let unsigned = match self.signature(token).await {
            Signature::Good(claims) => return self.rules.agent(&claims, now()),
            Signature::Bad(reason) => TokenError::Rejected(reason.into()),
            Signature::Unknown => TokenError::Unavailable,
        };
        let Some(introspection) = &self.introspection else {
            return Err(unsigned);
        };
        match (introspection.agent(token).await, unsigned) {
            // Of a key set that cannot be asked, the auth service knows nothing.
            (Err(TokenError::Rejected(_)), TokenError::Unavailable) => Err(TokenError::Unavailable),
            (answer, _) => answer,
        }
    }

    async fn signature(&self, token: &str) -> Signature {
        let Ok(header) = jsonwebtoken::decode_header(token) else {
            return Signature::Bad(TokenDefect::Malformed);
        };
        // RFC 7515, section 4.1.11: an extension that is not understood must not be passed over.
        if header.crit.is_some() {
            return Signature::Bad(TokenDefect::Extension);
        }
        let keys = self.keys.load_full();
        let by_key = match header.alg {
            Algorithm::HS256 => keys.hs256.claims(token),
            Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA => {
                keys.public_key.as_ref().and_then(|key| key.claims(token))
            }
            _ => return Signature::Bad(TokenDefect::Algorithm),
        };
        let has_key = match header.alg {
            Algorithm::HS256 => keys.hs256.has_keys(),
            algorithm => {
                let key = keys.public_key.as_ref();
                key.is_some_and(|key| key.algorithm() == algorithm)
            }
        };
        match (by_key, &self.key_set) {
            (Some(claims), _) => Signature::Good(claims),
            (None, Some(key_set)) if header.alg != Algorithm::HS256 => {
                key_set.check(token, &header).await
            }
            (None, _) if has_key => Signature::Bad(TokenDefect::Signature),
            (None, _) => Signature::Bad(TokenDefect::NoKey),
        }
    }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
