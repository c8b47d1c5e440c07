//! What has become of sessions over a limit, since the start.

use crate::counter::Counter;
use crate::net::LimitExceeded;

/// SessionCounts since the start.
#[derive(Debug, Default)]
pub struct SessionCounts {
    /// Sessions that a limit did not admit, by the limit.
    pub over_limit: OverLimit,
    /// Those of them that were answered with an HTTP error, for want of a permit for the notice.
    pub turned_away: Counter,
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
    pub fn of(&self, limit: LimitExceeded) -> &Counter {
        match limit {
            LimitExceeded::All => &self.all,
            LimitExceeded::Address => &self.address,
            LimitExceeded::Rate => &self.rate,
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
