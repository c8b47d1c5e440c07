//! What has happened since the start, for the log and for monitoring.

use crate::counter::Counter;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Events that were new.
    pub events: Counter,
    /// Repeats, which were not emitted.
    pub duplicates: Counter,
    /// Statuses that were older than what was known.
    pub stale: Counter,
    /// How often a live member's socket had no room.
    pub fell_behind: Counter,
    /// `reset`s sent, because something may be missing.
    pub resets: Counter,
    /// Events and identities that were dropped, still young, for the bound of all windows together.
    pub evicted: Counter,
}
