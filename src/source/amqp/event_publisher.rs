//! Publishing events as the webhook service does, for `publish` and for the demo.

use lapin::BasicProperties;

use super::Settings;
use crate::broker::{BrokerError, PublishError, Publisher, Target};
use crate::conversation::{ConversationKey, Kind};

/// AMQP's longest routing key, in bytes.
const ROUTING_KEY_LIMIT: usize = 255;

/// Publishes events with confirms.
pub struct EventPublisher {
    exchange: String,
    publisher: Publisher,
}

impl EventPublisher {
    /// One that connects when it is needed.
    pub fn new(settings: &Settings) -> Self {
        Self {
            exchange: settings.exchange.clone(),
            publisher: Publisher::new(settings.uri.clone(), "publisher"),
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// When there is no way in.
    pub async fn connect(settings: &Settings) -> Result<Self, BrokerError> {
        let mut publisher = Self::new(settings);
        publisher.publisher.connect().await?;
        Ok(publisher)
    }

    /// Publishes one event through the exchange, and waits for the broker's confirm.
    ///
    /// # Errors
    /// [`PublishError`] says what to look at.
    pub async fn publish(
        &mut self,
        kind: Kind,
        key: &ConversationKey,
        body: &[u8],
    ) -> Result<(), PublishError> {
        let target = Target {
            exchange: &self.exchange,
            routing_key: &routing_key(kind, key),
        };
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(2);
        self.publisher.publish(target, body, properties).await
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// When the broker does not close in turn.
    pub async fn close(self) -> Result<(), BrokerError> {
        self.publisher.close().await
    }
}

/// The event's name and the conversation, as far as AMQP allows; the body names it anyway.
fn routing_key(kind: Kind, key: &ConversationKey) -> String {
    let full = format!("{}.{}.{}", kind.as_str(), key.tenant, key.conversation);
    if full.len() <= ROUTING_KEY_LIMIT {
        full
    } else {
        kind.as_str().to_owned()
    }
}
