//! Publishing events as the webhook service does, for `publish` and for the demo.

use std::time::Duration;

use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::timeout;

use super::Settings;
use super::broker_error::BrokerError;
use super::connection::BrokerConnection;
use super::operation::Operation;
use super::topology::MANDATORY;
use crate::conversation::{ConversationKey, Kind};

/// How long the broker may take to confirm an event.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// AMQP's longest routing key, in bytes.
const ROUTING_KEY_LIMIT: usize = 255;

/// A connection that publishes with confirms.
pub struct Publisher {
    exchange: String,
    connection: BrokerConnection,
    channel: Channel,
}

/// Why an event was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker cannot be reached, does not let us, or ended the conversation.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// No queue is bound for the event.
    #[error(
        "no queue takes {routing_key} from exchange {exchange}; the gateway declares its queues when it starts"
    )]
    Unroutable {
        /// The exchange.
        exchange: String,
        /// The routing key that nothing is bound to.
        routing_key: String,
    },
    /// The broker did not take responsibility.
    #[error("the broker did not confirm the event")]
    Unconfirmed,
}

impl Publisher {
    /// Connects.
    ///
    /// # Errors
    /// [`PublishError::Broker`].
    pub async fn connect(settings: &Settings) -> Result<Self, PublishError> {
        let connection = BrokerConnection::open(settings, "publisher").await?;
        let channel = connection.within(connection.confirming_channel()).await?;
        Ok(Self {
            exchange: settings.exchange.clone(),
            connection,
            channel,
        })
    }

    /// Publishes one event through the exchange, and waits for the broker's confirm.
    ///
    /// # Errors
    /// [`PublishError`] says what to look at.
    pub async fn publish(
        &self,
        kind: Kind,
        key: &ConversationKey,
        body: &[u8],
    ) -> Result<(), PublishError> {
        let routing_key = routing_key(kind, key);
        let confirmation = async {
            self.channel
                .basic_publish(
                    self.exchange.as_str().into(),
                    routing_key.as_str().into(),
                    MANDATORY,
                    body,
                    BasicProperties::default()
                        .with_content_type("application/json".into())
                        .with_delivery_mode(2),
                )
                .await?
                .await
        };
        let confirmation = match timeout(CONFIRM_TIMEOUT, confirmation).await {
            Ok(confirmation) => confirmation.map_err(|error| {
                let operation = Operation::Publish(self.exchange.clone());
                self.connection.error(&operation, &error)
            })?,
            Err(_) => return Err(PublishError::Unconfirmed),
        };
        match confirmation {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err(PublishError::Unroutable {
                exchange: self.exchange.clone(),
                routing_key,
            }),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(PublishError::Unconfirmed),
        }
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// [`PublishError::Broker`].
    pub async fn close(self) -> Result<(), PublishError> {
        let closed = self.connection.lapin().close(200, "done".into()).await;
        closed.map_err(|error| {
            self.connection
                .error(&Operation::UseConnection, &error)
                .into()
        })
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
