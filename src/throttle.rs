//! A rate limit for log lines that clients, publishers or a failing peer can cause at will.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::lock::Mutex;

/// Lets one line of each kind into the log every `SECONDS`. Kinds are few: each is remembered for
/// ever.
#[derive(Debug)]
pub struct Throttle<K = (), const SECONDS: u64 = 10>(Mutex<HashMap<K, Record>>);

#[derive(Debug)]
struct Record {
    logged: Instant,
    /// Occurrences since then.
    suppressed: u64,
}

impl<K, const SECONDS: u64> Default for Throttle<K, SECONDS> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, const SECONDS: u64> Throttle<K, SECONDS> {
    /// Counts an occurrence. `Some` when it is to be logged: how many there have been since the last
    /// line, this one included.
    pub fn note(&self, kind: &K) -> Option<u64> {
        self.note_at(kind, Instant::now())
    }

    pub(crate) fn note_at(&self, kind: &K, now: Instant) -> Option<u64> {
        let mut kinds = self.0.lock();
        let Some(known) = kinds.get_mut(kind) else {
            let (logged, suppressed) = (now, 0);
            kinds.insert(kind.clone(), Record { logged, suppressed });
            return Some(1);
        };
        known.suppressed += 1;
        if now.saturating_duration_since(known.logged) < Duration::from_secs(SECONDS) {
            return None;
        }
        known.logged = now;
        Some(std::mem::take(&mut known.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_logged_at_once_and_then_every_ten_seconds_with_its_number() {
        let throttle: Throttle<_> = Throttle::default();
        let begun = Instant::now();
        let note = |kind, seconds| throttle.note_at(&kind, begun + Duration::from_secs(seconds));
        assert_eq!(note("a", 0), Some(1));
        assert_eq!(note("a", 1), None);
        assert_eq!(note("b", 1), Some(1));
        assert_eq!(note("a", 9), None);
        assert_eq!(note("a", 10), Some(3));
        assert_eq!(note("a", 11), None);
        assert_eq!(note("a", 100), Some(2));
        assert_eq!(note("b", 100), Some(1));
    }
}
