//! Counts of sessions over a limit.

use crate::counter::{Counter, CounterSet};
use crate::net::LimitExceeded;

/// Counts since the start.
#[derive(Debug)]
pub struct SessionCounts {
    /// Sessions that a limit did not admit, by the limit.
    pub over_limit: CounterSet<LimitExceeded, 3>,
    /// Those of them that were answered with an HTTP error, for want of a permit for the notice.
    pub turned_away: Counter,
}

impl Default for SessionCounts {
    fn default() -> Self {
        Self {
            over_limit: CounterSet::new([
                (LimitExceeded::All, "all"),
                (LimitExceeded::Address, "address"),
                (LimitExceeded::Rate, "rate"),
            ]),
            turned_away: Counter::default(),
        }
    }
}
