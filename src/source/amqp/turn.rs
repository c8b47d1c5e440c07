//! Whose turn it is to consume: with a single active consumer, one gateway at a time.
//!
//! AMQP 0-9-1 does not tell a consumer whether it is the active one, and a quorum queue counts the
//! active one alone. So nobody lines up at the broker: who finds a consumer there stands by without
//! being one, and looks again. Two that look at the same moment both find none. On a classic queue
//! they see each other in the count, and both step back. On a quorum queue each looks a second
//! time, at a moment of its own, after it has given its place up: [`DOUBT`]. A delivery settles it
//! at once: it comes to the active one alone.

use std::time::Duration;

use lapin::Channel;
use rand::RngExt as _;
use tokio::time::sleep;

use super::act::Act;
use super::broker_error::BrokerError;
use super::connection::Connection;
use super::topology::Queue;

/// After so long without a delivery, a consumer that found nobody looks again; in milliseconds.
const DOUBT: std::ops::Range<u64> = 500..1_500;

/// The first pause between looks. A consumer that has just gone may still be counted.
const FIRST: Duration = Duration::from_millis(50);

/// The longest: so long the queue may be without a consumer when the active one goes.
const LONGEST: Duration = Duration::from_secs(1);

/// So many looks that find somebody, over the better part of a second, are no left-over.
const CERTAIN: u32 = 5;

/// Pauses between looks at a queue that somebody else consumes.
#[derive(Debug, Default)]
pub(super) struct Looks(u32);

impl Looks {
    /// Waits until the queue has no consumer; `held` is called once when it is certain that another
    /// holds it.
    pub(super) async fn until_free(
        &mut self,
        queue: &Queue,
        connection: &Connection,
        channel: &Channel,
        held: impl Fn(),
    ) -> Result<(), BrokerError> {
        while self.others(queue, connection, channel).await? > 0 {
            self.pause().await;
            if self.0 == CERTAIN {
                held();
            }
        }
        Ok(())
    }

    /// How many consumers the queue tells of.
    pub(super) async fn others(
        &self,
        queue: &Queue,
        connection: &Connection,
        channel: &Channel,
    ) -> Result<u32, BrokerError> {
        let look = async {
            let consumers = queue.consumers(channel).await;
            consumers.map_err(|error| connection.error(&Act::Look(queue.object()), &error))
        };
        connection.within(look).await
    }

    /// A longer pause each time, and never quite the same for two.
    pub(super) async fn pause(&mut self) {
        let pause = FIRST.saturating_mul(1 << self.0.min(8)).min(LONGEST);
        self.0 = self.0.saturating_add(1);
        let part = rand::rng().random_range(0.5..1.0);
        sleep(pause.mul_f64(part)).await;
    }
}

/// How long a consumer that found nobody waits for a delivery before it looks again.
pub(super) fn doubt() -> Duration {
    Duration::from_millis(rand::rng().random_range(DOUBT))
}
