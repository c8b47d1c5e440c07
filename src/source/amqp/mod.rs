//! RabbitMQ: two queues in, dead letters out.
//!
//! ```text
//! session ─ connect, back off, again
//!   └ consumer (one a queue) ─ activation (topology, takeover) ─ delivery_loop ─ journal ─ acks
//!                                        └ what can never succeed ─ dead_letters ─┘
//! ```
//!
//! What is not about deliveries, such as the connection and its errors, is [`crate::broker`]'s.

mod acks;
mod activation;
mod attempts;
mod consumer;
pub mod counts;
mod dead_letter_properties;
mod dead_letter_queue;
mod dead_letters;
mod deliveries;
mod delivery_loop;
mod depths;
mod event_publisher;
mod left_out;
mod letter;
mod mapped;
mod mapping;
mod pending_dead_letters;
mod session;
mod status;
mod submissions;
mod takeover;
mod topology;
mod watchdog;

use std::fmt;
use std::sync::Arc;

use crate::broker::SharedUri;

pub(crate) use dead_letter_queue::DeadLetterQueue;
pub use event_publisher::EventPublisher;
pub use left_out::LeftOut;
pub(crate) use letter::Letter;
pub use mapping::{Circumstances, MOST_OUTPUTS, Mapped, Mapping};
pub use pending_dead_letters::PendingDeadLetters;
pub use session::run;
pub use status::BrokerStatus;

#[cfg(test)]
pub(crate) use acks::{Ack, Acks};

/// How to reach the broker, and the names of what is there.
#[derive(Clone)]
pub struct Settings {
    /// The broker's address and credentials.
    pub uri: SharedUri,
    /// The topic exchange that publishers use.
    pub exchange: String,
    /// The queue of customers' messages.
    pub inbound_queue: String,
    /// The queue of ticks.
    pub status_queue: String,
    /// Where deliveries go that can never succeed.
    pub dead_letter_queue: String,
    /// What kind of queues are declared.
    pub queue_type: QueueType,
    /// Whether anything is declared and bound at all.
    pub declare: bool,
    /// The patterns by which the queue of customers' messages is bound.
    pub inbound_bindings: Vec<String>,
    /// The patterns by which the queue of ticks is bound.
    pub status_bindings: Vec<String>,
    /// How many deliveries of a queue may be unacknowledged.
    pub prefetch: u16,
    /// What makes events of bodies of another shape.
    pub mapping: Option<Arc<Mapping>>,
}

/// RabbitMQ's `x-queue-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueType {
    /// Replicated, and safe from a crash of the broker.
    Quorum,
    /// On one node.
    Classic,
}

impl QueueType {
    /// The value of the argument.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quorum => "quorum",
            Self::Classic => "classic",
        }
    }
}

impl Settings {
    /// Where the broker is, without its credentials.
    pub fn address(&self) -> String {
        self.uri.address()
    }

    /// Whom the broker knows the gateway as.
    pub fn user(&self) -> String {
        self.uri.user()
    }
}

impl fmt::Debug for Settings {
    // Credentials appear in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address())
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}
