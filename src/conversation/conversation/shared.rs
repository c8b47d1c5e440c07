//! What all conversations of a hub share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::conversation::counters::Counters;
use crate::conversation::cursor::{Mark, Position};
use crate::conversation::marks::Marks;
use crate::conversation::window::WindowLimits;
use crate::lock::RwLock;

/// What all conversations of a hub have in common.
#[derive(Debug)]
pub(in crate::conversation) struct Shared {
    pub(in crate::conversation) limits: WindowLimits,
    /// The newest position that has been applied.
    head: AtomicU64,
    /// What a shared journal's newest entries are known by.
    marks: RwLock<Marks>,
    /// What all windows hold, in bytes.
    pub(in crate::conversation) bytes: AtomicUsize,
    pub(in crate::conversation) counters: Counters,
}

impl Shared {
    /// Of a hub whose windows have these bounds.
    pub(in crate::conversation) fn new(limits: WindowLimits) -> Self {
        Self {
            limits,
            head: AtomicU64::new(0),
            marks: RwLock::default(),
            bytes: AtomicUsize::new(0),
            counters: Counters::default(),
        }
    }

    /// The newest position that has been applied.
    pub(in crate::conversation) fn head(&self) -> Position {
        Position(self.head.load(Ordering::Acquire))
    }

    /// The journal has come to this position.
    pub(in crate::conversation) fn advance(&self, position: Position) {
        self.head.fetch_max(position.0, Ordering::AcqRel);
    }

    /// What the entry at this position is known by, as far as it is.
    pub(super) fn mark_of(&self, position: Position) -> Mark {
        self.marks.read().of(position)
    }

    /// Whether the entry at this position may be known by this mark.
    pub(super) fn may_be(&self, position: Position, mark: Mark) -> bool {
        self.marks.read().may_be(position, mark)
    }

    /// The next entry of a shared journal.
    pub(in crate::conversation) fn mark(&self, position: Position, mark: Mark) {
        self.marks.write().push(position, mark);
    }

    /// Nothing is known of the journal up to `floor`, and nothing that was known counts any more.
    pub(in crate::conversation) fn begin(&self, floor: Position) {
        self.head.store(floor.0, Ordering::Release);
        *self.marks.write() = Marks::default();
    }
}

#[cfg(test)]
impl Clone for Shared {
    /// The same state, with counters of its own.
    fn clone(&self) -> Self {
        let marks: RwLock<Marks> = RwLock::default();
        marks.write().clone_from(&self.marks.read());
        Self {
            limits: self.limits.clone(),
            head: AtomicU64::new(self.head().0),
            marks,
            bytes: AtomicUsize::new(self.bytes.load(Ordering::Relaxed)),
            counters: Counters::default(),
        }
    }
}
