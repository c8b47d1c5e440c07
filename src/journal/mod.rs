//! The journal puts accepted events in one order and gives each a position.
//!
//! Invariant 4 of the project starts here: when what [`Journal::submit`] gives has resolved, the event
//! is in its conversation's window and has been offered to the members, so that its delivery may be
//! acknowledged and its relay call answered.

mod memory;
mod submitted;

pub use crate::conversation::Published;
pub use memory::MemoryJournal;
pub use submitted::{NotTaken, Submitted};

use crate::conversation::{Batch, Event};

/// Where events get their places.
pub enum Journal {
    /// In this process, at once.
    Memory(MemoryJournal),
}

impl Journal {
    /// Submits an event. One that has its place at once goes out to members when `batch` is flushed.
    pub fn submit(&self, event: Event, batch: &mut Batch) -> Submitted {
        match self {
            Self::Memory(memory) => memory.append(event, batch).into(),
        }
    }
}
