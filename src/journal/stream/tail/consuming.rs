//! One consumer of the stream, from its first delivery to its end.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use lapin::types::AMQPValue;
use lapin::{Channel, Consumer};
use tokio::task::yield_now;
use tokio::time::{interval, sleep};

use super::{OFFSET, Tail};
use crate::broker::{Coalescing, acknowledging};
use crate::conversation::Batch;
use crate::journal::stream::greeting;

/// How many are acknowledged together at most.
const ACK_COUNT: u64 = 250;

/// How long an acknowledgement waits for others. It asks for more, of which there is enough on its way.
const ACK_DELAY: Duration = Duration::from_millis(20);

/// One consumer of the stream.
pub(super) struct Consuming {
    pub(super) read: u64,
    pub(super) begun: Instant,
    pub(super) told: Instant,
    /// The tag of the last delivery, and of the last that was acknowledged.
    pub(super) tag: u64,
    pub(super) acknowledged: u64,
}

/// Why a consumer has ended.
pub(super) enum Ended {
    /// The gateway shuts down.
    Shutdown,
    /// The stream is not the one that was read.
    Broken,
    /// It was deleted, or its node went away.
    Cancelled,
    /// The queue is none.
    NoStream,
}

impl Tail {
    /// Takes what is delivered, for as long as the stream is the one that was read.
    pub(super) async fn follow(
        &mut self,
        consumer: &mut Consumer,
        channel: &Channel,
    ) -> lapin::Result<Ended> {
        let mut consuming = Consuming::new();
        let mut batch = Batch::default();
        let mut coalescing = Coalescing::default();
        let mut ack_at = pin!(sleep(ACK_DELAY));
        let mut greet = interval(greeting::INTERVAL);
        loop {
            let delivery = match consumer.next().now_or_never() {
                Some(delivery) => delivery,
                None => {
                    if coalescing.deadline().is_none() {
                        coalescing.flushed();
                        batch.flush().await;
                    }
                    self.hub.progressed();
                    tokio::select! {
                        biased;
                        () = self.shutdown.cancelled() => {
                            batch.flush().await;
                            return Ok(Ended::Shutdown);
                        }
                        () = coalescing.due() => {
                            coalescing.flushed();
                            batch.flush().await;
                            continue;
                        }
                        () = &mut ack_at, if consuming.tag > consuming.acknowledged => {
                            consuming.acknowledge(channel).await?;
                            ack_at.as_mut().reset(tokio::time::Instant::now() + ACK_DELAY);
                            continue;
                        }
                        _ = greet.tick() => {
                            self.greet();
                            continue;
                        }
                        delivery = consumer.next() => delivery,
                    }
                }
            };
            let delivery = match delivery {
                Some(delivery) => delivery?,
                None => return Ok(Ended::Cancelled),
            };
            let is_due = coalescing.taken(Instant::now());
            consuming.tag = delivery.delivery_tag;
            let Some(offset) = offset(&delivery) else {
                return Ok(Ended::NoStream);
            };
            if !self.take(&mut consuming, offset, &delivery.data, &mut batch) {
                return Ok(Ended::Broken);
            }
            if is_due {
                coalescing.flushed();
                batch.flush().await;
            }
            if consuming.tag - consuming.acknowledged >= ACK_COUNT {
                consuming.acknowledge(channel).await?;
                // Deliveries may be ready for long, and other tasks have to run.
                yield_now().await;
            }
        }
    }
}

impl Consuming {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            read: 0,
            begun: now,
            told: now,
            tag: 0,
            acknowledged: 0,
        }
    }

    async fn acknowledge(&mut self, channel: &Channel) -> lapin::Result<()> {
        if self.tag > self.acknowledged {
            self.acknowledged = self.tag;
            acknowledging();
            let multiple = BasicAckOptions { multiple: true };
            channel.basic_ack(self.tag, multiple).await?;
        }
        Ok(())
    }
}

/// Where the delivery stands in the stream.
pub(super) fn offset(delivery: &Delivery) -> Option<u64> {
    let headers = delivery.properties.headers().as_ref()?;
    match headers.inner().get(OFFSET)? {
        AMQPValue::LongLongInt(offset) => u64::try_from(*offset).ok(),
        _ => None,
    }
}
