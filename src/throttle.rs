//! How often something is told that can happen as often as others like.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same is told.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Keeps lines about the same kind apart in the log. Kinds are few: each is remembered for ever.
#[derive(Debug)]
pub struct Throttle<K>(Mutex<HashMap<K, Told>>);

#[derive(Debug)]
struct Told {
    at: Instant,
    untold: u64,
}

impl<K> Default for Throttle<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> Throttle<K> {
    /// Takes note of one more. If it is to be told: how many there have been since the last that
    /// was, this one included.
    pub fn note(&self, kind: &K) -> Option<u64> {
        self.note_at(kind, Instant::now())
    }

    fn note_at(&self, kind: &K, now: Instant) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(told) = all.get_mut(kind) else {
            let told = Told { at: now, untold: 0 };
            all.insert(kind.clone(), told);
            return Some(1);
        };
        told.untold += 1;
        if now.duration_since(told.at) < TELL_EVERY {
            return None;
        }
        told.at = now;
        Some(std::mem::take(&mut told.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_at_once_and_then_every_ten_seconds_with_its_number() {
        let throttle = Throttle::default();
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
