//! From a member to its socket.

use serde::Serialize;
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError};
use tracing::error;

use crate::auth::Agent;
use crate::conversation::{
    ConversationKey, Entry, Joined, Offer, Outlet, ResetNotice, rfc3339_from_unix,
};

/// Emits to one socket.
pub(super) struct SocketOutlet {
    pub(super) socket: SocketRef,
    pub(super) key: ConversationKey,
    pub(super) agent: Agent,
}

impl Outlet for SocketOutlet {
    fn joined(&self, joined: &Joined) -> Offer {
        self.emit(
            "joined",
            &JoinedPayload {
                tenant_id: self.key.tenant.as_str(),
                conversation_id: self.key.conversation.as_str(),
                cursor: joined.cursor.to_string(),
                resume: joined.resume.as_str(),
                replaying: joined.replaying,
                agent: AgentPayload {
                    id: &self.agent.id,
                    name: self.agent.name.as_deref(),
                },
                expires_at: rfc3339_from_unix(self.agent.expires_at),
            },
        )
    }

    fn event(&self, entry: &Entry, replayed: bool) -> Offer {
        // A tuple becomes two arguments; both are rendered, so that this is a copy.
        self.emit(
            entry.name.as_str(),
            &(&*entry.payload, entry.meta(replayed)),
        )
    }

    fn reset(&self, notice: &ResetNotice) -> Offer {
        self.emit(
            "reset",
            &ResetPayload {
                cursor: notice.cursor.to_string(),
                reason: notice.reason,
            },
        )
    }
}

impl SocketOutlet {
    fn emit<T: Serialize>(&self, event: &str, payload: &T) -> Offer {
        match self.socket.emit(event, payload) {
            Ok(()) => Offer::Taken,
            Err(SendError::Socket(SocketError::InternalChannelFull)) => Offer::Full,
            Err(SendError::Socket(SocketError::Closed)) => Offer::Gone,
            Err(SendError::Serialize(error)) => {
                // Payloads are rendered JSON. Whoever this happens to has to start again.
                error!(event, %error, "an event cannot be encoded");
                Offer::Gone
            }
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinedPayload<'a> {
    tenant_id: &'a str,
    conversation_id: &'a str,
    cursor: String,
    resume: &'static str,
    replaying: usize,
    agent: AgentPayload<'a>,
    expires_at: String,
}

#[derive(Serialize)]
struct AgentPayload<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct ResetPayload {
    cursor: String,
    reason: &'static str,
}
