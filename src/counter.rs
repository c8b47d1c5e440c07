//! Counters for the metrics.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

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
        let known = self.0.iter().find(|(known, ..)| known == kind);
        if let Some((.., counter)) = known {
            counter.count();
        }
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Counter)> {
        self.0.iter().map(|(_, name, counter)| (*name, counter))
    }
}
