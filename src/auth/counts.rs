//! What has become of loads of the key set and of questions to the auth service, for the metrics.

use std::time::Duration;

use crate::counter::{CounterSet, LastTime};
use crate::histogram::{Histogram, SHORT};

/// Counts since the start.
#[derive(Debug)]
pub struct AuthCounts {
    /// Loads of the key set, by whether they succeeded.
    pub key_set_loads: CounterSet<bool, 2>,
    /// When the key set was loaded last.
    pub key_set_loaded: LastTime,
    /// Questions to the auth service, by its answer.
    pub introspections: CounterSet<Answer, 3>,
    /// How long it took to answer, or to be given up.
    pub introspection_time: Histogram<15>,
}

/// What the auth service says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is good.
    Active,
    /// It is not.
    Inactive,
    /// Nothing that could be used.
    Failed,
}

impl Default for AuthCounts {
    fn default() -> Self {
        Self {
            key_set_loads: CounterSet::new([(true, "loaded"), (false, "failed")]),
            key_set_loaded: LastTime::default(),
            introspections: CounterSet::new([
                (Answer::Active, "active"),
                (Answer::Inactive, "inactive"),
                (Answer::Failed, "failed"),
            ]),
            introspection_time: Histogram::new(&SHORT),
        }
    }
}

impl AuthCounts {
    /// The key set was loaded, or could not be.
    pub(super) fn key_set(&self, loaded: bool) {
        self.key_set_loads.count(&loaded);
        if loaded {
            self.key_set_loaded.note(time::OffsetDateTime::now_utc());
        }
    }

    /// The auth service has said this, after so long.
    pub(super) fn introspection(&self, answer: Answer, after: Duration) {
        self.introspections.count(&answer);
        self.introspection_time.observe(after);
    }
}
