//! The events that a source has taken, for the metrics.

use time::OffsetDateTime;

use crate::conversation::EventName;
use crate::counter::{CounterSet, LastTime};

/// Under what an event is counted. The relay takes any name: those that are not known here are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EventLabel {
    Inbound,
    Status,
    Outbound,
    Other,
}

/// Counts since the start, of one source.
#[derive(Debug)]
pub struct EventCounts {
    names: CounterSet<EventLabel, 4>,
    last: LastTime,
}

impl Default for EventCounts {
    fn default() -> Self {
        Self {
            names: CounterSet::new([
                (EventLabel::Inbound, "inbound_message"),
                (EventLabel::Status, "status_update"),
                (EventLabel::Outbound, "outbound_message"),
                (EventLabel::Other, "other"),
            ]),
            last: LastTime::default(),
        }
    }
}

impl EventCounts {
    /// An event of this name was new; it came `at`.
    pub fn note(&self, name: &EventName, at: OffsetDateTime) {
        self.names.count(&match name {
            EventName::InboundMessage => EventLabel::Inbound,
            EventName::StatusUpdate => EventLabel::Status,
            EventName::Other(name) if **name == *"outbound_message" => EventLabel::Outbound,
            EventName::Other(_) => EventLabel::Other,
        });
        self.last.note(at);
    }

    /// How many there were, by name.
    pub fn by_name(&self) -> &CounterSet<impl PartialEq, 4> {
        &self.names
    }

    /// When the last one came.
    pub fn last(&self) -> &LastTime {
        &self.last
    }
}
