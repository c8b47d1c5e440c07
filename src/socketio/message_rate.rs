//! The rate limit for a client's messages: a token bucket.

use std::time::{Duration, Instant};

/// How many messages a client may send at once: all its CONNECTs, and more. Agents send their
/// tokens, pongs and little else.
const BURST: f64 = 1024.0;

/// How many messages a second it may send for long.
const RATE: f64 = 64.0;

/// What one client may still send.
pub(super) struct MessageRate {
    tokens: f64,
    refilled: Instant,
}

impl MessageRate {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            tokens: BURST,
            refilled: now,
        }
    }

    /// `Some`: a message has to wait until then.
    pub(super) fn exceeded_until(&mut self, now: Instant) -> Option<Instant> {
        let elapsed = now - std::mem::replace(&mut self.refilled, now);
        self.tokens = (self.tokens + elapsed.as_secs_f64() * RATE).min(BURST);
        let pause = Duration::from_secs_f64((1.0 - self.tokens).max(0.0) / RATE);
        (self.tokens < 1.0).then(|| now + pause + Duration::from_millis(1))
    }

    /// A message was taken.
    pub(super) fn spend(&mut self) {
        self.tokens -= 1.0;
    }
}
