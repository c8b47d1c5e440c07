//! The order in which conversations expire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::conversation::Conversation;
use crate::lock::Mutex;

/// The conversations that keep something, by the time of their oldest events.
///
/// Each is in here once. Its time is that of its oldest event when it was pushed; by the time it is
/// popped it may have none so old any more, and is then pushed again.
#[derive(Debug, Default)]
pub(super) struct ExpiryQueue(Mutex<BTreeMap<Key, Arc<Conversation>>>);

/// The time, and the conversation's address, which distinguishes those of the same time.
type Key = (Instant, usize);

impl ExpiryQueue {
    pub(super) fn push(&self, oldest: Instant, conversation: Arc<Conversation>) {
        let key = (oldest, Arc::as_ptr(&conversation).addr());
        self.0.lock().insert(key, conversation);
    }

    /// Pops the conversation with the oldest event, if that is older than `before`.
    pub(super) fn pop_before(&self, before: Option<Instant>) -> Option<Arc<Conversation>> {
        let mut queue = self.0.lock();
        let first = queue.first_entry()?;
        if before.is_some_and(|before| first.key().0 >= before) {
            return None;
        }
        Some(first.remove())
    }

    /// The oldest event's time.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.0.lock().first_key_value().map(|(key, _)| key.0)
    }
}
