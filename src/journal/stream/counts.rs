//! How reading and appending fare, for the metrics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::greeting;
use crate::counter::CounterSet;
use crate::lock::Mutex;

/// What has been read, and what waits to be confirmed.
#[derive(Debug)]
pub struct StreamCounts {
    /// The records that were read.
    pub records: CounterSet<Phase, 2>,
    /// The records that were submitted and are not confirmed, and their bytes.
    unconfirmed: (AtomicUsize, AtomicUsize),
    /// While the stream is consumed: when the last record was read, and how old it was then.
    last: Mutex<Option<(Instant, Duration)>>,
}

/// When a record was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the stream had been read to its end: at the start, or after a loss of the connection.
    CatchingUp,
    /// As it came.
    Live,
}

impl Default for StreamCounts {
    fn default() -> Self {
        Self {
            records: CounterSet::new([(Phase::CatchingUp, "catching_up"), (Phase::Live, "live")]),
            unconfirmed: Default::default(),
            last: Mutex::default(),
        }
    }
}

impl StreamCounts {
    /// How many records were submitted and are not confirmed.
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed.0.load(Ordering::Relaxed)
    }

    /// How many bytes those have.
    pub fn unconfirmed_bytes(&self) -> usize {
        self.unconfirmed.1.load(Ordering::Relaxed)
    }

    /// How far behind the end of the stream this replica is; `None` while it does not read. Replicas
    /// say regularly that they are there: that nothing comes for longer than that is a lag as well.
    pub fn lag(&self) -> Option<Duration> {
        let (read_at, age) = (*self.last.lock())?;
        let silent = read_at.elapsed().saturating_sub(greeting::INTERVAL);
        Some(age.max(silent))
    }

    pub(super) fn submitted(&self, bytes: usize) {
        self.unconfirmed.0.fetch_add(1, Ordering::Relaxed);
        self.unconfirmed.1.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn confirmed(&self, bytes: usize) {
        self.unconfirmed.0.fetch_sub(1, Ordering::Relaxed);
        self.unconfirmed.1.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A record of this time was read.
    pub(super) fn read(&self, phase: Phase, written: OffsetDateTime) {
        self.records.count(&phase);
        // A replica whose clock is ahead has written it now.
        let age = (OffsetDateTime::now_utc() - written).try_into();
        *self.last.lock() = Some((Instant::now(), age.unwrap_or_default()));
    }

    /// The stream is no longer consumed.
    pub(super) fn detached(&self) {
        *self.last.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_the_age_of_what_was_read_last_or_how_long_nothing_came() {
        let counts = StreamCounts::default();
        assert_eq!(counts.lag(), None);
        let now = OffsetDateTime::now_utc();
        counts.read(Phase::CatchingUp, now - Duration::from_secs(600));
        assert_eq!(counts.lag().unwrap().as_secs(), 600);
        counts.read(Phase::Live, now + Duration::from_secs(600));
        assert_eq!(counts.lag(), Some(Duration::ZERO));
        let long_ago = Instant::now().checked_sub(greeting::INTERVAL + Duration::from_secs(30));
        *counts.last.lock() = long_ago.map(|long_ago| (long_ago, Duration::ZERO));
        assert_eq!(counts.lag().map(|lag| lag.as_secs()), long_ago.map(|_| 30));
        counts.detached();
        assert_eq!(counts.lag(), None);
    }
}
