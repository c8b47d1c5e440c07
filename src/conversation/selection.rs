//! Some of the members.

use super::id::{ConversationKey, Id};

/// Members of a tenant, a conversation's, an agent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The tenant.
    pub tenant: Id,
    /// Only those of this conversation.
    pub conversation: Option<Id>,
    /// Only this agent's.
    pub agent: Option<String>,
}

impl Selection {
    /// Whether it has members of the conversation.
    pub fn includes(&self, key: &ConversationKey) -> bool {
        let conversation = self.conversation.as_ref();
        self.tenant == key.tenant && conversation.is_none_or(|id| *id == key.conversation)
    }

    /// Whether it has this agent as a member of the conversation.
    pub fn holds(&self, key: &ConversationKey, agent: &str) -> bool {
        let wanted = self.agent.as_ref();
        self.includes(key) && wanted.is_none_or(|wanted| wanted == agent)
    }
}
