//! Expiry by age, and eviction by the bound of all windows together.

use std::sync::Arc;
use std::time::Instant;

use super::Hub;
use crate::conversation::conversation::{Conversation, ConversationState};

impl Hub {
    /// Drops what has expired; to be called about once a second.
    pub fn sweep(&self) {
        if !self.is_current() {
            // By the time that has passed elsewhere, nothing may have expired.
            return;
        }
        let now = Instant::now();
        // `None`: the clock has not run for as long as the window reaches.
        let Some(before) = now.checked_sub(self.shared.limits.age) else {
            return;
        };
        while let Some(conversation) = self.expiry_queue.pop_before(Some(before)) {
            self.reduce(&conversation, |state| {
                state.window.forget(now, &self.shared.limits);
                state.trim(now, &self.shared);
            });
        }
    }

    /// Evicts the oldest events until all windows together are within their bound.
    pub(super) fn evict(&self) {
        /// How many entries a conversation loses before its age is compared again.
        const BATCH: usize = 32;
        while self.bytes() > self.shared.limits.bytes {
            let Some(conversation) = self.expiry_queue.pop_before(None) else {
                return;
            };
            let next = self.expiry_queue.oldest();
            self.reduce(&conversation, |state| {
                for _ in 0..BATCH {
                    let oldest = state.window.oldest(&self.shared.limits);
                    if oldest.is_none() || next.is_some() && oldest > next {
                        break;
                    }
                    state.window.evict_oldest(&self.shared.limits);
                    self.shared.counters.evicted.count();
                }
                state.account(&self.shared);
            });
        }
    }

    /// Has `reduce` drop events of a conversation that was popped from the expiry queue, and pushes
    /// it again as long as something is left.
    fn reduce(
        &self,
        conversation: &Arc<Conversation>,
        reduce: impl FnOnce(&mut ConversationState),
    ) {
        let mut state = conversation.lock();
        reduce(&mut state);
        match state.window.oldest(&self.shared.limits) {
            Some(oldest) => self.expiry_queue.push(oldest, conversation.clone()),
            None => state.in_expiry_queue = false,
        }
        let idle = state.is_idle();
        drop(state);
        if idle {
            self.drop_idle(conversation);
        }
    }
}
