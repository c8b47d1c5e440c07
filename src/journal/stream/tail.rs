//! Reads the stream, as every replica does: what stands in it is applied in its order.

mod consuming;
mod take;

use std::sync::Arc;

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer};
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::clock::Clock;
use super::following::Following;
use super::reading::Start;
use super::record::{Body, Record};
use super::{Append, StreamSettings};
use crate::broker::{BrokerConnection, BrokerError, Check, Operation, Session};
use crate::conversation::{Hub, Selection};
use crate::throttle::Throttle;
use consuming::{Ended, offset};

/// How many records may be on their way.
const PREFETCH: u16 = 1_000;

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
    pub(super) following: Following,
    pub(super) clock: Clock,
    /// The stream has been read to its end once.
    pub(super) was_current: bool,
    pub(super) invalid: Throttle,
    pub(super) shutdown: CancellationToken,
}

impl Session for Tail {
    const PURPOSE: &'static str = "journal's tail";

    async fn live(&mut self, connection: &BrokerConnection) -> Result<(), BrokerError> {
        self.read(connection).await
    }

    fn lost(&mut self, error: &BrokerError) {
        self.attached.send_replace(false);
        self.append.shared.counts.detached();
        self.following.lost();
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
            let start = match self.following.attach() {
                Start::Offset(offset) if !self.goes_on_after(offset, connection).await? => {
                    self.forget_broken();
                    self.following.attach()
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
            self.following.mark(marker);
            let ended = self.follow(&mut consumer, &channel).await;
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
                break Following::goes_on(last, offset(&delivery));
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
        self.following.forget();
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
}
