//! What the gateway expects at the broker, and declares where it is missing.

use lapin::options::BasicPublishOptions;

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
    /// Whether the gateway declares and binds what is missing, or somebody else does.
    pub declare: bool,
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
            declare: settings.declare,
        }
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
