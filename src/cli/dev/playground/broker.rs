//! The playground's connection to the broker, kept from one press of a button to the next.

use tokio::sync::Mutex;

use super::error::PlaygroundError;
use crate::conversation::{ConversationKey, Delivered, Kind};
use crate::source::amqp::{PublishError, Publisher, Settings};

/// A publisher that connects when it is needed.
pub(super) struct Broker {
    settings: Settings,
    publisher: Mutex<Option<Publisher>>,
}

impl Broker {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            publisher: Mutex::default(),
        }
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
        let mut kept = self.publisher.lock().await;
        if let Some(publisher) = kept.take()
            && publisher.publish(kind, key, body).await.is_ok()
        {
            *kept = Some(publisher);
            return Ok(());
        }
        *kept = Some(self.publish_anew(kind, key, body).await?);
        Ok(())
    }

    async fn publish_anew(
        &self,
        kind: Kind,
        key: &ConversationKey,
        body: &[u8],
    ) -> Result<Publisher, PublishError> {
        let publisher = Publisher::connect(&self.settings).await?;
        publisher.publish(kind, key, body).await?;
        Ok(publisher)
    }
}
