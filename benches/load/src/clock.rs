//! The time by which messages are stamped.

use std::time::Instant;

/// Counts nanoseconds since it was made. Publisher and sockets share one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since the clock was made; a u64 holds five centuries of them.
    pub(crate) fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
