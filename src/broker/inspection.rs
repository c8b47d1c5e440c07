//! Looks at what is at the broker, and at what the user may do there, without changing anything.
//!
//! A passive declaration tells whether something is there and takes no permission. It compares
//! nothing. A declaration that compares would make what is missing, so each of those here has an
//! argument of a type that RabbitMQ refuses: what is missing it does not make then, and what is
//! there it compares first, that argument last. A consumer is asked for in the same way, and what
//! is unbound was never bound. Each of these takes the permission of what it looks like.

use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, ExchangeKind};
use rand::distr::{Alphanumeric, SampleString as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::DEFAULT_EXCHANGE;
use super::broker_error::BrokerError;
use super::connection::{ANSWER_TIMEOUT, BrokerConnection, no_answer};
use super::declaration::OF_AN_EXCHANGE;
use super::operation::Operation;
use super::redacted_uri::RedactedUri;
use super::shared_uri::SharedUri;
use super::topology::Queue;

/// The argument of a queue that is compared after all others.
const LAST_OF_A_QUEUE: &str = "x-queue-leader-locator";

/// The argument of an exchange that is compared after its properties.
const LAST_OF_AN_EXCHANGE: &str = "alternate-exchange";

/// What waits in a queue, and who consumes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Messages that nobody has yet.
    pub(crate) ready: u32,
    /// Consumers; of a quorum queue, those that are active.
    pub(crate) consumers: u32,
}

/// Finds the broker's address, and connects to it without a word of AMQP.
///
/// # Errors
/// When there is no such host, or nothing that takes a connection.
pub(crate) async fn reach(uri: &SharedUri) -> Result<String, BrokerError> {
    let uri = RedactedUri::new(&uri.access());
    let reaching = async {
        let found = lookup_host((&*uri.host, uri.port)).await;
        let found = found.map_err(|error| BrokerError::UnknownHost {
            host: uri.host.clone(),
            said: error.to_string(),
        })?;
        let mut refusal = None;
        for socket in found {
            match TcpStream::connect(socket).await {
                Ok(_) => return Ok(socket.to_string()),
                Err(error) => refusal = Some(error),
            }
        }
        // A name that is known has an address.
        let error = refusal.unwrap_or_else(|| std::io::ErrorKind::AddrNotAvailable.into());
        let said = error.to_string();
        Err(BrokerError::while_connecting(&uri, &error, said))
    };
    let reached = timeout(ANSWER_TIMEOUT, reaching).await;
    reached.unwrap_or_else(|_| Err(no_answer(&uri)))
}

/// The TLS that connections are opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsUse {
    /// None.
    Off,
    /// The broker shows its certificate.
    OneSided,
    /// The gateway shows its own as well.
    Mutual,
}

impl TlsUse {
    /// What `uri` asks for.
    pub(crate) fn of(uri: &SharedUri) -> Self {
        let uri = RedactedUri::new(&uri.access());
        match (uri.has_tls, uri.is_identified) {
            (false, _) => Self::Off,
            (true, false) => Self::OneSided,
            (true, true) => Self::Mutual,
        }
    }
}

/// Looks, over a connection.
#[derive(Clone, Copy)]
pub(crate) struct Inspection<'a>(pub(crate) &'a BrokerConnection);

impl Inspection<'_> {
    /// Whether there is such an exchange.
    ///
    /// # Errors
    /// When the broker does not say.
    pub(crate) async fn exchange_exists(self, name: &str) -> Result<bool, BrokerError> {
        let options = ExchangeDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let declare = async |channel: Channel| {
            let (kind, arguments) = (ExchangeKind::Topic, FieldTable::default());
            channel
                .exchange_declare(name.into(), kind, options, arguments)
                .await
        };
        let operation = Operation::Inspect(format!("exchange {name}"));
        match self.0.ask(operation, declare).await {
            Ok(()) => Ok(true),
            Err(BrokerError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The exchange, should it be there, is a durable topic exchange, and the user may declare it.
    ///
    /// # Errors
    /// [`BrokerError::Differs`] or [`BrokerError::NoPermission`], or when the broker does not say.
    pub(crate) async fn compare_exchange(self, name: &str) -> Result<(), BrokerError> {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..Default::default()
        };
        let declare = async |channel: Channel| {
            let arguments = invalid(LAST_OF_AN_EXCHANGE);
            channel
                .exchange_declare(name.into(), ExchangeKind::Topic, options, arguments)
                .await
        };
        let operation = Operation::Declare(format!("exchange {name}"));
        match self.0.ask(operation, declare).await {
            Err(BrokerError::Differs {
                difference: Some(difference),
                ..
            }) if !OF_AN_EXCHANGE.contains(&&*difference.name) => Ok(()),
            Err(error) if was_only_invalid(&error) => Ok(()),
            other => other,
        }
    }

    /// What waits in the queue; `None`: it is not there.
    ///
    /// # Errors
    /// When the broker does not say.
    pub(crate) async fn depth(self, queue: &Queue) -> Result<Option<Depth>, BrokerError> {
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let declare = async |channel: Channel| {
            let name = queue.name.as_str().into();
            channel
                .queue_declare(name, options, FieldTable::default())
                .await
        };
        let operation = Operation::Inspect(queue.object());
        match self.0.ask(operation, declare).await {
            Ok(declared) => Ok(Some(Depth {
                ready: declared.message_count(),
                consumers: declared.consumer_count(),
            })),
            Err(BrokerError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The queue, should it be there, has these arguments and no others, and the user may declare it.
    ///
    /// # Errors
    /// [`BrokerError::Differs`] or [`BrokerError::NoPermission`], or when the broker does not say.
    pub(crate) async fn compare_queue(self, queue: &Queue) -> Result<(), BrokerError> {
        let options = QueueDeclareOptions {
            durable: true,
            ..Default::default()
        };
        let declare = async |channel: Channel| {
            let mut arguments = queue.argument_table();
            for (name, value) in invalid(LAST_OF_A_QUEUE).inner() {
                arguments.insert(name.clone(), value.clone());
            }
            let declared = channel.queue_declare(queue.name.as_str().into(), options, arguments);
            declared.await.map(drop)
        };
        let operation = Operation::Declare(queue.object());
        match self.0.ask(operation, declare).await {
            Err(BrokerError::Differs {
                difference: Some(difference),
                ..
            }) if difference.name == LAST_OF_A_QUEUE && difference.theirs == "none" => Ok(()),
            Err(error) if was_only_invalid(&error) => Ok(()),
            other => other,
        }
    }

    /// The user may read the queue.
    ///
    /// # Errors
    /// [`BrokerError::NoPermission`], or when the broker does not say.
    pub(crate) async fn may_read(self, queue: &Queue) -> Result<(), BrokerError> {
        let consume = async |channel: Channel| {
            let mut arguments = FieldTable::default();
            arguments.insert("x-priority".into(), AMQPValue::LongString("none".into()));
            let options = BasicConsumeOptions::default();
            let consumer =
                channel.basic_consume(queue.name.as_str().into(), "".into(), options, arguments);
            consumer.await.map(drop)
        };
        match self
            .0
            .ask(Operation::Consume(queue.object()), consume)
            .await
        {
            // What the permission would have led to.
            Err(BrokerError::ChannelClosed { .. } | BrokerError::Missing { .. }) => Ok(()),
            other => other,
        }
    }

    /// The user may bind the queue to the exchange.
    ///
    /// # Errors
    /// [`BrokerError::NoPermission`], or when the broker does not say.
    pub(crate) async fn may_bind(self, queue: &Queue, exchange: &str) -> Result<(), BrokerError> {
        let unbind = async |channel: Channel| {
            let (queue, key) = (queue.name.as_str().into(), random_word());
            let key = key.as_str().into();
            let unbound = channel.queue_unbind(queue, exchange.into(), key, FieldTable::default());
            unbound.await
        };
        let operation = Operation::Bind {
            queue: queue.object(),
            exchange: format!("exchange {exchange}"),
        };
        match self.0.ask(operation, unbind).await {
            Err(BrokerError::Missing { .. }) => Ok(()),
            other => other,
        }
    }

    /// The user may publish to the default exchange: a message for a queue that nobody has.
    ///
    /// # Errors
    /// [`BrokerError::NoPermission`], or when the broker does not say.
    pub(crate) async fn may_publish_to_queues(self) -> Result<(), BrokerError> {
        let publish = async |channel: Channel| {
            let confirms = ConfirmSelectOptions::default();
            channel.confirm_select(confirms).await?;
            let options = BasicPublishOptions {
                mandatory: true,
                ..Default::default()
            };
            let key = random_word();
            let (exchange, properties) = ("".into(), BasicProperties::default());
            let published =
                channel.basic_publish(exchange, key.as_str().into(), options, b"", properties);
            published.await?.await.map(drop)
        };
        let operation = Operation::Publish(DEFAULT_EXCHANGE.to_owned());
        match self.0.ask(operation, publish).await {
            Err(BrokerError::NoAnswer { .. }) => Err(self.0.unconfirmed(ANSWER_TIMEOUT)),
            other => other,
        }
    }
}

/// An argument of a type that this one cannot have.
fn invalid(name: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert(name.into(), AMQPValue::Boolean(true));
    arguments
}

/// Nothing is there that could differ, and the broker refuses what it was meant to refuse.
fn was_only_invalid(error: &BrokerError) -> bool {
    matches!(error, BrokerError::Differs { difference: None, said, .. } if said.contains(" invalid "))
}

/// A name that nothing at the broker has.
fn random_word() -> String {
    let word = Alphanumeric.sample_string(&mut rand::rng(), 24);
    format!("agent-gateway.check.{word}")
}
