//! From the records' times to those of the clock that never jumps.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::conversation::Accepted;

/// One moment by both clocks. The times of two records are as far apart by one as by the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    wall: OffsetDateTime,
    instant: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            wall: OffsetDateTime::now_utc(),
            instant: Instant::now(),
        }
    }

    /// When a record was accepted.
    pub(super) fn accepted(&self, at: OffsetDateTime) -> Accepted {
        let since = at - self.wall;
        let apart = Duration::try_from(since.abs()).unwrap_or_default();
        let instant = match since.is_negative() {
            true => self.instant.checked_sub(apart),
            false => self.instant.checked_add(apart),
        };
        Accepted {
            at,
            instant: instant.unwrap_or(self.instant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_far_apart_as_they_were() {
        let clock = Clock::new();
        let at = |seconds| {
            let time = clock.wall + time::Duration::seconds(seconds);
            clock.accepted(time).instant
        };
        for (one, other) in [(-1320, -1319), (-1, 0), (0, 1), (-600, 60)] {
            let apart = at(other).duration_since(at(one));
            assert_eq!(apart.as_secs(), other.abs_diff(one));
        }
    }
}
