//! The way to the dead letter queue: published as mandatory, confirmed, and only then done.
//!
//! It has a connection of its own. A broker that runs short of memory or disk stops reading from
//! connections that publish (<https://www.rabbitmq.com/docs/alarms>); acknowledgements must not
//! wait behind that.

use std::sync::Arc;
use std::time::Duration;

use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info, warn};

use super::act::Act;
use super::backoff::Backoff;
use super::broker_error::BrokerError;
use super::connection::Connection;
use super::status::Status;
use super::topology::{MANDATORY, Topology};
use super::{DEFAULT_EXCHANGE, Settings};
use crate::conversation::Rejection;

/// A broker that has not confirmed by then is asked again, on another connection.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the pauses between attempts grow. There is one attempt at a time, however many letters
/// wait, so that it may be tried often.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Publishes dead letters.
pub(super) struct DeadLetters {
    settings: Settings,
    topology: Topology,
    status: Arc<Status>,
    way: Mutex<Way>,
}

/// What letters go by, one after the other.
struct Way {
    connection: Option<Connection>,
    /// With confirms. A refusal closes it, and leaves the connection.
    channel: Option<Channel>,
    backoff: Backoff,
    /// No attempt before: the last one has failed.
    closed_until: Instant,
}

impl DeadLetters {
    pub(super) fn new(settings: Settings, status: Arc<Status>) -> Self {
        Self {
            topology: Topology::new(&settings),
            settings,
            status,
            way: Mutex::new(Way {
                connection: None,
                channel: None,
                backoff: Backoff::up_to(LONGEST_PAUSE),
                closed_until: Instant::now(),
            }),
        }
    }

    /// Puts the delivery into the dead letter queue, however often that takes, and returns its
    /// tag. To be dropped when the delivery's channel is gone: then it comes again.
    pub(super) async fn bury(
        &self,
        delivery: Delivery,
        mut rejection: Rejection,
        queue: &str,
    ) -> u64 {
        let _waiting = self.status.letters().wait();
        let mut properties = epitaph(&delivery.properties, &rejection, queue);
        while let Err(error) = self.attempt(&delivery.data, properties.clone()).await {
            if let BrokerError::TooLargeForAFrame { .. } = error {
                // With ours its headers no longer fit a frame, which no retry would change.
                rejection.detail += " (its headers were too large to be kept)";
                let bare = delivery
                    .properties
                    .clone()
                    .with_headers(FieldTable::default());
                properties = epitaph(&bare, &rejection, queue);
            }
        }
        delivery.delivery_tag
    }

    /// Publishes one letter at a time: the library tells a letter that came back by the order of
    /// confirms, so that with two on their way one may be taken for the other. After a failure it is
    /// the next one's turn: what no queue would take does not hold up what it would.
    async fn attempt(&self, body: &[u8], properties: BasicProperties) -> Result<(), BrokerError> {
        let mut way = self.way.lock().await;
        sleep_until(way.closed_until).await;
        let placed = self.publish(&mut way, body, properties).await;
        match &placed {
            Ok(()) => {
                way.backoff.reset();
                if self.status.letters().placed() {
                    let queue = &self.topology.dead_letters.name;
                    info!(queue, "dead letters get their place again");
                }
            }
            Err(error) => {
                way.closed_until = Instant::now() + way.backoff.pause(None);
                self.tell(error);
            }
        }
        placed
    }

    /// Says what is wrong, and not again before it is something else.
    fn tell(&self, error: &BrokerError) {
        let queue = &self.topology.dead_letters.name;
        let letters = self.status.letters();
        if letters.failed(error.to_string()) {
            warn!(
                queue,
                user = self.settings.user(),
                waiting = letters.waiting().0,
                %error,
                "dead letters cannot be placed, trying again; their deliveries stay unacknowledged"
            );
        } else {
            debug!(queue, %error, "dead letters still cannot be placed");
        }
    }

    async fn publish(
        &self,
        way: &mut Way,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), BrokerError> {
        // Taken, and put back when they are good for the next: an attempt may be given up anywhere.
        let connection = match way.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => Connection::open(&self.settings, "dead letters").await?,
        };
        let channel = match way.channel.take() {
            Some(channel) if channel.status().connected() => channel,
            _ => match self.open(&connection).await {
                Ok(channel) => channel,
                Err(error) => {
                    way.connection = Some(connection);
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
        let (channel, placed) = match confirmed {
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
                let act = Act::Publish(DEFAULT_EXCHANGE.to_owned());
                (None, Err(connection.error(&act, &error)))
            }
        };
        way.connection = Some(connection);
        way.channel = channel;
        placed
    }

    async fn open(&self, connection: &Connection) -> Result<Channel, BrokerError> {
        if let Err(error) = self.topology.ensure_dead_letters(connection).await {
            // A queue with other arguments takes letters all the same; the session says so.
            let queue = &self.topology.dead_letters.name;
            debug!(queue, %error, "the dead letter queue is not as declared");
        }
        connection.within(connection.confirming_channel()).await
    }
}

/// The properties of a dead letter: as they came, with the reason, and with what would change its
/// fate in the dead letter queue moved out of the way. `expiration` would drop it there, the
/// broker refuses a `user-id` that is not the publisher's, and `CC` and `BCC` would route it
/// again.
fn epitaph(properties: &BasicProperties, rejection: &Rejection, queue: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in properties.headers().iter().flat_map(FieldTable::inner) {
        let name = match name.as_str() {
            name @ ("CC" | "BCC") => original(name),
            _ => name.clone(),
        };
        headers.insert(name, value.clone());
    }
    let text = |text: &str| AMQPValue::LongString(text.into());
    let moved = [
        ("expiration", properties.expiration()),
        ("user-id", properties.user_id()),
    ];
    for (name, value) in moved {
        if let Some(value) = value {
            headers.insert(original(name), text(value.as_str()));
        }
    }
    headers.insert("x-gateway-reason".into(), text(rejection.reason.as_str()));
    headers.insert("x-gateway-detail".into(), text(&rejection.detail));
    headers.insert("x-gateway-queue".into(), text(queue));
    without_fate(properties).with_headers(headers)
}

fn original(name: &str) -> ShortString {
    format!("x-gateway-original-{name}").into()
}

/// A copy of all properties but `headers`, `expiration` and `user-id`: `BasicProperties` can be
/// added to, not taken from.
fn without_fate(from: &BasicProperties) -> BasicProperties {
    let mut to = BasicProperties::default();
    macro_rules! copy {
        ($($name:ident $with:ident),* $(,)?) => {
            $(if let Some(value) = from.$name() {
                to = to.$with(value.clone());
            })*
        };
    }
    copy!(
        content_type with_content_type,
        content_encoding with_content_encoding,
        delivery_mode with_delivery_mode,
        priority with_priority,
        correlation_id with_correlation_id,
        reply_to with_reply_to,
        message_id with_message_id,
        timestamp with_timestamp,
        kind with_type,
        app_id with_app_id,
        cluster_id with_cluster_id,
    );
    to
}

#[cfg(test)]
mod tests {
    use crate::conversation::Reason;

    use super::*;

    #[test]
    fn what_would_change_a_dead_letters_fate_moves_to_headers() {
        let mut headers = FieldTable::default();
        headers.insert("CC".into(), AMQPValue::LongString("elsewhere".into()));
        headers.insert("trace".into(), AMQPValue::Boolean(true));
        let properties = BasicProperties::default()
            .with_headers(headers)
            .with_expiration("60000".into())
            .with_user_id("guest".into())
            .with_content_type("application/json".into())
            .with_delivery_mode(2)
            .with_priority(3)
            .with_message_id("m".into())
            .with_timestamp(7)
            .with_type("t".into())
            .with_app_id("a".into());
        let rejection = Rejection::new(Reason::InvalidEvent, "text: must be a string");
        let letter = epitaph(&properties, &rejection, "inbound");
        let text = |text: &str| AMQPValue::LongString(text.into());
        let headers = letter.headers().clone().unwrap();
        let headers: Vec<_> = headers
            .inner()
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        assert_eq!(
            headers,
            [
                ("trace", AMQPValue::Boolean(true)),
                ("x-gateway-detail", text("text: must be a string")),
                ("x-gateway-original-CC", text("elsewhere")),
                ("x-gateway-original-expiration", text("60000")),
                ("x-gateway-original-user-id", text("guest")),
                ("x-gateway-queue", text("inbound")),
                ("x-gateway-reason", text("invalid_event")),
            ]
        );
        assert_eq!((letter.expiration(), letter.user_id()), (&None, &None));
        assert_eq!(letter.delivery_mode(), &Some(2));
        assert_eq!(letter.timestamp(), &Some(7));
        assert_eq!(letter.message_id().as_ref().unwrap().as_str(), "m");
        assert_eq!(letter.kind().as_ref().unwrap().as_str(), "t");
    }
}
