//! From a member to its socket.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError};
use tracing::{debug, error};

use super::transport::Transport;

use crate::auth::Agent;
use crate::conversation::{
    ConversationKey, Entry, Joined, Offer, Outlet, ResetNotice, rfc3339_from_unix,
};

/// Emits to one socket.
pub(super) struct SocketOutlet {
    pub(super) socket: SocketRef,
    pub(super) key: ConversationKey,
    pub(super) agent: Agent,
    pub(super) transport: Arc<Transport>,
    /// How long the session may take nothing.
    pub(super) patience: Duration,
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
            Ok(()) => {
                self.transport.took();
                Offer::Taken
            }
            Err(SendError::Socket(SocketError::InternalChannelFull)) => self.full(),
            Err(SendError::Socket(SocketError::Closed)) => Offer::Gone,
            Err(SendError::Serialize(error)) => {
                // Payloads are rendered JSON. Whoever this happens to has to start again.
                error!(event, %error, "an event cannot be encoded");
                Offer::Gone
            }
        }
    }
}

impl SocketOutlet {
    /// Waits for a slow client, not for one that has stopped reading: the library would not end
    /// its session before TCP does.
    fn full(&self) -> Offer {
        if self.transport.stalled() <= self.patience {
            return Offer::Full;
        }
        debug!(tenant = %self.key.tenant, conversation = %self.key.conversation, "a client has stopped reading");
        self.transport.end();
        Offer::Gone
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
