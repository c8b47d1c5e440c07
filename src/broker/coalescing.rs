//! When the events of deliveries go out: at once while deliveries are few, together while they are many.
//!
//! What a socket is sent costs one system call, however many events are in it, and that call is most
//! of what an event costs. A drained queue brings several events for each socket within
//! milliseconds: those wait for one another. Where deliveries come slower than [`BUSY_COUNT`] in
//! [`INTERVAL`], nothing waits once the queue has no more at hand.

use std::future::pending;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

/// The longest that an event waits for others.
const INTERVAL: Duration = Duration::from_millis(50);

/// From how many deliveries in an [`INTERVAL`] on their events wait for others.
const BUSY_COUNT: u32 = 400;

/// What was taken since the last flush, and how fast deliveries come.
#[derive(Debug, Default)]
pub(crate) struct Coalescing {
    /// When the first of what waits was taken.
    waiting_since: Option<Instant>,
    /// The interval that is counted, and its deliveries so far.
    counted_since: Option<Instant>,
    count: u32,
    /// Whether the interval before was busy.
    busy: bool,
}

impl Coalescing {
    /// A delivery was taken. True: what waits has to go out now.
    pub(crate) fn taken(&mut self, now: Instant) -> bool {
        let counted = self.counted_since.map(|since| now.duration_since(since));
        if counted.is_none_or(|counted| counted >= INTERVAL) {
            self.busy = self.count >= BUSY_COUNT && counted < Some(2 * INTERVAL);
            self.counted_since = Some(now);
            self.count = 0;
        }
        self.count += 1;
        let since = *self.waiting_since.get_or_insert(now);
        now.duration_since(since) >= INTERVAL
    }

    /// Until when what waits may wait for more, now that no delivery is at hand; `None`: it has to go
    /// out now, or nothing waits.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting_since
            .filter(|_| self.busy)
            .map(|since| since + INTERVAL)
    }

    /// Waits until what waits has to go out; for good, where there is no [deadline](Self::deadline).
    pub(crate) async fn due(&self) {
        match self.deadline() {
            Some(deadline) => sleep_until(deadline.into()).await,
            None => pending().await,
        }
    }

    /// Everything has gone out.
    pub(crate) fn flushed(&mut self) {
        self.waiting_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `count` deliveries at equal distances within an interval that begins at `start`.
    fn interval(coalescing: &mut Coalescing, start: Instant, count: u32) {
        for number in 0..count {
            coalescing.taken(start + INTERVAL * number / count);
        }
    }

    #[test]
    fn events_of_few_deliveries_go_out_at_once() {
        let mut coalescing = Coalescing::default();
        let start = Instant::now();
        for number in 0..10 {
            interval(&mut coalescing, start + INTERVAL * number, BUSY_COUNT - 1);
            assert_eq!(coalescing.deadline(), None);
        }
    }

    #[test]
    fn events_of_many_wait_for_one_another_and_no_longer_than_the_interval() {
        let mut coalescing = Coalescing::default();
        let start = Instant::now();
        interval(&mut coalescing, start, BUSY_COUNT);
        assert_eq!(coalescing.deadline(), None, "the first are not many yet");
        coalescing.flushed();
        assert_eq!(coalescing.deadline(), None, "nothing waits");
        let next = start + INTERVAL;
        assert!(!coalescing.taken(next));
        assert_eq!(coalescing.deadline(), Some(next + INTERVAL));
        assert!(coalescing.taken(next + INTERVAL));
    }

    #[test]
    fn a_burst_after_silence_does_not_wait() {
        let mut coalescing = Coalescing::default();
        let start = Instant::now();
        interval(&mut coalescing, start, 10 * BUSY_COUNT);
        coalescing.flushed();
        coalescing.taken(start + 10 * INTERVAL);
        assert_eq!(coalescing.deadline(), None);
    }
}
