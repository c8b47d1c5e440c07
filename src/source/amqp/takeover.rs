//! Takeover of a queue with a single active consumer: one gateway consumes, the others stand by.
//!
//! AMQP 0-9-1 does not tell a consumer whether it is the active one, and a quorum queue counts the
//! active one alone. So no gateway lines up at the broker: a gateway that finds a consumer there stands
//! by without being one, and polls. Two that poll at the same moment both find none. On a classic
//! queue they see each other in the count, and both cancel. On a quorum queue each polls again
//! [`RECHECKS`] times, at random moments, after it has closed its consumer: [`RECHECK_MS`]. A delivery
//! settles it at once: it comes to the active one alone.

use std::time::Duration;

use crate::broker::{BrokerConnection, BrokerError, Operation, Queue};
use lapin::Channel;
use rand::RngExt as _;
use tokio::time::sleep;

/// How often a consumer without a delivery checks again. Two may do so at the same moment once more.
pub(super) const RECHECKS: u32 = 3;

/// When a consumer without a delivery checks again whether it is the active one, in milliseconds.
const RECHECK_MS: std::ops::Range<u64> = 500..1_500;

/// The first pause between polls. A consumer that has just gone may still be counted.
const FIRST: Duration = Duration::from_millis(50);

/// The longest: so long the queue may be without a consumer when the active one goes.
const LONGEST: Duration = Duration::from_secs(1);

/// After so many pauses, over the better part of a second, a consumer is not a leftover.
const CERTAIN: u32 = 5;

/// Polls a queue that another gateway consumes.
#[derive(Debug, Default)]
pub(super) struct Takeover {
    /// How often it has paused, also for another gateway that began at the same moment.
    pauses: u32,
    /// It is certain that another gateway holds the queue, and that was said.
    stands_by: bool,
}

impl Takeover {
    /// Waits until the queue has no consumer; `stand_by` is called once when it is certain that
    /// another gateway holds it.
    pub(super) async fn until_free(
        &mut self,
        queue: &Queue,
        connection: &BrokerConnection,
        channel: &Channel,
        stand_by: impl Fn(),
    ) -> Result<(), BrokerError> {
        while self.consumers(queue, connection, channel).await? > 0 {
            self.pause().await;
            if self.pauses >= CERTAIN && !std::mem::replace(&mut self.stands_by, true) {
                stand_by();
            }
        }
        Ok(())
    }

    /// How many consumers the queue counts.
    pub(super) async fn consumers(
        &self,
        queue: &Queue,
        connection: &BrokerConnection,
        channel: &Channel,
    ) -> Result<u32, BrokerError> {
        let count = async {
            let consumers = queue.consumers(channel).await;
            let operation = Operation::Inspect(queue.object());
            consumers.map_err(|error| connection.error(&operation, &error))
        };
        connection.within(count).await
    }

    /// A longer pause each time, with jitter.
    pub(super) async fn pause(&mut self) {
        let pause = FIRST.saturating_mul(1 << self.pauses.min(8)).min(LONGEST);
        self.pauses = self.pauses.saturating_add(1);
        let part = rand::rng().random_range(0.5..1.0);
        sleep(pause.mul_f64(part)).await;
    }
}

/// How long a new consumer waits for a delivery before it checks again.
pub(super) fn recheck_after() -> Duration {
    Duration::from_millis(rand::rng().random_range(RECHECK_MS))
}
