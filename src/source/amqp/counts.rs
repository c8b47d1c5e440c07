//! What has become of deliveries, and how the connection has fared, for the metrics.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::conversation::{EventName, Kind, Published, Reason};
use crate::counter::{Counter, CounterSet};
use crate::lock::Mutex;
use crate::source::counts::EventCounts;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct AmqpCounts {
    /// The queue of customers' messages.
    pub inbound: QueueCounts,
    /// The queue of ticks.
    pub status: QueueCounts,
    /// What has become of attempts to connect, and of connections.
    pub connections: ConnectionCounts,
    /// What was last seen of the queues.
    pub depths: Depths,
}

impl AmqpCounts {
    /// Those of the queue that carries these events.
    pub fn queue(&self, kind: Kind) -> &QueueCounts {
        match kind {
            Kind::StatusUpdate => &self.status,
            Kind::InboundMessage | Kind::OutboundMessage => &self.inbound,
        }
    }
}

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The mapping has made nothing of it.
    Ignored,
    /// A newer status was known.
    Stale,
    /// It repeated one.
    Duplicate,
    /// Its event was new; of several events, one at least.
    Accepted,
    /// It is in the dead letter queue.
    DeadLettered,
    /// The channel ended before it was acknowledged: the queue has it again.
    Returned,
}

impl From<Published> for Outcome {
    fn from(published: Published) -> Self {
        match published {
            Published::New(_) | Published::Early(_) => Self::Accepted,
            Published::Duplicate(_) => Self::Duplicate,
            Published::Stale(_) => Self::Stale,
        }
    }
}

/// Counts of one queue.
#[derive(Debug)]
pub struct QueueCounts {
    /// Deliveries, by what has become of them.
    pub outcomes: CounterSet<Outcome, 6>,
    /// Those in the dead letter queue, by the reason.
    pub dead_letters: CounterSet<Reason, { Reason::ALL.len() }>,
    /// The events that were new.
    pub events: EventCounts,
    /// Times that the queue had messages and delivered none.
    pub stalls: Counter,
}

impl Default for QueueCounts {
    fn default() -> Self {
        Self {
            outcomes: CounterSet::new([
                (Outcome::Accepted, "accepted"),
                (Outcome::Duplicate, "duplicate"),
                (Outcome::Stale, "stale"),
                (Outcome::Ignored, "ignored"),
                (Outcome::DeadLettered, "dead_lettered"),
                (Outcome::Returned, "returned"),
            ]),
            dead_letters: CounterSet::new(Reason::ALL.map(|reason| (reason, reason.as_str()))),
            events: EventCounts::default(),
            stalls: Counter::default(),
        }
    }
}

impl QueueCounts {
    /// Counts an event of this name that came `at`, if it was new.
    pub(super) fn count(&self, name: &EventName, published: Published, at: OffsetDateTime) {
        if let Published::New(_) = published {
            self.events.note(name, at);
        }
    }
}

/// What has become of connections to the broker, of those that consume.
#[derive(Debug, Default)]
pub struct ConnectionCounts {
    /// The broker has let the gateway in.
    pub opened: Counter,
    /// There was no way in.
    pub failed: Counter,
    /// A connection that was open has ended.
    pub lost: Counter,
}

/// What the broker has said of its queues, where it has said anything lately.
#[derive(Debug, Default)]
pub struct Depths(Mutex<BTreeMap<&'static str, Depth>>);

/// What a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Messages that wait to be delivered.
    pub ready: u32,
    /// Consumers, by the broker's count.
    pub consumers: u32,
}

impl Depths {
    /// The queues of which it is known, by the part that they are among the checks.
    pub fn all(&self) -> BTreeMap<&'static str, Depth> {
        self.0.lock().clone()
    }

    /// The broker has said this of a queue; `None`: it says nothing.
    pub(super) fn set(&self, part: &'static str, depth: Option<Depth>) {
        let mut known = self.0.lock();
        match depth {
            Some(depth) => known.insert(part, depth),
            None => known.remove(part),
        };
    }

    /// How many messages wait in this queue, where it is known.
    pub(super) fn ready(&self, part: &str) -> Option<u32> {
        self.0.lock().get(part).map(|depth| depth.ready)
    }

    /// Nothing is known any more.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }
}
