//! A member's socket: over a WebSocket it is sent frames, else through the library.

mod events;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::to_raw_value;
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError};
use time::OffsetDateTime;
use tracing::debug;

use super::client::Session;
use super::handshake::Admission;
use super::token_expiry::{Due, TokenExpiry};
use crate::conversation::{
    ConversationKey, Entry, Hub, Join, Joined, Membership, Offer, Outlet, Participant, ResetNotice,
    rfc3339_from_unix,
};
use crate::engineio::{OutboundEvent, Pushed};
use crate::frame;
use events::{
    AgentPayload, EntryEvent, ExpiringPayload, JoinedPayload, NoticeEvent, ResetPayload, broken,
};

/// Emits to one socket.
pub(super) struct SocketOutlet {
    socket: SocketRef,
    session: Arc<Session>,
    pub(super) key: ConversationKey,
    pub(super) participant: Participant,
    /// From where it joins.
    pub(super) join: Join,
    /// When it was asked for: a disconnect since then may not have been known when it was granted.
    pub(super) asked_at: Instant,
    /// How long the token lasts.
    pub(super) expiry: TokenExpiry,
    /// Its membership in the hub.
    membership: OnceLock<(Arc<Hub>, Membership)>,
    /// `joined` was sent: nothing comes before that.
    joined: AtomicBool,
    /// It has left: nothing comes after that.
    closed: AtomicBool,
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
            expires_at: rfc3339_from_unix(self.expiry.ends_at()),
        };
        let offer = self.notify("joined", &payload);
        if matches!(offer, Offer::Taken | Offer::Queued) {
            self.joined.store(true, Ordering::Release);
        }
        offer
    }

    fn event(&self, entry: &Entry, replayed: bool) -> Offer {
        self.push(&EntryEvent {
            outlet: self,
            entry,
            replayed,
        })
    }

    fn reset(&self, notice: &ResetNotice) -> Offer {
        let payload = ResetPayload {
            cursor: notice.cursor.to_string(),
            reason: notice.reason,
        };
        self.notify("reset", &payload)
    }

    fn flush(&self) {
        self.session.flush();
    }

    fn room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.session.room_or(|| self.has_left()))
    }

    fn participant(&self) -> &Participant {
        &self.participant
    }

    fn disconnect(&self) -> bool {
        !self.is_closed() && self.disconnect_namespace(false)
    }
}

impl SocketOutlet {
    /// For a CONNECT that was granted.
    pub(super) fn new(admission: Admission, socket: SocketRef, session: Arc<Session>) -> Self {
        let Admission {
            agent,
            key,
            join,
            since,
        } = admission;
        Self {
            key,
            expiry: TokenExpiry::at(agent.expires_at),
            participant: Participant {
                agent: agent.id,
                name: agent.name,
                connected_at: OffsetDateTime::now_utc(),
            },
            join,
            asked_at: since,
            membership: OnceLock::new(),
            joined: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            session,
            socket,
        }
    }

    /// The hub has the member.
    pub(super) fn joins(&self, hub: Arc<Hub>, membership: Membership) {
        // There is one join.
        self.membership.set((hub, membership)).ok();
        if self.has_left() {
            self.leave();
        }
    }

    /// Leaves the conversation: nothing more is emitted.
    pub(super) fn leave(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) {
            let ConversationKey {
                tenant,
                conversation,
            } = &self.key;
            debug!(%tenant, %conversation, agent = self.participant.agent, "left");
        }
        if let Some((hub, membership)) = self.membership.get() {
            hub.leave(membership);
        }
        // It may wait for room.
        self.session.wake();
    }

    /// The socket is closed, by either side: the session drops the member as well.
    pub(super) fn socket_closed(&self) {
        // What is taken out is this one, which somebody else still holds.
        drop(self.session.protocol.table().leave(self.socket.ns()));
        self.leave();
    }

    fn has_left(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether nothing can be emitted any more.
    pub(super) fn is_closed(&self) -> bool {
        self.has_left() || self.session.is_closed() || !self.socket.connected()
    }

    /// Whether the member's socket is closed, or its token is about to expire or has.
    pub(super) fn is_due(&self, now: i64) -> bool {
        self.is_closed() || self.expiry.due(now) != Due::Nothing
    }

    /// The namespace, unless it is the root.
    pub(super) fn namespace(&self) -> Option<&str> {
        Some(self.socket.ns()).filter(|path| *path != "/")
    }

    /// Sends `token_expiring`, when there is room.
    pub(super) fn warn(&self) {
        if !self.joined.load(Ordering::Acquire) {
            return;
        }
        let payload = ExpiringPayload {
            expires_at: rfc3339_from_unix(self.expiry.ends_at()),
        };
        match self.notify("token_expiring", &payload) {
            Offer::Taken | Offer::Queued => self.expiry.warned(),
            Offer::Full | Offer::Gone => {}
        }
        self.session.flush();
    }

    /// Disconnects the client from the namespace, after `token_expired` if its token has `expired`.
    /// False: it has left already.
    pub(super) fn disconnect_namespace(&self, expired: bool) -> bool {
        let path = self.socket.ns();
        // Before the client notices, and could connect again.
        if self.session.protocol.table().leave(path).is_none() {
            return false;
        }
        self.leave();
        let is_sent = self.session.push_last(|| self.final_frames(expired));
        if is_sent {
            // It was sent here, in its order behind the events.
            self.session.protocol.table().disconnect_sent(path);
        } else if expired {
            self.socket
                .emit("token_expired", &serde_json::json!({}))
                .ok();
        }
        if self.socket.clone().disconnect().is_err() {
            if is_sent {
                self.session.protocol.table().take_sent_disconnect(path);
            } else {
                // A client that polls, and fetches nothing.
                self.session.abort();
            }
        }
        true
    }

    /// The frames that end the namespace.
    fn final_frames(&self, expired: bool) -> Bytes {
        let prefix = self
            .namespace()
            .map(|path| format!("{path},"))
            .unwrap_or_default();
        let disconnect = frame::text(&[b"41", prefix.as_bytes()]);
        match expired {
            false => disconnect,
            true => {
                let event = frame::text(&[b"42", prefix.as_bytes(), br#"["token_expired",{}]"#]);
                [event, disconnect].concat().into()
            }
        }
    }

    /// Emits an event with one argument.
    fn notify(&self, event: &str, payload: &impl Serialize) -> Offer {
        match to_raw_value(payload) {
            Ok(payload) => self.push(&NoticeEvent {
                outlet: self,
                event,
                payload,
            }),
            Err(error) => broken(event, &error),
        }
    }

    fn push(&self, event: &impl OutboundEvent) -> Offer {
        if self.has_left() {
            return Offer::Gone;
        }
        match self.session.push(event) {
            Pushed::Sent => Offer::Taken,
            Pushed::Queued => Offer::Queued,
            Pushed::Full => Offer::Full,
            Pushed::Closed => Offer::Gone,
        }
    }

    /// Emits through the library, for a session that polls; with the packet's length, in bytes.
    fn emit<T: Serialize + ?Sized>(
        &self,
        event: &str,
        arguments: &T,
        length: usize,
    ) -> Result<usize, Pushed> {
        match self.socket.emit(event, arguments) {
            Ok(()) => Ok(length + event.len() + self.socket.ns().len()),
            Err(SendError::Socket(SocketError::InternalChannelFull)) => Err(Pushed::Full),
            Err(SendError::Socket(SocketError::Closed)) => Err(Pushed::Closed),
            Err(SendError::Serialize(error)) => {
                broken(event, &error);
                Err(Pushed::Closed)
            }
        }
    }
}
