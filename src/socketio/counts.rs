//! Counts of refused CONNECTs.

use super::handshake::ConnectError;
use crate::counter::Counter;

/// Counts since the start, by the error that clients got.
#[derive(Debug, Default)]
pub struct ConnectErrorCounts {
    authentication_required: Counter,
    invalid_token: Counter,
    token_expired: Counter,
    forbidden: Counter,
    invalid_conversation: Counter,
    too_many_connections: Counter,
    service_unavailable: Counter,
}

impl ConnectErrorCounts {
    /// Those with this error.
    pub fn of(&self, refusal: ConnectError) -> &Counter {
        match refusal {
            ConnectError::AuthenticationRequired => &self.authentication_required,
            ConnectError::InvalidToken => &self.invalid_token,
            ConnectError::TokenExpired => &self.token_expired,
            ConnectError::Forbidden => &self.forbidden,
            ConnectError::InvalidConversation => &self.invalid_conversation,
            ConnectError::TooManyConnections => &self.too_many_connections,
            ConnectError::ServiceUnavailable => &self.service_unavailable,
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
