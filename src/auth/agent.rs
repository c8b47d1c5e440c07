//! Who a token speaks for, and what it grants.

use std::collections::HashSet;

use crate::conversation::ConversationKey;

/// A support agent, as a checked token describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The claim `sub`.
    pub id: String,
    /// The claim `name`.
    pub name: Option<String>,
    /// The tenant that the token was issued for.
    pub tenant: String,
    /// The conversations of that tenant that it opens.
    pub grant: Grant,
    /// When the token stops being good (`exp` and the leeway), in Unix seconds.
    pub expires_at: i64,
}

/// The claim `conversations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Absent or `"*"`: all of the tenant's.
    All,
    /// These only.
    Only(HashSet<String>),
}

impl Agent {
    /// Whether the agent may follow the conversation.
    pub fn may_follow(&self, key: &ConversationKey) -> bool {
        self.tenant == key.tenant.as_str()
            && match &self.grant {
                Grant::All => true,
                Grant::Only(conversations) => conversations.contains(key.conversation.as_str()),
            }
    }
}
