//! Counters for the metrics.
//!
//! What happens often is counted here with one relaxed addition, and made a sample of when somebody
//! scrapes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use time::OffsetDateTime;

/// A number that only grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn count(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
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

/// A counter for each of a few kinds, which have names as labels.
#[derive(Debug)]
pub struct CounterSet<K, const N: usize>([(K, &'static str, Counter); N]);

impl<K: PartialEq, const N: usize> CounterSet<K, N> {
    /// Counters for these kinds.
    pub fn new(kinds: [(K, &'static str); N]) -> Self {
        Self(kinds.map(|(kind, name)| (kind, name, Counter::default())))
    }

    /// One more of a kind.
    pub fn count(&self, kind: &K) {
        self.add(kind, 1);
    }

    /// So many more of a kind.
    pub fn add(&self, kind: &K, more: u64) {
        let known = self.0.iter().find(|(known, ..)| known == kind);
        if let Some((.., counter)) = known {
            counter.add(more);
        }
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Counter)> {
        self.0.iter().map(|(_, name, counter)| (*name, counter))
    }

    /// How many there have been, of whatever kind.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(.., counter)| counter.get()).sum()
    }
}

/// When something happened last, by the wall clock and to the millisecond.
#[derive(Debug, Default)]
pub struct LastTime(AtomicU64);

impl LastTime {
    /// It happened `at`.
    pub fn note(&self, at: OffsetDateTime) {
        let milliseconds = at.unix_timestamp_nanos() / 1_000_000;
        self.0
            .store(u64::try_from(milliseconds).unwrap_or(0), Ordering::Relaxed);
    }

    /// The time since the Unix epoch; `None`: it never has.
    pub fn get(&self) -> Option<Duration> {
        let milliseconds = self.0.load(Ordering::Relaxed);
        (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
    }
}
