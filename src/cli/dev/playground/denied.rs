//! Agents who are denied a conversation for a while, as if the gateway could not be reached.

use std::collections::HashMap;
use std::time::Instant;

use crate::auth::Agent;
use crate::conversation::ConversationKey;
use crate::lock::Mutex;

/// Who is denied what, and until when.
#[derive(Debug, Default)]
pub(super) struct Denied(Mutex<HashMap<(ConversationKey, String), Instant>>);

impl Denied {
    pub(super) fn until(&self, agent: &str, key: &ConversationKey, until: Instant) {
        let mut denied = self.0.lock();
        let now = Instant::now();
        denied.retain(|_, until| *until > now);
        denied.insert((key.clone(), agent.to_owned()), until);
    }

    pub(super) fn denies(&self, agent: &Agent, key: &ConversationKey, now: Instant) -> bool {
        let denied = self.0.lock();
        denied
            .get(&(key.clone(), agent.id.clone()))
            .is_some_and(|&until| until > now)
    }
}
