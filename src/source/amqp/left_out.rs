//! Optional fields that were left out of events: each counted, and logged once a minute.

use std::time::Instant;

use crate::conversation::OPTIONAL_FIELDS;
use crate::counter::Counter;
use crate::throttle::Throttle;

/// Counts, by the field's name.
#[derive(Debug)]
pub struct LeftOut([(&'static str, Field); OPTIONAL_FIELDS.len()]);

#[derive(Debug, Default)]
struct Field {
    counter: Counter,
    /// A publisher that gets a field wrong does so every time.
    throttle: Throttle<(), 60>,
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

    /// Counts one. `Some` when a warning is due: how often the field has been left out since the
    /// last warning.
    pub(super) fn count(&self, name: &str, now: Instant) -> Option<u64> {
        let known = self.0.iter().find(|(known, _)| *known == name);
        debug_assert!(known.is_some(), "{name} is not among the optional fields");
        let (_, field) = known?;
        field.counter.count();
        field.throttle.note_at(&(), now).map(|count| count - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_field_is_logged_once_a_minute_with_how_often_it_was_not() {
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
