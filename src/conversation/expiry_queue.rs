//! The order in which conversations expire.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

use super::conversation::Conversation;
use crate::lock::Mutex;

/// The conversations that keep something, the one with the oldest event first.
///
/// Each is in here once. Its time is that of its oldest event when it was pushed; by the time it is
/// popped it may have none so old any more, and is then pushed again.
#[derive(Debug, Default)]
pub(super) struct ExpiryQueue(Mutex<BinaryHeap<Expiry>>);

#[derive(Debug)]
struct Expiry {
    oldest: Instant,
    conversation: Arc<Conversation>,
}

impl ExpiryQueue {
    pub(super) fn push(&self, oldest: Instant, conversation: Arc<Conversation>) {
        self.0.lock().push(Expiry {
            oldest,
            conversation,
        });
    }

    /// Pops the conversation with the oldest event, if that is older than `before`.
    pub(super) fn pop_before(&self, before: Option<Instant>) -> Option<Arc<Conversation>> {
        let mut heap = self.0.lock();
        let oldest = heap.peek()?.oldest;
        if before.is_some_and(|before| oldest >= before) {
            return None;
        }
        heap.pop().map(|expiry| expiry.conversation)
    }

    /// The oldest event's time.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.0.lock().peek().map(|expiry| expiry.oldest)
    }
}

impl PartialEq for Expiry {
    fn eq(&self, other: &Self) -> bool {
        self.oldest == other.oldest
    }
}

impl Eq for Expiry {}

impl PartialOrd for Expiry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Expiry {
    // Reversed: a `BinaryHeap` gives out its greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.oldest.cmp(&self.oldest)
    }
}
