//! One queue: its deliveries in order into the journal, acknowledged after that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use lapin::types::ShortString;
use time::OffsetDateTime;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Level, debug, enabled, error, info, warn};

use super::acks::{Ack, Acks};
use super::act::Act;
use super::backoff::Backoff;
use super::beginning::Unbound;
use super::broker_error::BrokerError;
use super::connection::Connection;
use super::dead_letters::DeadLetters;
use super::deliveries::Deliveries;
use super::mapped::circumstances;
use super::mapping::Mapping;
use super::status::{Check, Status};
use super::topology::{Queue, Topology};
use super::turn::{Looks, doubt};
use crate::conversation::{About, Batch, Decoder, Delivered, Invalid, Kind, Reason, Rejection};
use crate::journal::{Journal, Published};

/// Acknowledge when so many deliveries are done, or a quarter of the prefetch: a broker that waits for
/// acknowledgements delivers nothing.
const ACK_COUNT: usize = 64;

/// How long after an acknowledgement deliveries that are done wait for others to be acknowledged with
/// them; one that comes alone does not wait. Each acknowledgement costs a round through the client's
/// I/O loop and work in the broker, and what is not acknowledged comes again after a crash.
const ACK_DELAY: Duration = Duration::from_millis(20);

/// How many deliveries are applied before their events go out.
const BATCH: usize = 64;

/// How often a delivery may fail for a reason of ours.
const ATTEMPTS: u32 = 3;

/// How long the shutdown waits for dead letters on their way.
const LAST_LETTERS: Duration = Duration::from_secs(2);

/// What a queue's consumer works with.
pub(super) struct Consumer {
    pub(super) kind: Kind,
    pub(super) queue: Queue,
    pub(super) topology: Arc<Topology>,
    pub(super) prefetch: u16,
    /// The queue's name among the checks.
    pub(super) check: &'static str,
    pub(super) decoder: Decoder,
    pub(super) mapping: Option<Arc<Mapping>>,
    pub(super) journal: Arc<Journal>,
    pub(super) dead_letters: Arc<DeadLetters>,
    pub(super) status: Arc<Status>,
    pub(super) unbound: Unbound,
}

/// How a channel's life went on.
enum Turn {
    /// The gateway shuts down.
    Over,
    /// It begins again with looking for others.
    Again,
}

impl Consumer {
    /// Consumes until the connection is lost or `shutdown` is asked for. What goes wrong with the
    /// queue alone is reported and tried again, while everything else goes on.
    pub(super) async fn run(&self, connection: &Connection, shutdown: &CancellationToken) {
        let mut backoff = Backoff::new();
        while !shutdown.is_cancelled() {
            let started = Instant::now();
            let consumed = self.consume(connection, shutdown).await;
            self.status.set_active(self.kind, false);
            let Err(error) = consumed else {
                return;
            };
            if !connection.is_open() {
                return;
            }
            let queue = &self.queue.name;
            if self.status.set(self.check, Check::Down(error.to_string())) {
                warn!(queue, %error, "the queue cannot be consumed, trying again");
            } else {
                debug!(queue, %error, "the queue still cannot be consumed");
            }
            let pause = backoff.pause(Some(started));
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn consume(
        &self,
        connection: &Connection,
        shutdown: &CancellationToken,
    ) -> Result<(), BrokerError> {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            there = self.ensure(connection) => there?,
        }
        let mut looks = Looks::default();
        let mut doubtful = true;
        loop {
            let mut deliveries = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                begun = self.begin(connection, &mut looks) => begun?,
            };
            let Some(deliveries) = &mut deliveries else {
                looks.pause().await;
                continue;
            };
            looks = Looks::default();
            self.status.set_active(self.kind, true);
            if self.status.set(self.check, Check::Up) {
                info!(queue = self.queue.name, "consuming");
            }
            match self
                .use_turn(connection, deliveries, doubtful, shutdown)
                .await?
            {
                Turn::Over => return Ok(()),
                Turn::Again => doubtful = false,
            }
        }
    }

    async fn use_turn(
        &self,
        connection: &Connection,
        deliveries: &mut Deliveries,
        doubtful: bool,
        shutdown: &CancellationToken,
    ) -> Result<Turn, BrokerError> {
        let act = Act::Consume(self.queue.object());
        let explain = |error| connection.error(&act, &error);
        if doubtful {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = deliveries.first() => {}
                () = sleep(doubt()) => {
                    let given_up = deliveries.give_back();
                    connection.within(async { given_up.await.map_err(explain) }).await?;
                    return Ok(Turn::Again);
                }
            }
        }
        let channel = deliveries.channel.clone();
        let mut run = Run {
            consumer: self,
            channel: &channel,
            acks: Acks::default(),
            ack_count: ACK_COUNT.min(usize::from(self.prefetch) / 4).max(1),
            batch: Batch::default(),
            batched: 0,
            letters: FuturesUnordered::new(),
        };
        let taken = run.deliveries(deliveries, shutdown).await;
        if let Some(error) = taken.map_err(explain)? {
            return Err(error);
        }
        run.finish().await.map_err(explain)?;
        Ok(Turn::Over)
    }
}

/// One channel's life.
pub(super) struct Run<'a, L> {
    pub(super) consumer: &'a Consumer,
    channel: &'a Channel,
    acks: Acks,
    /// How many deliveries are acknowledged together.
    ack_count: usize,
    /// The events of deliveries that were at hand together, and how many there are.
    pub(super) batch: Batch,
    pub(super) batched: usize,
    letters: FuturesUnordered<L>,
}

impl<'a> Run<'a, futures_util::future::BoxFuture<'a, u64>> {
    /// Takes deliveries until the shutdown, or until the broker ends the consumer, which it gives
    /// back then; `Err` when the channel is gone.
    async fn deliveries(
        &mut self,
        deliveries: &mut Deliveries,
        shutdown: &CancellationToken,
    ) -> lapin::Result<Option<BrokerError>> {
        let mut ack_at = pin!(sleep(ACK_DELAY));
        while !shutdown.is_cancelled() {
            // As long as there is one at hand, no await of anything else.
            let delivery = match deliveries.next().now_or_never() {
                Some(delivery) => delivery,
                None => {
                    self.flush().await;
                    tokio::select! {
                        biased;
                        () = shutdown.cancelled() => return Ok(None),
                        Some(tag) = self.letters.next() => {
                            self.acks.done(tag);
                            continue;
                        }
                        () = &mut ack_at, if self.acks.waiting() > 0 => {
                            self.acknowledge().await?;
                            ack_at.as_mut().reset(tokio::time::Instant::now() + ACK_DELAY);
                            continue;
                        }
                        delivery = deliveries.next() => delivery,
                    }
                }
            };
            match delivery {
                Some(Ok(delivery)) => {
                    if let Some(tag) = self.take(delivery) {
                        self.acks.done(tag);
                    }
                }
                Some(Err(error)) => return Err(error),
                // The queue was deleted, or the node that led it went away.
                None => {
                    let object = self.consumer.queue.object();
                    return Ok(Some(BrokerError::Cancelled { object }));
                }
            }
            if self.batched >= BATCH {
                self.flush().await;
            }
            if self.acks.waiting() >= self.ack_count {
                while let Some(Some(tag)) = self.letters.next().now_or_never() {
                    self.acks.done(tag);
                }
                self.flush().await;
                self.acknowledge().await?;
            }
        }
        Ok(None)
    }

    /// Has the events go out that were applied.
    async fn flush(&mut self) {
        self.batched = 0;
        self.batch.flush().await;
    }

    /// Takes a delivery; with its tag, unless it has to be dead-lettered before it is done.
    fn take(&mut self, delivery: Delivery) -> Option<u64> {
        let Consumer {
            kind,
            queue,
            decoder,
            journal,
            ..
        } = self.consumer;
        let tag = delivery.delivery_tag;
        let encoding = delivery.properties.content_encoding().as_ref();
        let delivered = Delivered {
            kind: *kind,
            body: &delivery.data,
            encoding: encoding.map(ShortString::as_str),
            sent_at: *delivery.properties.timestamp(),
            arrived_at: OffsetDateTime::now_utc(),
        };
        if let Some(mapping) = &self.consumer.mapping {
            let mapped =
                attempt(|| mapping.apply(decoder, &delivered, &circumstances(&delivery, queue)));
            return self.take_mapped(delivery, mapped);
        }
        self.batched += 1;
        let batch = &mut self.batch;
        let taken = attempt(|| {
            let decoded = decoder.decode(&delivered)?;
            // Most of the time nobody asks.
            let is_asked_for = enabled!(Level::DEBUG) || !decoded.left_out.is_empty();
            let about = is_asked_for.then(|| About::of(&decoded.event));
            Ok((
                about.unwrap_or_default(),
                decoded.left_out,
                journal.append(decoded.event, batch),
            ))
        });
        match taken {
            Ok((about, left_out, published)) => {
                let outcome = match published {
                    Published::New(_) => "new",
                    Published::Duplicate(_) => "duplicate",
                    Published::Stale(_) => "stale",
                };
                self.tell(tag, kind.as_str(), &about, outcome);
                for invalid in &left_out {
                    self.leave_out(tag, &about, invalid);
                }
                Some(tag)
            }
            Err(rejection) => self.bury(delivery, rejection),
        }
    }

    /// Says what has become of an event.
    pub(super) fn tell(&self, tag: u64, event: &str, about: &About, outcome: &str) {
        debug!(
            queue = self.consumer.queue.name,
            delivery_tag = tag,
            event,
            tenant = about.tenant.as_ref().map(tracing::field::display),
            conversation = about.conversation.as_ref().map(tracing::field::display),
            message_id = about.message_id.as_deref(),
            outcome,
            "delivery"
        );
    }

    /// Sends a delivery to the dead letters; it is done when it is there.
    pub(super) fn bury(&mut self, delivery: Delivery, rejection: Rejection) -> Option<u64> {
        let Consumer {
            kind,
            queue,
            dead_letters,
            status,
            ..
        } = self.consumer;
        let tag = delivery.delivery_tag;
        let about = &rejection.about;
        warn!(
            queue = queue.name,
            delivery_tag = tag,
            event = kind.as_str(),
            tenant = about.tenant.as_ref().map(tracing::field::display),
            conversation = about.conversation.as_ref().map(tracing::field::display),
            message_id = about.message_id.as_deref(),
            reason = rejection.reason.as_str(),
            detail = rejection.detail,
            "dead letter"
        );
        let reason = rejection.reason;
        let letter = dead_letters.bury(delivery, rejection, &queue.name);
        let letter = letter.inspect(move |_| status.buried(reason));
        self.letters.push(letter.boxed());
        None
    }

    /// Counts a field that an event had to do without, and says so: at `debug` each time, as a
    /// warning now and then.
    pub(super) fn leave_out(&self, tag: u64, about: &About, invalid: &Invalid) {
        let Consumer {
            kind,
            queue,
            status,
            ..
        } = self.consumer;
        let (field, reason) = (&*invalid.field, &*invalid.reason);
        macro_rules! told {
            ($level:ident, $untold:expr) => {
                $level!(
                    queue = queue.name,
                    delivery_tag = tag,
                    event = kind.as_str(),
                    tenant = about.tenant.as_ref().map(tracing::field::display),
                    conversation = about.conversation.as_ref().map(tracing::field::display),
                    message_id = about.message_id.as_deref(),
                    field,
                    reason,
                    more_since_last_warning = $untold,
                    "an optional field cannot be used: the event goes without it"
                )
            };
        }
        match status.left_out().count(field, Instant::now()) {
            Some(untold) => told!(warn, Some(untold)),
            None => told!(debug, None::<u64>),
        }
    }

    async fn acknowledge(&mut self) -> lapin::Result<()> {
        for ack in self.acks.take() {
            let (tag, multiple) = match ack {
                Ack::Multiple(tag) => (tag, true),
                Ack::One(tag) => (tag, false),
            };
            self.channel
                .basic_ack(tag, BasicAckOptions { multiple })
                .await?;
        }
        Ok(())
    }

    /// Acknowledges what is done and closes the channel, so that the rest goes back in order.
    ///
    /// The consumer is not cancelled first, as with [`Deliveries`].
    async fn finish(&mut self) -> lapin::Result<()> {
        self.flush().await;
        let last = async {
            while let Some(tag) = self.letters.next().await {
                self.acks.done(tag);
            }
        };
        if timeout(LAST_LETTERS, last).await.is_err() {
            let queue = &self.consumer.queue.name;
            warn!(
                queue,
                "dead letters were not confirmed in time; their deliveries go back"
            );
        }
        self.acknowledge().await?;
        self.channel.close(200, "shutting down".into()).await
    }
}

/// Tries again what fails for a reason of ours (it panics), so many times and no more: a delivery
/// that we cannot digest must neither be lost nor stop those behind it.
fn attempt<T>(mut work: impl FnMut() -> Result<T, Rejection>) -> Result<T, Rejection> {
    for number in 1..=ATTEMPTS {
        match catch_unwind(AssertUnwindSafe(&mut work)) {
            Ok(result) => return result,
            Err(_) => error!(attempt = number, "a delivery made the gateway fail"),
        }
    }
    Err(Rejection::new(
        Reason::InternalError,
        format!("the gateway has failed on it {ATTEMPTS} times, see its log"),
    ))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_fails_once_is_tried_again() {
        let tries = Cell::new(0);
        let result = attempt(|| {
            tries.set(tries.get() + 1);
            assert!(tries.get() > 1, "the first time");
            Ok(tries.get())
        });
        assert_eq!(result, Ok(2));
    }

    #[test]
    fn what_always_fails_is_given_up_with_a_reason() {
        let tries = Cell::new(0);
        let result: Result<(), _> = attempt(|| {
            tries.set(tries.get() + 1);
            panic!("again");
        });
        assert_eq!(result.unwrap_err().reason, Reason::InternalError);
        assert_eq!(tries.get(), ATTEMPTS);
    }
}
