//! The playground's connection to the broker, kept from one press of a button to the next.

use tokio::sync::Mutex;

use super::error::PlaygroundError;
use crate::broker::PublishError;
use crate::conversation::{ConversationKey, Delivered, Kind};
use crate::source::amqp::{EventPublisher, Settings};

/// A publisher that connects when it is needed.
pub(super) struct Broker(Mutex<EventPublisher>);

impl Broker {
    pub(super) fn new(settings: &Settings) -> Self {
        Self(Mutex::new(EventPublisher::new(settings)))
    }

    /// Publishes an event that the gateway would take. What the broker was asked to take and may
    /// have taken is published again over a new connection: it has a messageId.
    pub(super) async fn publish(
        &self,
        kind: Kind,
        key: &ConversationKey,
        body: &[u8],
    ) -> Result<(), PlaygroundError> {
        // The gateway would put it among the dead letters, or leave a field out: say so here instead.
        Delivered::now(kind, body)
            .check()
            .map_err(|rejection| PlaygroundError::invalid(rejection.detail))?;
        self.publish_as_is(kind, key, body).await
    }

    /// Publishes a body that nobody has looked at.
    pub(super) async fn publish_as_is(
        &self,
        kind: Kind,
        key: &ConversationKey,
        body: &[u8],
    ) -> Result<(), PlaygroundError> {
        let mut publisher = self.0.lock().await;
        match publisher.publish(kind, key, body).await {
            Err(PublishError::Broker(_)) => Ok(publisher.publish(kind, key, body).await?),
            published => Ok(published?),
        }
    }
}
