//! What has become of those who wanted to come in, since the start.

use super::handshake::Refusal;
use crate::conversation::Counter;
use crate::net::Full;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// CONNECTs that were refused, by what they were told.
    pub refused: Refused,
    /// Sessions that a limit did not admit, by the limit.
    pub over_limit: OverLimit,
    /// Those of them that were answered with an HTTP error, for want of room to be told.
    pub turned_away: Counter,
}

/// Refused CONNECTs.
#[derive(Debug, Default)]
pub struct Refused {
    authentication_required: Counter,
    invalid_token: Counter,
    token_expired: Counter,
    forbidden: Counter,
    invalid_conversation: Counter,
    too_many_connections: Counter,
    service_unavailable: Counter,
}

impl Refused {
    /// Those that were told this.
    pub fn of(&self, refusal: Refusal) -> &Counter {
        match refusal {
            Refusal::AuthenticationRequired => &self.authentication_required,
            Refusal::InvalidToken => &self.invalid_token,
            Refusal::TokenExpired => &self.token_expired,
            Refusal::Forbidden => &self.forbidden,
            Refusal::InvalidConversation => &self.invalid_conversation,
            Refusal::TooManyConnections => &self.too_many_connections,
            Refusal::ServiceUnavailable => &self.service_unavailable,
        }
    }

    /// All of them, each with its reason in a word.
    pub fn all(&self) -> [(&'static str, &Counter); 7] {
        [
            ("authentication_required", &self.authentication_required),
            ("invalid_token", &self.invalid_token),
            ("token_expired", &self.token_expired),
            ("forbidden", &self.forbidden),
            ("invalid_conversation", &self.invalid_conversation),
            ("too_many_connections", &self.too_many_connections),
            ("service_unavailable", &self.service_unavailable),
        ]
    }
}

/// Sessions over a limit.
#[derive(Debug, Default)]
pub struct OverLimit {
    all: Counter,
    address: Counter,
    rate: Counter,
}

impl OverLimit {
    /// Those over this limit.
    pub fn of(&self, full: Full) -> &Counter {
        match full {
            Full::All => &self.all,
            Full::Address => &self.address,
            Full::Rate => &self.rate,
        }
    }

    /// All of them, each with its limit in a word.
    pub fn all(&self) -> [(&'static str, &Counter); 3] {
        [
            ("all", &self.all),
            ("address", &self.address),
            ("rate", &self.rate),
        ]
    }
}
