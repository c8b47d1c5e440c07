//! What the gateway expects at the broker, and declares where it is missing.

use lapin::options::{
    BasicPublishOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use super::{QueueType, Settings};
use crate::conversation::Kind;

/// The exchange and the queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The durable topic exchange.
    pub exchange: String,
    /// The queue of customers' messages.
    pub inbound: Queue,
    /// The queue of ticks.
    pub status: Queue,
    /// The queue of what could not be delivered.
    pub dead_letters: Queue,
}

/// A durable queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<(&'static str, Argument)>,
    /// The pattern by which it is bound to the exchange, if it is.
    pub binding: Option<String>,
}

/// The value of a queue's argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A string.
    Text(String),
    /// A boolean.
    Flag(bool),
}

impl Topology {
    /// What `settings` ask for.
    pub fn new(settings: &Settings) -> Self {
        let consumed = |name: &str, kind: Kind| Queue {
            name: name.to_owned(),
            arguments: vec![
                queue_type(settings.queue_type),
                // One replica at a time takes deliveries, so that their order is kept.
                ("x-single-active-consumer", Argument::Flag(true)),
                // What the broker itself gives up on (its delivery limit) goes there as well.
                ("x-dead-letter-exchange", Argument::Text(String::new())),
                (
                    "x-dead-letter-routing-key",
                    Argument::Text(settings.dead_letter_queue.clone()),
                ),
            ],
            binding: Some(format!("{}.#", kind.as_str())),
        };
        Self {
            exchange: settings.exchange.clone(),
            inbound: consumed(&settings.inbound_queue, Kind::InboundMessage),
            status: consumed(&settings.status_queue, Kind::StatusUpdate),
            dead_letters: Queue {
                name: settings.dead_letter_queue.clone(),
                arguments: vec![queue_type(settings.queue_type)],
                binding: None,
            },
        }
    }

    /// Declares the dead letter queue, on a channel of its own: a refusal closes the channel.
    pub(super) async fn declare_dead_letters(&self, connection: &Connection) -> lapin::Result<()> {
        let channel = connection.create_channel().await?;
        self.dead_letters.declare(&channel, &self.exchange).await?;
        channel.close(200, "done".into()).await
    }

    /// Declares the exchange, on a channel of its own: a refusal closes the channel.
    pub(super) async fn declare_exchange(&self, connection: &Connection) -> lapin::Result<()> {
        let channel = connection.create_channel().await?;
        channel
            .exchange_declare(
                self.exchange.as_str().into(),
                ExchangeKind::Topic,
                ExchangeDeclareOptions {
                    durable: true,
                    ..Default::default()
                },
                FieldTable::default(),
            )
            .await?;
        channel.close(200, "done".into()).await
    }
}

impl Queue {
    /// Declares the queue and binds it.
    ///
    /// # Errors
    /// The broker's refusal names the queue and the argument that differs. It has closed the
    /// channel then.
    pub(super) async fn declare(&self, channel: &Channel, exchange: &str) -> lapin::Result<()> {
        let mut arguments = FieldTable::default();
        for (name, value) in &self.arguments {
            let value = match value {
                Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
                Argument::Flag(flag) => AMQPValue::Boolean(*flag),
            };
            arguments.insert((*name).into(), value);
        }
        let options = QueueDeclareOptions {
            durable: true,
            ..Default::default()
        };
        channel
            .queue_declare(self.name.as_str().into(), options, arguments)
            .await?;
        if let Some(binding) = &self.binding {
            channel
                .queue_bind(
                    self.name.as_str().into(),
                    exchange.into(),
                    binding.as_str().into(),
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await?;
        }
        Ok(())
    }
}

fn queue_type(queue_type: QueueType) -> (&'static str, Argument) {
    let value = Argument::Text(queue_type.as_str().to_owned());
    ("x-queue-type", value)
}

/// A publish that comes back when no queue takes it.
pub(super) const MANDATORY: BasicPublishOptions = BasicPublishOptions {
    mandatory: true,
    immediate: false,
};
