//! What stands in the text of RabbitMQ's replies, and nowhere else.
//!
//! Only words depend on it, and whether an exchange's argument is one that does not matter; a text
//! of another form says nothing.

/// A reply's text, as far as its form is known (RabbitMQ 3.10 to 4.x).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) refused: Option<Refused>,
    /// Such as `queue gateway.status_update`.
    pub(crate) missing: Option<String>,
    pub(crate) difference: Option<Difference>,
}

/// Why a code that means several things was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NoVhost,
    Limit,
    InUse,
    /// The stream has no copy on the node.
    NoReplica,
}

/// What is otherwise than it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The argument (`x-queue-type`) or the property (`durable`).
    pub name: String,
    /// What it was declared with.
    pub ours: String,
    /// What it has.
    pub theirs: String,
}

impl Reply {
    pub(crate) fn read(text: &str) -> Self {
        Self {
            refused: refused(text),
            missing: missing(text),
            difference: difference(text),
        }
    }
}

fn refused(text: &str) -> Option<Refused> {
    if text.ends_with("not found") {
        Some(Refused::NoVhost)
    } else if text.contains(" limit ") {
        Some(Refused::Limit)
    } else if text.ends_with("in exclusive use") {
        Some(Refused::InUse)
    } else if text.ends_with(" replica on the local node") {
        Some(Refused::NoReplica)
    } else {
        None
    }
}

fn missing(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(" no ")?;
    let (kind, rest) = rest.split_once(" '")?;
    let (name, _) = rest.rsplit_once("' in vhost '")?;
    Some(format!("{kind} {name}"))
}

fn difference(text: &str) -> Option<Difference> {
    let (_, rest) = text.split_once("inequivalent arg '")?;
    let (name, rest) = rest.split_once("' for ")?;
    let (_, values) = rest.split_once(": received ")?;
    let (ours, theirs) = values.split_once(" but current is ")?;
    let [ours, theirs] = [ours, theirs].map(|value| {
        let value = value.trim_start_matches("the value ");
        let (value, _) = value.split_once(" of type ").unwrap_or((value, ""));
        value.trim_matches('\'').to_owned()
    });
    Some(Difference {
        name: name.to_owned(),
        ours,
        theirs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_with_both_values() {
        let difference = |text: &str| {
            let difference = Reply::read(text).difference.unwrap();
            [difference.name, difference.ours, difference.theirs]
        };
        let text = "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost \
                    'v': received none but current is the value '3' of type 'signedint'";
        assert_eq!(difference(text), ["x-max-length", "none", "3"]);
        let text = "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost \
                    'v': received the value 'quorum' of type 'longstr' but current is none";
        assert_eq!(difference(text), ["x-queue-type", "quorum", "none"]);
        let text = "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'e' in vhost 'v': \
                    received 'topic' but current is 'direct'";
        assert_eq!(difference(text), ["type", "topic", "direct"]);
    }

    #[test]
    fn a_stream_without_a_copy_on_the_node_is_told_in_the_words_of_each_version() {
        for text in [
            "PRECONDITION_FAILED - queue 'queue 'j' in vhost '/'' does not have a replica on the local node",
            "PRECONDITION_FAILED - stream queue 'j' in vhost '/' does not have a running replica on the local node",
        ] {
            assert_eq!(
                Reply::read(text).refused,
                Some(Refused::NoReplica),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let reply = Reply::read("NOT_FOUND - no exchange 'whatsapp.events' in vhost '/'");
        assert_eq!(reply.missing.as_deref(), Some("exchange whatsapp.events"));
    }

    #[test]
    fn a_text_of_another_form_or_cut_off_says_nothing() {
        for text in [
            "",
            "PRECONDITION_FAILED - inequivalent arg 'x-max",
            "PRECONDITION_FAILED - inequivalent arg 'x' for queue 'q' in vhost 'v': received no",
            "NOT_FOUND - no queue 'q",
        ] {
            assert_eq!(Reply::read(text), Reply::default(), "{text}");
        }
    }
}
