//! The way to the dead letter queue: published as mandatory, confirmed, and only then done.
//!
//! It has a connection of its own. A broker that runs short of memory or disk stops reading from
//! connections that publish (<https://www.rabbitmq.com/docs/alarms>); acknowledgements must not
//! wait behind that.

use std::time::Duration;

use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::Settings;
use super::backoff::Backoff;
use super::connection::{confirming_channel, connect, within};
use super::topology::{MANDATORY, Topology};
use crate::conversation::Rejection;

/// A broker that has not confirmed by then is asked again, on another connection.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection for letters may take to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// What the broker says of a header that is larger than its frames.
const FRAME_ERROR: &str = "FRAME";

/// Publishes dead letters.
pub(super) struct DeadLetters {
    settings: Settings,
    topology: Topology,
    publisher: Mutex<Option<Publisher>>,
}

/// An open channel with confirms. Dropped, it closes with its connection.
struct Publisher {
    _connection: Connection,
    channel: Channel,
}

impl DeadLetters {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            topology: Topology::new(&settings),
            settings,
            publisher: Mutex::default(),
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
        let tag = delivery.delivery_tag;
        let mut properties = epitaph(&delivery.properties, &rejection, queue);
        let mut backoff = Backoff::new();
        while let Err(error) = self.publish(&delivery.data, properties.clone()).await {
            warn!(
                queue = self.settings.dead_letter_queue,
                delivery_tag = tag,
                error,
                "a dead letter could not be published, trying again"
            );
            if error.contains(FRAME_ERROR) {
                // With ours its headers no longer fit a frame, which no retry would change.
                rejection.detail += " (its headers were too large to be kept)";
                let bare = delivery
                    .properties
                    .clone()
                    .with_headers(FieldTable::default());
                properties = epitaph(&bare, &rejection, queue);
            }
            sleep(backoff.pause(None)).await;
        }
        tag
    }

    /// Publishes one letter at a time: the library tells a letter that came back by the order of
    /// confirms, so that with two on their way one may be taken for the other.
    async fn publish(&self, body: &[u8], properties: BasicProperties) -> Result<(), String> {
        let mut publisher = self.publisher.lock().await;
        let open = match publisher.take() {
            Some(open) if open.channel.status().connected() => open,
            _ => within(OPEN_TIMEOUT, self.open()).await?,
        };
        let confirmed = timeout(CONFIRM_TIMEOUT, async {
            open.channel
                .basic_publish(
                    ShortString::default(),
                    self.topology.dead_letters.name.as_str().into(),
                    MANDATORY,
                    body,
                    properties,
                )
                .await?
                .await
        });
        match confirmed.await {
            Ok(Ok(Confirmation::Ack(None))) => {
                *publisher = Some(open);
                Ok(())
            }
            // The queue has been deleted: the next attempt opens another channel, and declares it.
            Ok(Ok(Confirmation::Ack(Some(_)))) => Err("no such queue".to_owned()),
            Ok(Ok(_)) => Err("the broker did not take it".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!(
                "not confirmed within {} s",
                CONFIRM_TIMEOUT.as_secs()
            )),
        }
    }

    async fn open(&self) -> Result<Publisher, String> {
        let connection = connect(&self.settings, "dead letters").await?;
        if let Err(error) = self.topology.declare_dead_letters(&connection).await {
            // A queue with other arguments takes letters all the same; the session says so.
            warn!(queue = self.topology.dead_letters.name, %error, "the dead letter queue is not as declared");
        }
        let channel = confirming_channel(&connection)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Publisher {
            _connection: connection,
            channel,
        })
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
