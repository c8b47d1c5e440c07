//! Reads the stream, as every replica does: what stands in it is applied in its order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer};
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{interval, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::clock::Clock;
use super::counts::Phase;
use super::greeting::{self, Greeting};
use super::reading::{Delivered, Reading, Start};
use super::record::{Body, Record, RecordId};
use super::{Append, StreamSettings};
use crate::broker::{BrokerConnection, BrokerError, Check, Coalescing, Operation, Session};
use crate::conversation::{Arrival, Batch, Epoch, Hub, Position, Selection};
use crate::throttle::Throttle;

/// How many records may be on their way.
const PREFETCH: u16 = 1_000;

/// How many are acknowledged together at most.
const ACK_COUNT: u64 = 250;

/// How often the log tells how far a long reading has come.
const PROGRESS: Duration = Duration::from_secs(5);

/// Where a delivery stands in the stream.
const OFFSET: &str = "x-stream-offset";

/// Applies the stream to the hub.
pub(super) struct Tail {
    pub(super) settings: StreamSettings,
    pub(super) hub: Arc<Hub>,
    pub(super) append: Append,
    pub(super) attached: watch::Sender<bool>,
    /// Where the disconnects of other replicas go.
    pub(super) disconnects: mpsc::UnboundedSender<Selection>,
    pub(super) reading: Reading,
    pub(super) clock: Clock,
    pub(super) epoch: Option<Epoch>,
    /// The stream has been read to its end once.
    pub(super) was_current: bool,
    pub(super) invalid: Throttle,
    pub(super) shutdown: CancellationToken,
}

/// One consumer of the stream.
struct Consuming {
    /// The record that was appended when it began: what comes after that is new.
    marker: RecordId,
    /// Whether that has come.
    is_current: bool,
    read: u64,
    begun: Instant,
    told: Instant,
    /// The tag of the last delivery, and of the last that was acknowledged.
    tag: u64,
    acknowledged: u64,
}

impl Session for Tail {
    const PURPOSE: &'static str = "journal's tail";

    async fn live(&mut self, connection: &BrokerConnection) -> Result<(), BrokerError> {
        let read = self.read(connection).await;
        self.attached.send_replace(false);
        self.append.shared.counts.detached();
        read
    }

    fn lost(&mut self, error: &BrokerError) {
        // It may have been noticed elsewhere, in the midst of reading.
        self.attached.send_replace(false);
        self.append.shared.counts.detached();
        self.append.shared.set_current(false);
        let reason = format!("the journal is not read: {error}");
        self.append.shared.set_check(Check::Down(reason));
    }
}

impl Tail {
    /// Reads until the connection is lost or the shutdown.
    async fn read(&mut self, connection: &BrokerConnection) -> Result<(), BrokerError> {
        self.hub.approached();
        if self.settings.ensure(connection).await? {
            // Made just now: nothing of what was read before is in there.
            self.forget();
        }
        loop {
            let start = match self.reading.attach() {
                Start::Offset(offset) if !self.goes_on_after(offset, connection).await? => {
                    self.forget_broken();
                    self.reading.attach()
                }
                start => start,
            };
            if self.shutdown.is_cancelled() {
                return Ok(());
            }
            self.hub.approached();
            let channel = connection.within(connection.channel()).await?;
            let offset = match start {
                Start::Offset(offset) => AMQPValue::LongLongInt(offset.cast_signed()),
                Start::Reach => {
                    let since = OffsetDateTime::now_utc() - self.settings.reach();
                    let seconds = u64::try_from(since.unix_timestamp()).unwrap_or_default();
                    AMQPValue::Timestamp(seconds)
                }
            };
            let mut consumer = self.consume(offset, connection, &channel).await?;
            self.hub.approached();
            self.append.shared.set_current(false);
            self.append.shared.set_check(match self.was_current {
                true => Check::Down("reads what it has missed of the stream".to_owned()),
                false => Check::Starting,
            });
            self.hub.set_current(false);
            self.attached.send_replace(true);
            let marker = self
                .append
                .notice(None, Body::Replica(self.greeting(false)));
            let now = Instant::now();
            let consuming = Consuming {
                marker,
                is_current: false,
                read: 0,
                begun: now,
                told: now,
                tag: 0,
                acknowledged: 0,
            };
            let ended = self.follow(consuming, &mut consumer, &channel).await;
            self.attached.send_replace(false);
            let operation = Operation::Consume(self.settings.object());
            match ended {
                Ok(Ended::Shutdown) => return Ok(()),
                Ok(Ended::Broken) => {
                    self.forget_broken();
                    channel.close(200, "begins again".into()).await.ok();
                }
                Ok(Ended::Cancelled) => {
                    let object = self.settings.object();
                    return Err(BrokerError::Cancelled { object });
                }
                Ok(Ended::NoStream) => {
                    return Err(BrokerError::NoStream {
                        object: self.settings.object(),
                    });
                }
                Err(error) => return Err(connection.error(&operation, &error)),
            }
        }
    }

    /// Whether the stream has come further than to this offset. A consumer from an offset that a stream
    /// made again has not come to gets nothing at all: so a record is appended, and looked for at the
    /// end.
    async fn goes_on_after(
        &self,
        last: u64,
        connection: &BrokerConnection,
    ) -> Result<bool, BrokerError> {
        let channel = connection.within(connection.channel()).await?;
        let next = AMQPValue::LongString("next".into());
        let mut consumer = self.consume(next, connection, &channel).await?;
        self.attached.send_replace(true);
        let marker = self
            .append
            .notice(None, Body::Replica(self.greeting(false)));
        let operation = Operation::Consume(self.settings.object());
        let explain = |error| connection.error(&operation, &error);
        let goes_on = loop {
            let delivery = tokio::select! {
                () = self.shutdown.cancelled() => break true,
                delivery = consumer.next() => delivery,
            };
            let Some(delivery) = delivery else {
                let object = self.settings.object();
                return Err(BrokerError::Cancelled { object });
            };
            let delivery = delivery.map_err(explain)?;
            let is_marker = Record::decode(&delivery.data).is_ok_and(|record| record.id == marker);
            if is_marker {
                break offset(&delivery).is_some_and(|offset| offset > last);
            }
            let ack = channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default());
            ack.await.map_err(explain)?;
        };
        let closed = channel.close(200, "seen".into());
        closed.await.map_err(explain)?;
        Ok(goes_on)
    }

    fn forget_broken(&mut self) {
        warn!(
            stream = self.settings.stream,
            "the stream does not go on where it was read to: it was made again, or has lost what came \
             last; members are reset"
        );
        self.forget();
    }

    fn forget(&mut self) {
        self.reading.forget();
        self.epoch = None;
        self.append.set_epoch(None);
        self.append.shared.give_up();
    }

    async fn consume(
        &self,
        offset: AMQPValue,
        connection: &BrokerConnection,
        channel: &Channel,
    ) -> Result<Consumer, BrokerError> {
        let mut arguments = FieldTable::default();
        arguments.insert(OFFSET.into(), offset);
        let stream = self.settings.stream.as_str().into();
        let consume = async {
            let (qos, options) = (BasicQosOptions::default(), BasicConsumeOptions::default());
            channel.basic_qos(PREFETCH, qos).await?;
            let consumer = channel.basic_consume(stream, "".into(), options, arguments);
            consumer.await
        };
        let operation = Operation::Consume(self.settings.object());
        let explained = async {
            let consumer = consume.await;
            consumer.map_err(|error| connection.error(&operation, &error))
        };
        connection.within(explained).await
    }

    async fn follow(
        &mut self,
        mut consuming: Consuming,
        consumer: &mut Consumer,
        channel: &Channel,
    ) -> lapin::Result<Ended> {
        let mut batch = Batch::default();
        let mut coalescing = Coalescing::default();
        let mut greet = interval(greeting::INTERVAL);
        loop {
            let delivery = match consumer.next().now_or_never() {
                Some(delivery) => delivery,
                None => {
                    let deadline = coalescing.deadline();
                    if deadline.is_none() {
                        coalescing.flushed();
                        batch.flush().await;
                    }
                    self.hub.progressed();
                    consuming.acknowledge(channel).await?;
                    tokio::select! {
                        biased;
                        () = self.shutdown.cancelled() => {
                            batch.flush().await;
                            return Ok(Ended::Shutdown);
                        }
                        () = until(deadline) => {
                            coalescing.flushed();
                            batch.flush().await;
                            continue;
                        }
                        _ = greet.tick() => {
                            self.greet(consuming.is_current);
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

    /// Takes a delivery; `false` when the stream is not the one that was read.
    fn take(
        &mut self,
        consuming: &mut Consuming,
        offset: u64,
        body: &[u8],
        batch: &mut Batch,
    ) -> bool {
        let record = match Record::decode(body) {
            Ok(record) => record,
            Err(error) => {
                if let Some(count) = self.invalid.note(&()) {
                    let stream = &self.settings.stream;
                    warn!(stream, offset, count, %error, "what stands in the stream is passed by");
                }
                return true;
            }
        };
        let position = Position(offset + 1);
        match self.reading.delivered(offset, record.id) {
            Delivered::Broken => return false,
            Delivered::Known => return true,
            Delivered::First => self.hub.begin(Position(offset)),
            Delivered::Next => {}
        }
        consuming.read += 1;
        let phase = match consuming.is_current {
            true => Phase::Live,
            false => Phase::CatchingUp,
        };
        self.append.shared.counts.read(phase, record.time);
        let (id, mark) = (record.id, record.id.mark());
        let is_marker = id == consuming.marker;
        if let Body::Event(event) = record.body {
            let accepted = self.clock.accepted(record.time);
            if consuming.is_current {
                batch.arrived(Arrival {
                    at: accepted.instant,
                    published_before: record.published_before,
                });
            }
            let published = self.hub.record(event, (position, mark), accepted, batch);
            self.append.shared.placed(id, published);
            self.progress(consuming);
            return true;
        }
        self.hub.pass(position, mark);
        match record.body {
            Body::Disconnect(selection) => self.disconnect(id, selection),
            Body::Replica(greeting) => {
                self.adopt(record.epoch, false);
                self.greeted(Some(greeting));
            }
            Body::Epoch => {
                if self.epoch.is_none() {
                    self.adopt(record.epoch, true);
                } else if self.epoch != record.epoch {
                    // Somebody does not know it.
                    self.greet(consuming.is_current);
                }
            }
            Body::Event(_) | Body::Unknown => {}
        }
        if is_marker {
            consuming.is_current = true;
            if self.epoch.is_none() {
                let drawn = Some(Epoch(rand::random()));
                self.append.notice(drawn, Body::Epoch);
            }
        }
        if consuming.is_current && self.epoch.is_some() && !self.append.shared.is_current() {
            self.become_current(consuming);
        }
        true
    }

    fn become_current(&mut self, consuming: &Consuming) {
        info!(
            stream = self.settings.stream,
            records = consuming.read,
            seconds = consuming.begun.elapsed().as_secs_f32(),
            replicas = self.append.shared.replicas(),
            "the journal has been read"
        );
        self.was_current = true;
        self.hub.set_current(true);
        self.append.shared.set_current(true);
        self.greet(true);
    }

    /// The stream is of this epoch, as somebody says who knows, or has drawn it.
    fn adopt(&mut self, epoch: Option<Epoch>, is_drawn: bool) {
        let Some(epoch) = epoch else { return };
        if self.epoch != Some(epoch) {
            debug!(epoch = epoch.0, is_drawn, "the stream's epoch is known");
            self.epoch = Some(epoch);
            self.hub.set_epoch(epoch);
            self.append.set_epoch(Some(epoch));
        }
    }

    /// Members that the portal sends away at another replica. Those that come later than this
    /// replica's beginning are sent away here: before, there were none.
    fn disconnect(&self, id: RecordId, selection: Selection) {
        if !self.append.shared.disconnected(id) && self.was_current {
            // Nobody takes them at the end of the process.
            self.disconnects.send(selection).ok();
        }
    }

    /// Says that this replica is there, and looks for those that are not any more.
    fn greet(&mut self, is_current: bool) {
        if is_current && self.epoch.is_some() {
            let greeting = self.greeting(false);
            self.append.notice(self.epoch, Body::Replica(greeting));
        }
        self.greeted(None);
    }

    fn greeting(&self, leaving: bool) -> Greeting {
        Greeting {
            leaving,
            ..self.settings.greeting.clone()
        }
    }

    fn greeted(&self, greeting: Option<Greeting>) {
        let own = &self.settings.greeting;
        match self.append.shared.greeted(greeting, own) {
            Some(Some(problem)) => warn!(problem, "replicas differ in what has to be the same"),
            Some(None) => info!("replicas no longer differ"),
            None => {}
        }
    }

    fn progress(&self, consuming: &mut Consuming) {
        if !consuming.is_current && consuming.told.elapsed() >= PROGRESS {
            consuming.told = Instant::now();
            info!(
                stream = self.settings.stream,
                records = consuming.read,
                seconds = consuming.begun.elapsed().as_secs(),
                "reading the journal"
            );
        }
    }
}

/// Why a consumer has ended.
enum Ended {
    /// The gateway shuts down.
    Shutdown,
    /// The stream is not the one that was read.
    Broken,
    /// It was deleted, or its node went away.
    Cancelled,
    /// The queue is none.
    NoStream,
}

impl Consuming {
    async fn acknowledge(&mut self, channel: &Channel) -> lapin::Result<()> {
        if self.tag > self.acknowledged {
            self.acknowledged = self.tag;
            let multiple = BasicAckOptions { multiple: true };
            channel.basic_ack(self.tag, multiple).await?;
        }
        Ok(())
    }
}

/// Where the delivery stands in the stream.
fn offset(delivery: &Delivery) -> Option<u64> {
    let headers = delivery.properties.headers().as_ref()?;
    match headers.inner().get(OFFSET)? {
        AMQPValue::LongLongInt(offset) => u64::try_from(*offset).ok(),
        _ => None,
    }
}

/// Waits for this moment; without one, for good.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
