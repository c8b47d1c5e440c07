//! How long to wait before the broker is tried again. The only place that knows `backoff`.

use std::time::{Duration, Instant};

use backoff::ExponentialBackoffBuilder;
use backoff::backoff::Backoff as _;

/// Exponential with jitter: from 0.5 s to 30 s, so that many gateways do not come back to a
/// restarted broker at the same moment.
pub(crate) struct Backoff {
    backoff: backoff::ExponentialBackoff,
    longest: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(30);
    /// What has worked for so long was no part of the same trouble.
    const HEALTHY: Duration = Duration::from_secs(30);

    pub(crate) fn new() -> Self {
        Self::up_to(Self::LONGEST)
    }

    /// One whose pauses end at `longest`.
    pub(crate) fn up_to(longest: Duration) -> Self {
        Self {
            backoff: ExponentialBackoffBuilder::new()
                .with_initial_interval(Self::FIRST)
                .with_max_interval(longest)
                .with_multiplier(2.0)
                .with_randomization_factor(0.5)
                .with_max_elapsed_time(None)
                .build(),
            longest,
        }
    }

    /// It works: the next pause is the first again.
    pub(crate) fn reset(&mut self) {
        self.backoff.reset();
    }

    /// The pause after an attempt that has worked since `healthy_since`, if it worked at all.
    pub(crate) fn pause(&mut self, healthy_since: Option<Instant>) -> Duration {
        if healthy_since.is_some_and(|since| since.elapsed() >= Self::HEALTHY) {
            self.reset();
        }
        // Without a limit to the time in all there always is a next pause. Jitter may exceed the
        // longest interval, which is the longest pause as well.
        self.backoff
            .next_backoff()
            .map_or(self.longest, |pause| pause.min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_half_a_second_to_half_a_minute() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..20).map(|_| backoff.pause(None)).collect();
        assert!(pauses[0] >= Backoff::FIRST / 2 && pauses[0] <= Backoff::FIRST * 3 / 2);
        assert!(
            pauses[10..]
                .iter()
                .all(|&pause| pause >= Backoff::LONGEST / 2)
        );
        assert!(pauses.iter().all(|&pause| pause <= Backoff::LONGEST));
    }

    #[test]
    fn health_of_half_a_minute_starts_over_and_a_shorter_one_does_not() {
        let mut backoff = Backoff::new();
        for _ in 0..20 {
            backoff.pause(None);
        }
        assert!(backoff.pause(Some(Instant::now())) >= Backoff::LONGEST / 2);
        if let Some(long_ago) = Instant::now().checked_sub(Backoff::HEALTHY) {
            assert!(backoff.pause(Some(long_ago)) <= Backoff::FIRST * 3 / 2);
        }
    }
}
