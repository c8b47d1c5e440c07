//! How long things take, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds for what the gateway does by itself, or waits for while somebody else waits for it.
pub const SHORT: [Duration; 15] = [
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// Counts durations by size. To observe one costs two relaxed additions.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    /// What each bucket holds at most; the last one, which has no bound, holds the rest.
    bounds: &'static [Duration; N],
    buckets: [AtomicU64; N],
    rest: AtomicU64,
    /// The sum of all durations, in nanoseconds: room for five centuries.
    sum: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, PartialEq)]
pub struct Distribution {
    /// How many durations were no longer than each bound, in ascending order.
    pub buckets: Vec<(Duration, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long they were together.
    pub sum: Duration,
}

impl<const N: usize> Histogram<N> {
    /// One whose buckets end at these bounds, in ascending order.
    pub const fn new(bounds: &'static [Duration; N]) -> Self {
        Self {
            bounds,
            buckets: [const { AtomicU64::new(0) }; N],
            rest: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    /// One more that took so long.
    pub fn observe(&self, duration: Duration) {
        // Most are short: the search begins there.
        let bucket = self.bounds.iter().position(|bound| duration <= *bound);
        let bucket = bucket.map_or(&self.rest, |index| &self.buckets[index]);
        bucket.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.sum.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What has been observed so far.
    pub fn distribution(&self) -> Distribution {
        let mut count = 0;
        let buckets = self.bounds.iter().zip(&self.buckets);
        let buckets = buckets.map(|(bound, bucket)| {
            count += bucket.load(Ordering::Relaxed);
            (*bound, count)
        });
        let buckets = buckets.collect();
        Distribution {
            buckets,
            count: count + self.rest.load(Ordering::Relaxed),
            sum: Duration::from_nanos(self.sum.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(10)];

    #[test]
    fn each_bucket_holds_what_is_no_longer_than_its_bound() {
        let histogram = Histogram::new(&BOUNDS);
        for microseconds in [0, 1_000, 1_001, 10_000, 10_001] {
            histogram.observe(Duration::from_micros(microseconds));
        }
        let distribution = histogram.distribution();
        assert_eq!(distribution.buckets, [(BOUNDS[0], 2), (BOUNDS[1], 4)]);
        assert_eq!(distribution.count, 5);
        assert_eq!(distribution.sum, Duration::from_micros(22_002));
    }
}
