//! The deliveries of one channel: in order into the journal, and acknowledged after that.

use std::future::pending;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use lapin::types::{AMQPValue, ShortString};
use time::OffsetDateTime;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Level, debug, enabled, warn};

use super::acks::{Ack, Acks};
use super::attempts::attempt;
use super::consumer::Consumer;
use super::counts::Outcome;
use super::deliveries::Deliveries;
use super::mapped::circumstances;
use super::submissions::{Last, Submission, Submissions};
use super::watchdog::{self, Watchdog};
use crate::broker::{BrokerError, Coalescing, Queue};
use crate::conversation::{
    About, Arrival, Batch, Delivered, Invalid, Published, Rejection, from_amqp,
};
use crate::journal::{NotTaken, Submitted};
use crate::source::description::describe;
use crate::trace::{self, Span, TraceContext};

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

/// Logs what names a delivery and its event, and what there is to say about them.
macro_rules! log_delivery {
    ($level:ident, ($queue:expr, $tag:expr, $event:expr, $about:expr, $trace:expr), $($said:tt)+) => {
        $level!(
            queue = $queue.name,
            delivery_tag = $tag,
            event = $event,
            tenant = $about.tenant.as_ref().map(tracing::field::display),
            conversation = $about.conversation.as_ref().map(tracing::field::display),
            message_id = $about.message_id.as_deref(),
            trace_id = $trace.map(|trace| tracing::field::display(trace.trace_id())),
            $($said)+
        )
    };
}

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
                    let deadline = self.coalescing.deadline();
                    if deadline.is_none() {
                        self.flush().await;
                    }
                    tokio::select! {
                        biased;
                        () = shutdown.cancelled() => return Ok(None),
                        () = until(deadline) => {
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

    /// Takes a delivery; with its tag, unless it has to be dead-lettered before it is done.
    fn take(&mut self, delivery: Delivery, now: Instant) -> Option<u64> {
        let Consumer {
            kind,
            queue,
            decoder,
            journal,
            ..
        } = self.consumer;
        let tag = delivery.delivery_tag;
        let span = span(&delivery, queue);
        let trace = span.context();
        let encoding = delivery.properties.content_encoding().as_ref();
        let delivered = Delivered {
            kind: *kind,
            body: &delivery.data,
            encoding: encoding.map(ShortString::as_str),
            sent_at: *delivery.properties.timestamp(),
            arrived_at: OffsetDateTime::now_utc(),
        };
        let arrived_at = delivered.arrived_at;
        let published = delivered.sent_at.and_then(from_amqp);
        self.batch.arrived(Arrival {
            at: now,
            // A publisher whose clock is ahead has published now.
            published_before: published.map(|at| (arrived_at - at).try_into().unwrap_or_default()),
        });
        if let Some(mapping) = &self.consumer.mapping {
            let mapped =
                attempt(|| mapping.apply(decoder, &delivered, &circumstances(&delivery, queue)));
            return self.take_mapped(delivery, mapped, arrived_at, span);
        }
        let is_recorded = span.is_recorded();
        let taken = attempt(|| {
            let mut decoded = decoder.decode(&delivered)?;
            decoded.event.trace = trace;
            // Mostly it is not needed.
            let is_needed = enabled!(Level::DEBUG) || !decoded.left_out.is_empty() || is_recorded;
            let about = is_needed.then(|| About::of(&decoded.event));
            Ok((about.unwrap_or_default(), decoded))
        });
        match taken {
            Ok((about, decoded)) => {
                for invalid in &decoded.left_out {
                    self.leave_out(tag, &about, trace, invalid);
                }
                let name = decoded.event.name.clone();
                let submitted = journal.submit(decoded.event, &mut self.batch);
                self.submitted(Submission {
                    tag,
                    name,
                    submitted,
                    arrived_at,
                    about,
                    trace,
                    last: Some(Last {
                        best: Outcome::Ignored,
                        span,
                    }),
                })
            }
            Err(rejection) => self.dead_letter(delivery, rejection, span),
        }
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

    /// Counts and logs what has become of an event; with its delivery's tag, if it was the last.
    fn count(&self, submission: Submission, published: Published) -> Option<u64> {
        let Submission {
            tag,
            name,
            arrived_at,
            about,
            trace,
            last,
            ..
        } = submission;
        let counts = self.consumer.status.counts().queue(self.consumer.kind);
        counts.count(&name, published, arrived_at);
        self.log(tag, name.as_str(), &about, trace, published.as_str());
        let Last { best, mut span } = last?;
        counts.outcomes.count(&best.max(published.into()));
        describe(&mut span, &about, published.as_str());
        Some(tag)
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

    /// Logs what has become of an event.
    pub(super) fn log(
        &self,
        tag: u64,
        event: &str,
        about: &About,
        trace: Option<TraceContext>,
        outcome: &str,
    ) {
        log_delivery!(
            debug,
            (self.consumer.queue, tag, event, about, trace),
            outcome,
            "delivery"
        );
    }

    /// Dead-letters a delivery; it is done, and its span ends, when the dead letter queue has it.
    pub(super) fn dead_letter(
        &mut self,
        delivery: Delivery,
        rejection: Rejection,
        span: Span,
    ) -> Option<u64> {
        self.dead_letter_after(None, delivery, rejection, span)
    }

    /// The same, once an event of the delivery has its place.
    pub(super) fn dead_letter_after(
        &mut self,
        event: Option<Submitted>,
        delivery: Delivery,
        rejection: Rejection,
        mut span: Span,
    ) -> Option<u64> {
        let Consumer {
            kind,
            queue,
            dead_letters,
            status,
            ..
        } = self.consumer;
        let tag = delivery.delivery_tag;
        let trace = span.context();
        let about = &rejection.about;
        describe(&mut span, about, "dead_lettered");
        span.fail(rejection.reason.as_str());
        log_delivery!(
            warn,
            (queue, tag, kind.as_str(), about, trace),
            reason = rejection.reason.as_str(),
            detail = rejection.detail,
            "dead letter"
        );
        let reason = rejection.reason;
        let publish = dead_letters.publish(delivery, rejection, &queue.name);
        let publish = publish.inspect(move |_| {
            status.dead_lettered(*kind, reason);
            drop(span);
        });
        let publish = async {
            if let Some(event) = event
                && event.await.is_err()
            {
                // Neither is acknowledged: the delivery comes again.
                pending::<()>().await;
            }
            publish.await
        };
        self.dead_letters.push(publish.boxed());
        None
    }

    /// Counts a field that was left out of an event, and logs it: at `debug`, and as a warning once a
    /// minute.
    pub(super) fn leave_out(
        &self,
        tag: u64,
        about: &About,
        trace: Option<TraceContext>,
        invalid: &Invalid,
    ) {
        let Consumer {
            kind,
            queue,
            status,
            ..
        } = self.consumer;
        let (field, reason) = (&*invalid.field, &*invalid.reason);
        macro_rules! log {
            ($level:ident, $suppressed:expr) => {
                log_delivery!(
                    $level,
                    (queue, tag, kind.as_str(), about, trace),
                    field,
                    reason,
                    more_since_last_warning = $suppressed,
                    "an optional field cannot be used: the event goes without it"
                )
            };
        }
        match status.left_out().count(field, Instant::now()) {
            Some(suppressed) => log!(warn, Some(suppressed)),
            None => log!(debug, None::<u64>),
        }
    }

    async fn acknowledge(&mut self) -> lapin::Result<()> {
        let done = self.acks.waiting() as u64;
        for ack in self.acks.take() {
            let (tag, multiple) = match ack {
                Ack::Multiple(tag) => (tag, true),
                Ack::One(tag) => (tag, false),
            };
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

/// The span of a delivery, caused by what its headers say.
fn span(delivery: &Delivery, queue: &Queue) -> Span {
    let headers = delivery.properties.headers().as_ref();
    let cause = match headers.and_then(|headers| headers.inner().get(trace::HEADER)) {
        Some(AMQPValue::LongString(text)) => TraceContext::parse(text.as_bytes()),
        _ => None,
    };
    let mut span = Span::of_delivery(&queue.name, cause);
    if span.is_recorded() {
        let routing_key = delivery.routing_key.as_str();
        span.set("messaging.rabbitmq.destination.routing_key", routing_key);
        let tag = delivery.delivery_tag;
        span.set_number("messaging.rabbitmq.message.delivery_tag", tag);
    }
    span
}

impl Drop for DeliveryLoop<'_> {
    /// The channel has ended, or is about to.
    fn drop(&mut self) {
        let Consumer { kind, status, .. } = self.consumer;
        let outcomes = &status.counts().queue(*kind).outcomes;
        outcomes.add(&Outcome::Returned, self.unacknowledged);
    }
}

/// Waits for this moment; without one, for good.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
