//! From a member to its socket.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError, TransportType};
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
        let payload = JoinedPayload {
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
        };
        self.notify("joined", &payload)
    }

    fn event(&self, entry: &Entry, replayed: bool) -> Offer {
        let (payload, meta) = (&*entry.payload, entry.meta(replayed));
        // A tuple becomes two arguments; both are rendered, so that this is a copy.
        let length = payload.get().len() + 1 + meta.get().len();
        self.emit(entry.name.as_str(), &(payload, meta), length)
    }

    fn reset(&self, notice: &ResetNotice) -> Offer {
        let payload = ResetPayload {
            cursor: notice.cursor.to_string(),
            reason: notice.reason,
        };
        self.notify("reset", &payload)
    }
}

impl SocketOutlet {
    /// Emits an event with one argument.
    fn notify(&self, event: &str, payload: &impl Serialize) -> Offer {
        match to_raw_value(payload) {
            Ok(payload) => self.emit::<RawValue>(event, &payload, payload.get().len()),
            Err(error) => broken(event, &error),
        }
    }

    /// Emits an event whose arguments, with the commas between them, have `length` bytes.
    fn emit<T: Serialize + ?Sized>(&self, event: &str, arguments: &T, length: usize) -> Offer {
        let websocket = self.socket.transport_type() == TransportType::Websocket;
        let way = self.transport.way(websocket);
        if !self.transport.backlog.has_room(way) {
            return self.full();
        }
        match self.socket.emit(event, arguments) {
            Ok(()) => {
                let length = packet_length(self.socket.ns(), event, length);
                self.transport.backlog.emitted(way, length);
                self.transport.took();
                Offer::Taken
            }
            Err(SendError::Socket(SocketError::InternalChannelFull)) => self.full(),
            Err(SendError::Socket(SocketError::Closed)) => Offer::Gone,
            Err(SendError::Serialize(error)) => broken(event, &error),
        }
    }

    /// Waits for a slow client, not for one that has stopped reading: the library would not end
    /// its session before TCP does.
    fn full(&self) -> Offer {
        if self.transport.stalled() <= self.patience {
            return Offer::Full;
        }
        debug!(tenant = %self.key.tenant, conversation = %self.key.conversation, "a client has stopped reading");
        self.transport.abandon();
        Offer::Gone
    }
}

/// What cannot be encoded although it is rendered JSON: whoever this happens to starts again.
fn broken(event: &str, error: &impl std::fmt::Display) -> Offer {
    error!(event, %error, "an event cannot be encoded");
    Offer::Gone
}

/// The length of an EVENT packet in its Engine.IO message, in bytes:
/// `42/namespace,["event",arguments]`.
fn packet_length(namespace: &str, event: &str, arguments: usize) -> usize {
    let namespace = match namespace {
        "/" => 0,
        namespace => namespace.len() + 1,
    };
    r#"42["",]"#.len() + namespace + event.len() + arguments
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
