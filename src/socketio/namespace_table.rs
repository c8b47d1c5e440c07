//! Which namespaces a session has joined, is joining, and has just left, and what it may still send.
//!
//! Everything that a client sends passes here before the library gets it. The library ends the
//! session of a client that sends into a namespace which it has not joined, but only if somebody
//! else has: anybody could find out who follows what. It also makes a namespace for each CONNECT
//! before a token was checked, however many there are, and does not answer a CONNECT to a namespace
//! while it still has this session's last socket there.

mod sockets;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::message_rate::MessageRate;
use super::namespaces::NamespaceGuard;
use super::packet::ClientPacket;
use crate::engineio::{PREFIX, Verdict};

/// The namespaces of one session, where a CONNECT is granted with an `A`, and each member is an `M`.
pub(super) struct NamespaceTable<A, M> {
    /// One for each namespace. There are few: at most [`MAX_CONVERSATIONS`](Self::MAX_CONVERSATIONS) that are joined, and as
    /// many as are being decided.
    entries: Vec<NamespaceEntry<A, M>>,
    /// How many of them are pending, how many of those are granted, and how many are joined.
    deciding: usize,
    granted: usize,
    open: usize,
    /// Whether one of them has ever been joined.
    has_joined: bool,
    /// Distinguishes sockets of the same namespace.
    next: u64,
    /// How many CONNECTs have been refused, and how many of those answers are not on their way yet.
    refused: usize,
    unanswered: usize,
    /// The session is closed once it has its pending answers.
    ends: bool,
    /// Namespaces whose DISCONNECT the session has sent, and the library has not written yet.
    sent_disconnects: Vec<Box<str>>,
    /// Since when nothing is joined or pending.
    idle_since: Option<Instant>,
    rate: MessageRate,
}

struct NamespaceEntry<A, M> {
    path: Arc<str>,
    socket: u64,
    state: NamespaceState<A, M>,
}

/// How far a CONNECT is.
enum NamespaceState<A, M> {
    /// The library has the CONNECT, and will make a socket, which will hold the guard.
    Requested {
        since: Instant,
        guard: Option<NamespaceGuard>,
    },
    /// There is a socket, and its token is being checked.
    Deciding,
    /// It was granted. The library may have closed the session meanwhile, and then forgets the socket: there
    /// is no member that would hold it.
    Granted {
        admission: A,
        /// The answer is on its way.
        answered: bool,
    },
    /// The library has admitted the socket. Over a WebSocket, the member joins when the answer is on its way.
    Admitted(M),
    /// A member follows the conversation.
    Open(M),
    /// The client has left, or was disconnected, and the library still has the socket.
    Leaving,
    /// It was refused, and the library still has the socket.
    Refused,
}

impl<A, M> NamespaceState<A, M> {
    fn is_deciding(&self) -> bool {
        matches!(self, Self::Requested { .. } | Self::Deciding) || self.is_granted()
    }

    /// Whether it is granted and not open yet.
    fn is_granted(&self) -> bool {
        matches!(self, Self::Granted { .. } | Self::Admitted(_))
    }
}

impl<A, M> NamespaceTable<A, M> {
    /// How many conversations one connection may follow.
    pub(super) const MAX_CONVERSATIONS: usize = 256;
    /// The length from which a path may have been seen in part only, in bytes: the library would see
    /// another.
    const MAX_PATH: usize = PREFIX - "40".len() - char::MAX.len_utf8();
    /// After how many refused CONNECTs the session is closed.
    const MAX_REFUSED: usize = 10;
    /// How many CONNECTs of one session are decided at a time.
    pub(super) const MAX_DECIDING: usize = 16;
    /// When a CONNECT of which the library has made nothing counts as lost.
    const LOST_AFTER: Duration = Duration::from_secs(5);

    pub(super) fn new(now: Instant) -> Self {
        Self {
            entries: Vec::new(),
            deciding: 0,
            granted: 0,
            open: 0,
            has_joined: false,
            next: 0,
            refused: 0,
            unanswered: 0,
            ends: false,
            sent_disconnects: Vec::new(),
            idle_since: Some(now),
            rate: MessageRate::new(now),
        }
    }

    /// Decides about the beginning of a message; with the member that leaves by it, if one does.
    /// `enter` keeps a conversation's namespace; `room`: whether an answer has room.
    pub(super) fn inbound(
        &mut self,
        message: &[u8],
        now: Instant,
        enter: impl FnOnce(&str) -> NamespaceGuard,
        room: impl FnOnce() -> bool,
    ) -> (Verdict, Option<M>) {
        if self.refused >= Self::MAX_REFUSED {
            return (Verdict::Ignore, None);
        }
        if let Some(until) = self.rate.exceeded_until(now) {
            return (Verdict::Wait(Some(until)), None);
        }
        let mut leaving = None;
        let verdict = match ClientPacket::read(message) {
            ClientPacket::Engine => Verdict::Pass,
            ClientPacket::Unwanted => Verdict::Ignore,
            ClientPacket::Connect(path) => self.connect(path, now, enter, room),
            ClientPacket::Disconnect(path) | ClientPacket::Event(path)
                if self.state(path).is_some_and(NamespaceState::is_deciding) =>
            {
                // The client may have its answer already, before that has been reported here: what is
                // ignored now would be lost.
                Verdict::Wait(None)
            }
            ClientPacket::Disconnect(path) => {
                leaving = self.leave(path);
                match leaving {
                    Some(_) => Verdict::Pass,
                    None => Verdict::Ignore,
                }
            }
            ClientPacket::Event(path) => match self.state(path) {
                Some(NamespaceState::Open(_)) => Verdict::Pass,
                _ => Verdict::Ignore,
            },
        };
        if !matches!(verdict, Verdict::Wait(_)) {
            self.rate.spend();
        }
        (verdict, leaving)
    }

    fn connect(
        &mut self,
        path: &str,
        now: Instant,
        enter: impl FnOnce(&str) -> NamespaceGuard,
        room: impl FnOnce() -> bool,
    ) -> Verdict {
        match self.state(path) {
            None => {}
            Some(NamespaceState::Leaving | NamespaceState::Refused) => return Verdict::Wait(None),
            Some(_) => return Verdict::Ignore,
        }
        if self.deciding >= Self::MAX_DECIDING || !room() {
            return Verdict::Wait(None);
        }
        let guard = match path {
            "/" => None,
            _ if path.len() < Self::MAX_PATH && is_conversation(path) => Some(enter(path)),
            _ => {
                // `Invalid namespace`, says the library.
                self.refused += 1;
                self.expect_answer();
                return Verdict::Pass;
            }
        };
        let path = guard
            .as_ref()
            .map_or_else(|| path.into(), |guard| guard.path().clone());
        let entry = NamespaceEntry {
            path,
            socket: self.next,
            state: NamespaceState::Requested { since: now, guard },
        };
        self.next += 1;
        // Most sessions join one conversation.
        self.entries.reserve_exact(1);
        self.entries.push(entry);
        self.deciding += 1;
        self.idle_since = None;
        Verdict::Pass
    }

    /// The members.
    pub(super) fn members(&self) -> impl Iterator<Item = &M> {
        self.entries.iter().filter_map(|entry| match &entry.state {
            NamespaceState::Open(member) => Some(member),
            _ => None,
        })
    }

    /// The member that follows the conversation of this namespace.
    pub(super) fn member(&self, path: &str) -> Option<&M> {
        match self.state(path) {
            Some(NamespaceState::Open(member)) => Some(member),
            _ => None,
        }
    }

    /// Takes out all members, also those that wait for their answers: the session has ended.
    pub(super) fn close(&mut self) -> Vec<M> {
        let entries = std::mem::take(&mut self.entries).into_iter();
        (self.deciding, self.granted, self.open) = (0, 0, 0);
        let members = entries.filter_map(|entry| match entry.state {
            NamespaceState::Admitted(member) | NamespaceState::Open(member) => Some(member),
            _ => None,
        });
        members.collect()
    }

    /// Whether a CONNECT has ever been granted.
    pub(super) fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// Whether a CONNECT was lost, so that its client would wait in vain.
    pub(super) fn has_lost_connect(&self) -> bool {
        self.deciding > 0
            && self.entries.iter().any(|entry| match entry.state {
                NamespaceState::Requested { since, .. } => since.elapsed() >= Self::LOST_AFTER,
                _ => false,
            })
    }

    /// For how long the session has followed nothing.
    pub(super) fn idle(&self) -> Duration {
        self.idle_since
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn state(&self, path: &str) -> Option<&NamespaceState<A, M>> {
        let entry = self.entries.iter().find(|entry| *entry.path == *path);
        entry.map(|entry| &entry.state)
    }
}

fn find<'a, A, M>(
    entries: &'a mut [NamespaceEntry<A, M>],
    path: &str,
) -> Option<&'a mut NamespaceEntry<A, M>> {
    entries.iter_mut().find(|entry| *entry.path == *path)
}

/// Whether the path is that of a conversation's namespace, whatever its ids are.
fn is_conversation(path: &str) -> bool {
    let ids = path
        .strip_prefix("/tenant/")
        .and_then(|rest| rest.split_once("/conv/"));
    ids.is_some_and(|(tenant, conversation)| {
        let is_segment = |text: &str| !text.is_empty() && !text.contains('/');
        is_segment(tenant) && is_segment(conversation)
    })
}

#[cfg(test)]
mod tests;
