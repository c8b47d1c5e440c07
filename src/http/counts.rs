//! What the HTTP side has refused, since the start.

use crate::counter::Counter;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests of origins that may not talk to the gateway.
    pub origins: Counter,
}
