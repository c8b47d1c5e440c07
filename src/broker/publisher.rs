//! Publishing one message after the other: as mandatory, confirmed, and only then done.
//!
//! It has a connection of its own. A broker that runs short of memory or disk stops reading from
//! connections that publish (<https://www.rabbitmq.com/docs/alarms>); acknowledgements must not
//! wait behind that.

use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::timeout;

use super::DEFAULT_EXCHANGE;
use super::broker_error::BrokerError;
use super::connection::{BrokerConnection, Traffic};
use super::operation::Operation;
use super::shared_uri::SharedUri;

/// A broker that has not confirmed by then is asked again, on another connection.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// A publish that comes back when no queue takes it.
const MANDATORY: BasicPublishOptions = BasicPublishOptions {
    mandatory: true,
    immediate: false,
};

/// Publishes with confirms, on a connection that is opened when there is something to publish.
pub(crate) struct Publisher {
    uri: SharedUri,
    purpose: &'static str,
    connection: Option<BrokerConnection>,
    /// With confirms. A refusal closes it, and leaves the connection.
    channel: Option<Channel>,
}

/// Where a message is published to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    /// Empty: the queue that is called as the routing key.
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
}

/// Why a message was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker cannot be reached, does not let us, or ended the conversation.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// No queue is bound for it.
    #[error(
        "no queue takes {routing_key} from exchange {exchange}; the gateway declares its queues when it starts"
    )]
    Unroutable {
        /// The exchange.
        exchange: String,
        /// The routing key that nothing is bound to.
        routing_key: String,
        /// The vhost.
        vhost: String,
    },
    /// A queue that it is routed to does not take it.
    #[error("a queue that it is routed to takes no more: it is full, or has no leader")]
    NotTaken {
        /// The vhost.
        vhost: String,
    },
}

impl Publisher {
    /// One that the broker will list under `purpose`.
    pub(crate) fn new(uri: SharedUri, purpose: &'static str) -> Self {
        Self {
            uri,
            purpose,
            connection: None,
            channel: None,
        }
    }

    /// Connects, unless it is connected. `Some` when the next publish opens a channel: what it is for
    /// may have to be declared first.
    ///
    /// # Errors
    /// When there is no way in.
    pub(crate) async fn connect(&mut self) -> Result<Option<&BrokerConnection>, BrokerError> {
        let connection = match self.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => BrokerConnection::open(&self.uri, self.purpose, Traffic::Publishes).await?,
        };
        let channel = self.channel.take();
        self.channel = channel.filter(|channel| channel.status().connected());
        let connection = self.connection.insert(connection);
        Ok(self.channel.is_none().then_some(connection))
    }

    /// Publishes one message, and waits for the broker's confirm. One at a time: the library assigns
    /// a returned message by the order of confirms, so that with two in flight one may be taken for
    /// the other. After an error the next one connects again, as far as that is needed.
    ///
    /// # Errors
    /// [`PublishError`] says what to look at.
    pub(crate) async fn publish(
        &mut self,
        target: Target<'_>,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), PublishError> {
        // Taken, and put back when they are good for the next: it may be given up anywhere.
        let connection = match self.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => BrokerConnection::open(&self.uri, self.purpose, Traffic::Publishes).await?,
        };
        let channel = match self.channel.take() {
            Some(channel) if channel.status().connected() => channel,
            _ => match connection.within(connection.confirming_channel()).await {
                Ok(channel) => channel,
                Err(error) => {
                    self.connection = Some(connection);
                    return Err(error.into());
                }
            },
        };
        let Target {
            exchange,
            routing_key,
        } = target;
        let confirmed = timeout(CONFIRM_TIMEOUT, async {
            let (exchange, routing_key) = (exchange.into(), routing_key.into());
            let published =
                channel.basic_publish(exchange, routing_key, MANDATORY, body, properties);
            published.await?.await
        });
        let Ok(confirmed) = confirmed.await else {
            return Err(connection.unconfirmed(CONFIRM_TIMEOUT).into());
        };
        let vhost = connection.vhost().to_owned();
        let (channel, result) = match confirmed {
            Ok(Confirmation::Ack(None)) => (Some(channel), Ok(())),
            // What it was meant for is gone: the next one opens another channel, and looks.
            Ok(Confirmation::Ack(Some(_))) => {
                let unroutable = PublishError::Unroutable {
                    exchange: exchange.to_owned(),
                    routing_key: routing_key.to_owned(),
                    vhost,
                };
                (None, Err(unroutable))
            }
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => {
                (Some(channel), Err(PublishError::NotTaken { vhost }))
            }
            Err(error) => {
                let name = if exchange.is_empty() {
                    DEFAULT_EXCHANGE
                } else {
                    exchange
                };
                let operation = Operation::Publish(name.to_owned());
                (None, Err(connection.error(&operation, &error).into()))
            }
        };
        self.connection = Some(connection);
        self.channel = channel;
        result
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// When the broker does not close in turn.
    pub(crate) async fn close(self) -> Result<(), BrokerError> {
        let Some(connection) = self.connection else {
            return Ok(());
        };
        let closed = connection.lapin().close(200, "done".into()).await;
        closed.map_err(|error| connection.error(&Operation::UseConnection, &error))
    }
}
