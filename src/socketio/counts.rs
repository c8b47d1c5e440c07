//! Counts of refused CONNECTs.

use super::handshake::ConnectError;
use crate::counter::CounterSet;

/// Refused CONNECTs since the start, by the error that clients got.
pub type ConnectErrorCounts = CounterSet<ConnectError, 7>;

pub(super) fn connect_errors() -> ConnectErrorCounts {
    use ConnectError::*;
    CounterSet::new([
        (AuthenticationRequired, "authentication_required"),
        (InvalidToken, "invalid_token"),
        (TokenExpired, "token_expired"),
        (Forbidden, "forbidden"),
        (InvalidConversation, "invalid_conversation"),
        (TooManyConnections, "too_many_connections"),
        (ServiceUnavailable, "service_unavailable"),
    ])
}
