//! Optional fields that events had to do without: each counted, and told at a bearable rate.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::conversation::{Counter, OPTIONAL_FIELDS};

/// How often a field is worth a warning: a publisher that gets it wrong does so every time.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Counts, by the field's name.
#[derive(Debug)]
pub struct LeftOut([(&'static str, Field); OPTIONAL_FIELDS.len()]);

#[derive(Debug, Default)]
struct Field {
    counter: Counter,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    /// How often the field was left out since, without a warning.
    untold: u64,
}

impl Default for LeftOut {
    fn default() -> Self {
        Self(OPTIONAL_FIELDS.map(|name| (name, Field::default())))
    }
}

impl LeftOut {
    /// How often each field was left out since the start.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Counter)> {
        self.0.iter().map(|(name, field)| (*name, &field.counter))
    }

    /// Counts one. When a warning is due, the answer is how often the field has been left out since the
    /// last one.
    pub(super) fn count(&self, name: &str, now: Instant) -> Option<u64> {
        let known = self.0.iter().find(|(known, _)| *known == name);
        debug_assert!(known.is_some(), "{name} is not among the optional fields");
        let (_, field) = known?;
        field.counter.count();
        let mut told = field.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |last| now.saturating_duration_since(last) >= TELL_EVERY;
        if told.last.is_none_or(due) {
            told.last = Some(now);
            return Some(std::mem::take(&mut told.untold));
        }
        told.untold += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_told_once_a_minute_with_how_often_it_was_not() {
        let left_out = LeftOut::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(left_out.count("from", at(0)), Some(0));
        assert_eq!(left_out.count("from", at(0)), None);
        assert_eq!(left_out.count("from", at(59)), None);
        assert_eq!(left_out.count("error.title", at(59)), Some(0));
        assert_eq!(left_out.count("from", at(60)), Some(2));
        assert_eq!(left_out.count("from", at(61)), None);
        let counts: Vec<_> = left_out
            .all()
            .map(|(name, counter)| (name, counter.get()))
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(counts, [("from", 5), ("error.title", 1)]);
    }
}
