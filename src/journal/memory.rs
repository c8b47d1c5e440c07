//! The journal of one process: a counter under an epoch drawn at start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::conversation::{Accepted, Batch, Event, Hub, Position, Published};

/// Gives events their positions, and hands them to the hub.
///
/// Positions live as long as the process. After a restart the epoch is another, and every cursor
/// of before is answered with `reset` (invariant 6).
pub struct MemoryJournal {
    hub: Arc<Hub>,
    newest: AtomicU64,
}

impl MemoryJournal {
    /// A journal that feeds a hub of a new epoch.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self {
            hub,
            newest: AtomicU64::new(0),
        }
    }

    /// Appends the event, unless it repeats one or is a stale status. It goes out to members when
    /// `batch` is flushed.
    pub fn append(&self, event: Event, batch: &mut Batch) -> Published {
        // Asked for under the conversation's lock: within a conversation the order of positions
        // is the order of the window.
        let next = || Position(self.newest.fetch_add(1, Ordering::AcqRel) + 1);
        self.hub.apply(event, next, Accepted::now(), batch)
    }
}
