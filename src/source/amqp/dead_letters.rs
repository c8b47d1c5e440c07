//! Publishes to the dead letter queue.

use std::sync::Arc;
use std::time::Duration;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::FieldTable;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use super::Settings;
use super::dead_letter_properties::dead_letter_properties;
use super::status::BrokerStatus;
use crate::broker::{
    Backoff, BrokerConnection, BrokerError, PublishError, Publisher, Target, Topology,
};
use crate::conversation::Rejection;

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
    publisher: Publisher,
    backoff: Backoff,
    /// The end of the pause after a failed attempt.
    paused_until: Instant,
}

impl DeadLetters {
    pub(super) fn new(settings: Settings, status: Arc<BrokerStatus>) -> Self {
        Self {
            topology: settings.topology(),
            publishing: Mutex::new(Publishing {
                publisher: Publisher::new(settings.uri.clone(), "dead letters"),
                backoff: Backoff::up_to(LONGEST_PAUSE),
                paused_until: Instant::now(),
            }),
            settings,
            status,
        }
    }

    /// The name of the dead letter queue.
    pub(super) fn queue(&self) -> &str {
        &self.settings.dead_letter_queue
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

    /// Publishes one message at a time. After a failure the next one is tried: what no queue takes
    /// does not hold up the others.
    async fn attempt(&self, body: &[u8], properties: BasicProperties) -> Result<(), BrokerError> {
        let mut publishing = self.publishing.lock().await;
        sleep_until(publishing.paused_until).await;
        let published = self
            .try_publish(&mut publishing.publisher, body, properties)
            .await;
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
        publisher: &mut Publisher,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), BrokerError> {
        if let Some(connection) = publisher.connect().await? {
            self.declare(connection).await;
        }
        let queue = &self.topology.dead_letters;
        let target = Target {
            exchange: "",
            routing_key: &queue.name,
        };
        let object = queue.object();
        match publisher.publish(target, body, properties).await {
            Ok(()) => Ok(()),
            Err(PublishError::Broker(error)) => Err(error),
            // The queue has been deleted: the next attempt opens another channel, and declares it.
            Err(PublishError::Unroutable { vhost, .. }) => Err(BrokerError::Missing {
                remedy: self.topology.remedy(&object),
                object,
                vhost,
                said: "the message came back".to_owned(),
            }),
            Err(PublishError::NotTaken { vhost }) => Err(BrokerError::NotTaken { object, vhost }),
        }
    }

    async fn declare(&self, connection: &BrokerConnection) {
        if let Err(error) = self.topology.ensure_dead_letters(connection).await {
            // A queue with other arguments takes messages all the same; the session reports it.
            let queue = &self.topology.dead_letters.name;
            debug!(queue, %error, "the dead letter queue is not as declared");
        }
    }
}
