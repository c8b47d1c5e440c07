//! The deliveries of one channel: in order into the journal, and acknowledged after that.

mod outcomes;
mod taking;

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::Channel;
use lapin::options::BasicAckOptions;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::acks::{Ack, Acks};
use super::consumer::Consumer;
use super::counts::Outcome;
use super::deliveries::Deliveries;
use super::submissions::{Submission, Submissions};
use super::watchdog::{self, Watchdog};
use crate::broker::{BrokerError, Coalescing, acknowledging};
use crate::conversation::{Batch, Published};
use crate::journal::NotTaken;

/// Acknowledge when so many deliveries are done, or a quarter of the prefetch: a broker that waits for
/// acknowledgements delivers nothing.
const ACK_COUNT: usize = 64;

/// How long after an acknowledgement deliveries that are done wait for others to be acknowledged with
/// them; one that comes alone does not wait. Each acknowledgement costs a round through the client's
/// I/O loop and work in the broker, and what is not acknowledged comes again after a crash.
const ACK_DELAY: Duration = Duration::from_millis(20);

/// After so many submissions other tasks run, of which one gives the events their places.
const SUBMISSIONS_AT_A_TIME: usize = 64;

/// How long the shutdown waits for dead letters in flight, and for events to get their places.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);

/// The deliveries of one channel.
pub(super) struct DeliveryLoop<'a> {
    pub(super) consumer: &'a Consumer,
    channel: &'a Channel,
    acks: Acks,
    /// How many deliveries are acknowledged together.
    ack_count: usize,
    /// The events that wait to go out together.
    pub(super) batch: Batch,
    coalescing: Coalescing,
    /// How many deliveries it has taken and not acknowledged.
    unacknowledged: u64,
    /// What waits for its place in the journal.
    submissions: Submissions,
    /// Some of it does not get one.
    journal_lost: bool,
    watchdog: Watchdog,
    /// Dead letters in flight, each with its delivery's tag.
    dead_letters: FuturesUnordered<BoxFuture<'a, u64>>,
}

impl<'a> DeliveryLoop<'a> {
    pub(super) fn new(consumer: &'a Consumer, channel: &'a Channel) -> Self {
        Self {
            consumer,
            channel,
            acks: Acks::default(),
            ack_count: ACK_COUNT.min(usize::from(consumer.prefetch) / 4).max(1),
            batch: Batch::default(),
            coalescing: Coalescing::default(),
            unacknowledged: 0,
            submissions: Submissions::default(),
            journal_lost: false,
            watchdog: Watchdog::default(),
            dead_letters: FuturesUnordered::new(),
        }
    }

    /// Takes deliveries until the shutdown, or until the broker cancels the consumer or does not deliver,
    /// which is the error returned then; `Err` when the channel is gone.
    pub(super) async fn run(
        &mut self,
        deliveries: &mut Deliveries,
        shutdown: &CancellationToken,
    ) -> lapin::Result<Option<BrokerError>> {
        let mut ack_at = pin!(sleep(ACK_DELAY));
        let mut looks = interval(watchdog::INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !shutdown.is_cancelled() {
            // As long as one is ready, nothing else is awaited.
            let delivery = match deliveries.next().now_or_never() {
                Some(delivery) => delivery,
                None => {
                    if self.coalescing.deadline().is_none() {
                        self.flush().await;
                    }
                    tokio::select! {
                        biased;
                        () = shutdown.cancelled() => return Ok(None),
                        () = self.coalescing.due() => {
                            self.flush().await;
                            continue;
                        }
                        Some(tag) = self.dead_letters.next() => {
                            self.acks.done(tag);
                            continue;
                        }
                        Some((submission, placed)) = self.submissions.next() => {
                            self.placed(submission, placed);
                            if let Some(error) = self.lost() {
                                return Ok(Some(error));
                            }
                            continue;
                        }
                        () = &mut ack_at, if self.acks.waiting() > 0 => {
                            self.acknowledge().await?;
                            ack_at.as_mut().reset(tokio::time::Instant::now() + ACK_DELAY);
                            continue;
                        }
                        delivery = deliveries.next() => delivery,
                        _ = looks.tick() => match self.stalled() {
                            Some(error) => return Ok(Some(error)),
                            None => continue,
                        },
                    }
                }
            };
            let is_due = match delivery {
                Some(Ok(delivery)) => {
                    let now = Instant::now();
                    let is_due = self.coalescing.taken(now);
                    self.unacknowledged += 1;
                    self.watchdog.delivered();
                    if let Some(tag) = self.take(delivery, now) {
                        self.acks.done(tag);
                    }
                    is_due
                }
                Some(Err(error)) => return Err(error),
                // The queue was deleted, or the node that led it went away.
                None => {
                    let object = self.consumer.queue.object();
                    return Ok(Some(BrokerError::Cancelled { object }));
                }
            };
            if is_due {
                self.flush().await;
            }
            self.take_placed();
            if let Some(error) = self.lost() {
                return Ok(Some(error));
            }
            if !self.submissions.is_empty()
                && self.submissions.len().is_multiple_of(SUBMISSIONS_AT_A_TIME)
            {
                yield_now().await;
            }
            if self.acks.waiting() >= self.ack_count {
                while let Some(Some(tag)) = self.dead_letters.next().now_or_never() {
                    self.acks.done(tag);
                }
                self.acknowledge().await?;
                // Deliveries may be ready for long, and other tasks have to run.
                yield_now().await;
            }
        }
        Ok(None)
    }

    /// Sends the events that were applied.
    async fn flush(&mut self) {
        self.coalescing.flushed();
        self.batch.flush().await;
    }

    /// An event of a delivery was submitted; with the delivery's tag, if that was its last and it has its
    /// place.
    pub(super) fn submitted(&mut self, submission: Submission) -> Option<u64> {
        match submission.submitted.placed() {
            Some(published) => self.count(submission, published),
            None => {
                self.submissions.push(submission);
                None
            }
        }
    }

    /// A delivery's event has its place. What the journal has lost stays unacknowledged, and is
    /// delivered again when the channel has been closed.
    fn placed(&mut self, submission: Submission, placed: Result<Published, NotTaken>) {
        let Ok(published) = placed else {
            self.journal_lost = true;
            return;
        };
        if let Some(tag) = self.count(submission, published) {
            self.acks.done(tag);
        }
    }

    /// Why the channel has to be closed, when the journal has lost something: it comes again then.
    fn lost(&self) -> Option<BrokerError> {
        let object = self.consumer.queue.object();
        self.journal_lost
            .then_some(BrokerError::JournalLost { object })
    }

    /// Why the connection has to be opened anew, when the queue has messages and delivers none.
    fn stalled(&mut self) -> Option<BrokerError> {
        let Consumer {
            kind,
            queue,
            status,
            check,
            prefetch,
            ..
        } = self.consumer;
        let ready = status.counts().depths.ready(check);
        let may_deliver = self.unacknowledged < u64::from(*prefetch);
        if !self.watchdog.look(ready, may_deliver, Instant::now()) {
            return None;
        }
        status.counts().queue(*kind).stalls.count();
        Some(BrokerError::Stalled {
            object: queue.object(),
            ready: ready.unwrap_or_default(),
            seconds: watchdog::LIMIT.as_secs(),
        })
    }

    /// Takes note of everything that has its place by now.
    fn take_placed(&mut self) {
        while let Some(Some((submission, placed))) = self.submissions.next().now_or_never() {
            self.placed(submission, placed);
        }
    }

    async fn acknowledge(&mut self) -> lapin::Result<()> {
        let done = self.acks.waiting() as u64;
        for ack in self.acks.take() {
            let (tag, multiple) = match ack {
                Ack::Multiple(tag) => (tag, true),
                Ack::One(tag) => (tag, false),
            };
            acknowledging();
            self.channel
                .basic_ack(tag, BasicAckOptions { multiple })
                .await?;
        }
        self.unacknowledged -= done;
        Ok(())
    }

    /// Acknowledges what is done and closes the channel, so that the rest is requeued in order.
    ///
    /// The consumer is not cancelled first, as with [`Deliveries`].
    pub(super) async fn finish(&mut self) -> lapin::Result<()> {
        self.flush().await;
        let in_flight = async {
            while let Some((submission, placed)) = self.submissions.next().await {
                self.placed(submission, placed);
            }
            while let Some(tag) = self.dead_letters.next().await {
                self.acks.done(tag);
            }
        };
        if timeout(FINISH_TIMEOUT, in_flight).await.is_err() {
            let queue = &self.consumer.queue.name;
            warn!(
                queue,
                "not everything has found its place in the journal or among the dead letters in time; \
                 the rest of the deliveries is requeued"
            );
        }
        self.acknowledge().await?;
        self.channel.close(200, "shutting down".into()).await
    }
}

impl Drop for DeliveryLoop<'_> {
    /// The channel has ended, or is about to.
    fn drop(&mut self) {
        let Consumer { kind, status, .. } = self.consumer;
        let outcomes = &status.counts().queue(*kind).outcomes;
        outcomes.add(&Outcome::Returned, self.unacknowledged);
    }
}
