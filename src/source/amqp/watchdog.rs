//! Whether a queue still delivers to the consumer that it has: a pure step.
//!
//! A quorum queue with a single active consumer can come to deliver to nobody, while it counts its
//! messages and its consumers as ever: RabbitMQ 4.3.0 to 4.3.5 do so once a consumer has exceeded the
//! `consumer_timeout` (<https://github.com/rabbitmq/rabbitmq-server/issues/17317>). Only an end of
//! the consumers' connections helps.

use std::time::{Duration, Instant};

/// How often the queue is looked at: as often as the broker is asked how many messages wait.
pub(super) const INTERVAL: Duration = Duration::from_secs(5);

/// How long messages may wait without a delivery. A broker that changes a queue's leader needs seconds.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// What has been seen of one consumer's queue.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    /// Since when messages have waited and none was delivered.
    since: Option<Instant>,
}

impl Watchdog {
    /// The queue has delivered something.
    pub(super) fn delivered(&mut self) {
        self.since = None;
    }

    /// So many messages wait, as far as it is known, and the broker may deliver some, or the prefetch is
    /// used up. True: it should have long ago.
    pub(super) fn look(&mut self, ready: Option<u32>, may_deliver: bool, now: Instant) -> bool {
        if !may_deliver || ready.unwrap_or_default() == 0 {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        now.saturating_duration_since(since) >= LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_keeps_what_it_has_is_told_after_a_minute() {
        let (mut watchdog, start) = (Watchdog::default(), Instant::now());
        for looks in 0..12 {
            assert!(!watchdog.look(Some(7), true, start + looks * INTERVAL));
        }
        assert!(watchdog.look(Some(7), true, start + LIMIT));
    }

    #[test]
    fn a_delivery_or_an_empty_queue_or_a_full_prefetch_begins_the_minute_again() {
        let begin_again: [fn(&mut Watchdog, Instant); 4] = [
            |watchdog, _| watchdog.delivered(),
            |watchdog, now| assert!(!watchdog.look(Some(0), true, now)),
            |watchdog, now| assert!(!watchdog.look(None, true, now)),
            |watchdog, now| assert!(!watchdog.look(Some(7), false, now)),
        ];
        for begin in begin_again {
            let (mut watchdog, start) = (Watchdog::default(), Instant::now());
            assert!(!watchdog.look(Some(7), true, start));
            begin(&mut watchdog, start + INTERVAL);
            assert!(!watchdog.look(Some(7), true, start + LIMIT));
            assert!(!watchdog.look(Some(7), true, start + LIMIT + INTERVAL));
            assert!(watchdog.look(Some(7), true, start + LIMIT + LIMIT));
        }
    }
}
