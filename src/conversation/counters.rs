//! What has happened since the start, for the log and for monitoring.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// How often a member was told that something may be missing.
    pub resets: Counter,
    /// Events and identities that were dropped, still young, for the bound of all windows together.
    pub evicted: Counter,
}

/// A number that only grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there have been.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), f)
    }
}
