//! What the gateway expects at the broker, and declares where it is missing.

use lapin::options::BasicPublishOptions;

use super::{QueueType, Settings};

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
    /// The patterns by which it is bound to the exchange.
    pub bindings: Vec<String>,
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
        Self {
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

/// Whether a topic exchange routes what is published with `key` to a queue bound with `binding`.
pub fn key_matches(binding: &str, key: &str) -> bool {
    let words = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    match_words(&words(binding), &words(key))
}

fn match_words(binding: &[String], key: &[String]) -> bool {
    let Some((first, rest)) = binding.split_first() else {
        return key.is_empty();
    };
    if first == "#" {
        return (0..=key.len()).any(|skipped| match_words(rest, &key[skipped..]));
    }
    let Some((word, others)) = key.split_first() else {
        return false;
    };
    (first == "*" || first == word) && match_words(rest, others)
}

/// A publish that comes back when no queue takes it.
pub(super) const MANDATORY: BasicPublishOptions = BasicPublishOptions {
    mandatory: true,
    immediate: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_words() {
        for (binding, key, is_match) in [
            ("inbound_message.#", "inbound_message", true),
            ("inbound_message.#", "inbound_message.acme.c-1", true),
            ("inbound_message.#", "inbound_messages", false),
            ("#", "", true),
            ("#", "a.b", true),
            ("*", "a", true),
            ("*", "a.b", false),
            ("*.b.#", "a.b", true),
            ("*.b.#", "a.c.b", false),
            ("#.b", "a.c.b", true),
            ("#.b.#", "a.c", false),
            ("a.b", "a.b", true),
            ("a.b", "a", false),
        ] {
            assert_eq!(key_matches(binding, key), is_match, "{binding} {key}");
        }
    }
}
