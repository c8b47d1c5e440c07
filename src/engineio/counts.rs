//! What has become of sessions over a limit, since the start.

use crate::conversation::Counter;
use crate::net::Full;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Sessions that a limit did not admit, by the limit.
    pub over_limit: OverLimit,
    /// Those of them that were answered with an HTTP error, for want of room to be told.
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
