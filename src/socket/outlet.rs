//! From a member to its socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError, TransportType};
use tracing::{debug, error};

use super::backlog::Way;
use super::term::Term;
use super::transport::Transport;
use crate::conversation::{
    ConversationKey, Entry, Joined, Offer, Outlet, Participant, ResetNotice, rfc3339_from_unix,
};

/// Emits to one socket.
pub(super) struct SocketOutlet {
    pub(super) socket: SocketRef,
    pub(super) key: ConversationKey,
    pub(super) participant: Participant,
    /// How long the token lasts.
    pub(super) term: Term,
    pub(super) transport: Arc<Transport>,
    /// How long the session may take nothing.
    pub(super) patience: Duration,
    pub(super) progress: Progress,
}

/// How far a member has come with its socket.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// It has been told that it has joined: nothing comes before that.
    joined: AtomicBool,
    /// It has left: nothing comes after that.
    closed: AtomicBool,
    /// It has been told that its token has expired.
    expired: AtomicBool,
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
                id: &self.participant.agent,
                name: self.participant.name.as_deref(),
            },
            expires_at: rfc3339_from_unix(self.term.ends_at()),
        };
        let offer = self.notify("joined", &payload);
        if offer == Offer::Taken {
            self.progress.joined.store(true, Ordering::Release);
        }
        offer
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

    fn participant(&self) -> &Participant {
        &self.participant
    }
}

impl SocketOutlet {
    /// Tells the client that its token is about to expire, when there is room.
    pub(super) fn warn(&self) {
        if !self.progress.joined.load(Ordering::Acquire) {
            return;
        }
        let payload = ExpiringPayload {
            expires_at: rfc3339_from_unix(self.term.ends_at()),
        };
        if self.notify("token_expiring", &payload) == Offer::Taken {
            self.term.warned();
        }
    }

    /// Lets no event through any more.
    pub(super) fn close(&self) {
        self.progress.closed.store(true, Ordering::Release);
    }

    /// Disconnects the client from the namespace, and says so before if its token has `expired`.
    /// False: there was no room; it is to be tried again.
    pub(super) fn send_away(&self, expired: bool) -> bool {
        // The client may have left by itself, and come back since.
        if !self.socket.connected() {
            return true;
        }
        // Before the client hears of it, and could ask again.
        self.transport.connects.closing(self.socket.ns());
        if expired && !self.progress.expired.load(Ordering::Acquire) {
            match self.socket.emit("token_expired", &serde_json::json!({})) {
                Err(SendError::Socket(SocketError::InternalChannelFull)) => return false,
                _ => self.progress.expired.store(true, Ordering::Release),
            }
        }
        if self.socket.clone().disconnect().is_err() {
            return false;
        }
        self.transport.connects.closed(self.socket.ns());
        true
    }

    /// Emits an event with one argument.
    fn notify(&self, event: &str, payload: &impl Serialize) -> Offer {
        match to_raw_value(payload) {
            Ok(payload) => self.emit::<RawValue>(event, &payload, payload.get().len()),
            Err(error) => broken(event, &error),
        }
    }

    /// Emits an event whose arguments, with the commas between them, have `length` bytes.
    fn emit<T: Serialize + ?Sized>(&self, event: &str, arguments: &T, length: usize) -> Offer {
        if self.progress.closed.load(Ordering::Acquire) {
            return Offer::Gone;
        }
        let way = way(&self.socket, &self.transport);
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

/// How packets go out to the socket now.
pub(super) fn way(socket: &SocketRef, transport: &Transport) -> Way {
    transport.way(socket.transport_type() == TransportType::Websocket)
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
#[serde(rename_all = "camelCase")]
struct ExpiringPayload {
    expires_at: String,
}

#[derive(Serialize)]
struct ResetPayload {
    cursor: String,
    reason: &'static str,
}
