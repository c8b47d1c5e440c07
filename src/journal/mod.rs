//! The journal puts accepted events in one order and gives each a position.
//!
//! Invariant 4 of the project starts here: when what [`Journal::submit`] gives has resolved, the event
//! is in its conversation's window and has been offered to the members, so that its delivery may be
//! acknowledged and its relay call answered.

mod memory;
mod stream;
mod submitted;

use std::collections::BTreeMap;

use tokio::sync::mpsc;

pub use crate::conversation::Published;
pub use memory::MemoryJournal;
pub use stream::counts::StreamCounts;
#[cfg(test)]
pub(crate) use stream::steps;
pub use stream::{Greeting, StreamJournal, StreamSettings, StreamTasks};
pub use submitted::{NotTaken, Submitted};

use crate::broker::Check;
use crate::conversation::{Arrival, Batch, Event, Selection};

/// Where events get their places.
pub enum Journal {
    /// In this process, at once.
    Memory(MemoryJournal),
    /// In a RabbitMQ stream, which all replicas read.
    Stream(StreamJournal),
}

impl Journal {
    /// Submits an event of a delivery. One that has its place at once goes out to members when `batch`
    /// is flushed.
    pub fn submit(&self, event: Event, batch: &mut Batch) -> Submitted {
        match self {
            Self::Memory(memory) => memory.append(event, batch).into(),
            Self::Stream(stream) => stream.submit(event, batch.published_before()),
        }
    }

    /// Submits an event of the relay, whether the broker is there or not.
    ///
    /// # Errors
    /// Too much waits for the broker already.
    pub async fn relay(&self, event: Event, arrival: Arrival) -> Result<Published, NotTaken> {
        match self {
            Self::Memory(memory) => {
                let mut batch = Batch::default();
                batch.arrived(arrival);
                let published = memory.append(event, &mut batch);
                batch.flush().await;
                Ok(published)
            }
            Self::Stream(stream) => stream.relay(event).await,
        }
    }

    /// Has other replicas disconnect these members as well; `false` when they come to it later.
    pub async fn disconnect(&self, selection: &Selection) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Stream(stream) => stream.disconnect(selection).await,
        }
    }

    /// Begins to work. `disconnects` gets what other replicas disconnect. `Some` when there is something
    /// to be stopped in the end.
    pub fn run(&self, disconnects: mpsc::UnboundedSender<Selection>) -> Option<StreamTasks> {
        match self {
            Self::Memory(_) => None,
            Self::Stream(stream) => stream.run(disconnects),
        }
    }

    /// Waits until deliveries can be submitted.
    pub async fn ready(&self) {
        match self {
            Self::Memory(_) => {}
            Self::Stream(stream) => stream.ready().await,
        }
    }

    /// Whether replicas share it: then it does not matter which of them takes deliveries.
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    /// The stream, where it is one.
    pub const fn stream(&self) -> Option<&StreamJournal> {
        match self {
            Self::Memory(_) => None,
            Self::Stream(stream) => Some(stream),
        }
    }

    /// How its part of the broker's side is doing.
    pub fn checks(&self) -> BTreeMap<&'static str, Check> {
        match self {
            Self::Memory(_) => BTreeMap::new(),
            Self::Stream(stream) => stream.checks(),
        }
    }
}

/// Which journal it is.
#[derive(Debug, Clone)]
pub enum Settings {
    /// That of one process.
    Memory,
    /// That of several replicas.
    Stream(StreamSettings),
}
