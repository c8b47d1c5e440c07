//! Why a token is refused: for the log, in more detail than its bearer gets.

use tracing::warn;

use super::AuthError;
use crate::throttle::Throttle;

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub(super) enum TokenDefect {
    #[error("it has more than {} bytes", super::MAX_TOKEN)]
    TooLong,
    #[error("it is malformed: no JWT, or one whose header cannot be read")]
    Malformed,
    #[error("its header asks for an extension (crit)")]
    Extension,
    #[error("its algorithm (alg) is not HS256, RS256, ES256 or EdDSA")]
    Algorithm,
    #[error("no key is configured for its algorithm (alg)")]
    NoKey,
    #[error(
        "its signature is of none of the configured keys: it was signed with another one, or has been changed"
    )]
    Signature,
    #[error("its kid is of no key in the key set")]
    UnknownKey,
    #[error("no key has signed it, and the auth service says that it is not active")]
    Inactive,
    #[error("the claim is missing or empty")]
    Missing,
    #[error("the claim is neither a string nor an integer")]
    NoId,
    #[error("the claim is a number that is not an integer (of 64 bits)")]
    Fraction,
    #[error("the claim is neither an array of ids nor \"*\"")]
    NoList,
    #[error("the claim is not a number")]
    NoTime,
    #[error("the claim is in milliseconds: it must be in seconds")]
    Milliseconds,
    #[error("the claim is in the future, by more than JWT_LEEWAY_SECONDS")]
    NotYet,
    #[error("the claim is missing, or is not what JWT_ISSUER or JWT_AUDIENCE asks for")]
    Another,
}

/// A defect, and the name of the claim that it is about, if it is about one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct TokenRejection {
    pub(super) reason: TokenDefect,
    pub(super) claim: Option<String>,
}

impl TokenRejection {
    pub(super) fn of(reason: TokenDefect, claim: &str) -> Self {
        let claim = Some(claim.to_owned());
        Self { reason, claim }
    }
}

impl From<TokenDefect> for TokenRejection {
    fn from(reason: TokenDefect) -> Self {
        let claim = None;
        Self { reason, claim }
    }
}

/// Why a token gives no agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenError {
    Rejected(TokenRejection),
    Expired,
    Unavailable,
}

impl From<TokenError> for AuthError {
    fn from(fault: TokenError) -> Self {
        match fault {
            TokenError::Rejected(_) => Self::Invalid,
            TokenError::Expired => Self::Expired,
            TokenError::Unavailable => Self::Unavailable,
        }
    }
}

/// Logs why tokens are refused, each reason every ten seconds: anybody can send tokens.
#[derive(Debug, Default)]
pub(super) struct Rejections(Throttle<TokenRejection>);

impl Rejections {
    /// Takes note of a token. The line holds nothing of it but the name of a claim, which is one
    /// that is always looked for.
    pub(super) fn note(&self, rejection: &TokenRejection) {
        if let Some(tokens) = self.0.note(rejection) {
            let TokenRejection { reason, claim } = rejection;
            warn!(%reason, claim, tokens, "invalid tokens are refused");
        }
    }
}
