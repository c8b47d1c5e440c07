//! Which conversation holds the oldest of what is kept: the order of expiry.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::conversation::Conversation;

/// The conversations that keep something, the one with the oldest first.
///
/// Each is in here once. Its time is that of its oldest event when it was put in; by the time it
/// is taken out it may have none so old any more, and is then put in again.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<BinaryHeap<Held>>);

#[derive(Debug)]
struct Held {
    oldest: Instant,
    conversation: Arc<Conversation>,
}

impl Ledger {
    pub(super) fn put(&self, oldest: Instant, conversation: Arc<Conversation>) {
        self.heap().push(Held {
            oldest,
            conversation,
        });
    }

    /// Takes the conversation with the oldest event, if that is from before `before`.
    pub(super) fn take_if_before(&self, before: Option<Instant>) -> Option<Arc<Conversation>> {
        let mut heap = self.heap();
        let oldest = heap.peek()?.oldest;
        if before.is_some_and(|before| oldest >= before) {
            return None;
        }
        heap.pop().map(|held| held.conversation)
    }

    /// The oldest event's time.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.heap().peek().map(|held| held.oldest)
    }

    fn heap(&self) -> std::sync::MutexGuard<'_, BinaryHeap<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.oldest == other.oldest
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Held {
    // Reversed: a `BinaryHeap` gives out its greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.oldest.cmp(&self.oldest)
    }
}
