//! Publishes to the dead letter queue: as mandatory, confirmed, and only then done.
//!
//! It has a connection of its own. A broker that runs short of memory or disk stops reading from
//! connections that publish (<https://www.rabbitmq.com/docs/alarms>); acknowledgements must not
//! wait behind that.

use std::sync::Arc;
use std::time::Duration;

use lapin::message::Delivery;
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::broker_error::BrokerError;
use super::connection::BrokerConnection;
use super::dead_letter_properties::dead_letter_properties;
use super::operation::Operation;
use super::status::BrokerStatus;
use super::topology::{MANDATORY, Topology};
use super::{DEFAULT_EXCHANGE, Settings};
use crate::conversation::Rejection;

/// A broker that has not confirmed by then is asked again, on another connection.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the pauses between attempts grow. There is one attempt at a time, however many dead
/// letters are pending, so that it may be tried often.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Publishes dead letters, on a connection of its own.
pub(super) struct DeadLetters {
    settings: Settings,
    topology: Topology,
    status: Arc<BrokerStatus>,
    publishing: Mutex<Publishing>,
}

/// The state of publishing, one dead letter after the other.
struct Publishing {
    connection: Option<BrokerConnection>,
    /// With confirms. A refusal closes it, and leaves the connection.
    channel: Option<Channel>,
    backoff: Backoff,
    /// The end of the pause after a failed attempt.
    paused_until: Instant,
}

impl DeadLetters {
    pub(super) fn new(settings: Settings, status: Arc<BrokerStatus>) -> Self {
        Self {
            topology: Topology::new(&settings),
            settings,
            status,
            publishing: Mutex::new(Publishing {
                connection: None,
                channel: None,
                backoff: Backoff::up_to(LONGEST_PAUSE),
                paused_until: Instant::now(),
            }),
        }
    }

    /// Publishes the delivery to the dead letter queue, with as many attempts as that takes, and
    /// returns its tag. To be dropped when the delivery's channel is gone: then it is redelivered.
    pub(super) async fn publish(
        &self,
        delivery: Delivery,
        mut rejection: Rejection,
        queue: &str,
    ) -> u64 {
        let _pending = self.status.pending_dead_letters().add();
        let mut properties = dead_letter_properties(&delivery.properties, &rejection, queue);
        while let Err(error) = self.attempt(&delivery.data, properties.clone()).await {
            if let BrokerError::TooLargeForAFrame { .. } = error {
                // With ours its headers no longer fit a frame, which no retry would change.
                rejection.detail += " (its headers were too large to be kept)";
                let bare = delivery
                    .properties
                    .clone()
                    .with_headers(FieldTable::default());
                properties = dead_letter_properties(&bare, &rejection, queue);
            }
        }
        delivery.delivery_tag
    }

    /// Publishes one message at a time: the library assigns a returned message by the order of
    /// confirms, so that with two in flight one may be taken for the other. After a failure the next
    /// one is tried: what no queue takes does not hold up the others.
    async fn attempt(&self, body: &[u8], properties: BasicProperties) -> Result<(), BrokerError> {
        let mut publishing = self.publishing.lock().await;
        sleep_until(publishing.paused_until).await;
        let published = self.try_publish(&mut publishing, body, properties).await;
        match &published {
            Ok(()) => {
                publishing.backoff.reset();
                if self.status.pending_dead_letters().published() {
                    let queue = &self.topology.dead_letters.name;
                    info!(queue, "dead letters get their place again");
                }
            }
            Err(error) => {
                publishing.paused_until = Instant::now() + publishing.backoff.pause(None);
                self.log(error);
            }
        }
        published
    }

    /// Logs an error, as a warning only when it is another than before.
    fn log(&self, error: &BrokerError) {
        let queue = &self.topology.dead_letters.name;
        let pending = self.status.pending_dead_letters();
        if pending.failed(error.to_string()) {
            warn!(
                queue,
                user = self.settings.user(),
                waiting = pending.waiting().0,
                %error,
                "dead letters cannot be placed, trying again; their deliveries stay unacknowledged"
            );
        } else {
            debug!(queue, %error, "dead letters still cannot be placed");
        }
    }

    async fn try_publish(
        &self,
        publishing: &mut Publishing,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), BrokerError> {
        // Taken, and put back when they are good for the next: an attempt may be given up anywhere.
        let connection = match publishing.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => BrokerConnection::open(&self.settings, "dead letters").await?,
        };
        let channel = match publishing.channel.take() {
            Some(channel) if channel.status().connected() => channel,
            _ => match self.open(&connection).await {
                Ok(channel) => channel,
                Err(error) => {
                    publishing.connection = Some(connection);
                    return Err(error);
                }
            },
        };
        let queue = &self.topology.dead_letters;
        let name = queue.name.as_str().into();
        let confirmed = timeout(CONFIRM_TIMEOUT, async {
            let exchange = ShortString::default();
            let published = channel.basic_publish(exchange, name, MANDATORY, body, properties);
            published.await?.await
        });
        let Ok(confirmed) = confirmed.await else {
            return Err(connection.unconfirmed(CONFIRM_TIMEOUT));
        };
        let vhost = connection.vhost().to_owned();
        let (channel, result) = match confirmed {
            Ok(Confirmation::Ack(None)) => (Some(channel), Ok(())),
            // The queue has been deleted: the next attempt opens another channel, and declares it.
            Ok(Confirmation::Ack(Some(_))) => {
                let object = queue.object();
                let remedy = self.topology.remedy(&object);
                let said = "the message came back".to_owned();
                let missing = BrokerError::Missing {
                    object,
                    vhost,
                    remedy,
                    said,
                };
                (None, Err(missing))
            }
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => {
                let object = queue.object();
                (Some(channel), Err(BrokerError::NotTaken { object, vhost }))
            }
            Err(error) => {
                let operation = Operation::Publish(DEFAULT_EXCHANGE.to_owned());
                (None, Err(connection.error(&operation, &error)))
            }
        };
        publishing.connection = Some(connection);
        publishing.channel = channel;
        result
    }

    async fn open(&self, connection: &BrokerConnection) -> Result<Channel, BrokerError> {
        if let Err(error) = self.topology.ensure_dead_letters(connection).await {
            // A queue with other arguments takes messages all the same; the session reports it.
            let queue = &self.topology.dead_letters.name;
            debug!(queue, %error, "the dead letter queue is not as declared");
        }
        connection.within(connection.confirming_channel()).await
    }
}
