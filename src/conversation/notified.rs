//! What a member was told first, or when it had fallen out of the window.

use super::counters::{Counters, ResetReason};
use super::cursor::Position;
use super::member::{Offer, Resume};

/// What has become of a notice to a member.
pub(super) struct Notified {
    pub(super) offer: Offer,
    /// The position after which the member's entries follow.
    pub(super) start: Position,
    /// How much it can rely on, if it has joined.
    pub(super) resume: Option<Resume>,
    /// Why something may be missing, if it may.
    pub(super) reset: Option<ResetReason>,
}

impl Notified {
    /// Counts a notice that was taken.
    pub(super) fn count(&self, counters: &Counters) {
        if let Some(resume) = &self.resume {
            counters.joins.count(resume);
        }
        if let Some(reason) = &self.reset {
            counters.resets.count(reason);
        }
    }
}
