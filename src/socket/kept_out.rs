//! Agents who are kept out of a conversation for a while, as if the gateway could not be reached.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::auth::Agent;
use crate::conversation::ConversationKey;

/// Who is kept out, and until when. The playground alone puts somebody in here.
#[derive(Debug, Default)]
pub(super) struct KeptOut(Mutex<HashMap<(ConversationKey, String), Instant>>);

impl KeptOut {
    pub(super) fn until(&self, agent: &str, key: &ConversationKey, until: Instant) {
        let mut kept_out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept_out.retain(|_, until| *until > now);
        kept_out.insert((key.clone(), agent.to_owned()), until);
    }

    pub(super) fn keeps(&self, agent: &Agent, key: &ConversationKey, now: Instant) -> bool {
        let kept_out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Under `serve` there is never anybody in it.
        !kept_out.is_empty()
            && kept_out
                .get(&(key.clone(), agent.id.clone()))
                .is_some_and(|&until| until > now)
    }
}
