//! An exchange and queues, as they are to be at the broker.

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
    /// A whole number.
    Number(i64),
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
