//! The journal of one process: a counter under an epoch drawn at start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use time::OffsetDateTime;

use crate::conversation::{Batch, Epoch, Event, Hub, Position, Published, WindowLimits};

/// Gives events their positions, and hands them to the hub.
///
/// Positions live as long as the process. After a restart the epoch is another, and every cursor
/// of before is answered with `reset` (invariant 6).
pub struct Journal {
    hub: Arc<Hub>,
    newest: AtomicU64,
}

impl Journal {
    /// A journal with a new epoch, and its hub.
    pub fn new(limits: WindowLimits) -> Self {
        let epoch = Epoch(rand::random());
        Self {
            hub: Arc::new(Hub::new(epoch, limits)),
            newest: AtomicU64::new(0),
        }
    }

    /// The conversations that this journal feeds.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Appends the event, unless it repeats one or is a stale status. It goes out to members when
    /// `batch` is flushed.
    pub fn append(&self, event: Event, batch: &mut Batch) -> Published {
        // Asked for under the conversation's lock: within a conversation the order of positions
        // is the order of the window.
        let next = || Position(self.newest.fetch_add(1, Ordering::AcqRel) + 1);
        self.hub
            .apply(event, next, OffsetDateTime::now_utc(), batch)
    }
}
