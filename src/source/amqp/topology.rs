//! What the gateway expects at the broker.

use super::{QueueType, Settings};
use crate::broker::{Argument, Queue, Topology};

impl Settings {
    /// The exchange and the queues that they ask for.
    pub fn topology(&self) -> Topology {
        let settings = self;
        let consumed = |name: &str, bindings: &[String]| Queue {
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
            bindings: bindings.to_vec(),
        };
        Topology {
            exchange: settings.exchange.clone(),
            inbound: consumed(&settings.inbound_queue, &settings.inbound_bindings),
            status: consumed(&settings.status_queue, &settings.status_bindings),
            dead_letters: Queue {
                name: settings.dead_letter_queue.clone(),
                arguments: vec![queue_type(settings.queue_type)],
                bindings: Vec::new(),
            },
            declare: settings.declare,
        }
    }
}

fn queue_type(queue_type: QueueType) -> (&'static str, Argument) {
    let value = Argument::Text(queue_type.as_str().to_owned());
    ("x-queue-type", value)
}
