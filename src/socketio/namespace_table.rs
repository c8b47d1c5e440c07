//! Which namespaces a session has joined, is joining, and has just left, and what it may still say.
//!
//! Everything that a client sends passes here before the library hears it. The library ends the
//! session of a client that speaks in a namespace which it has not joined, but only if somebody
//! else has: who follows what would be anybody's to find out. It also makes a namespace for each
//! CONNECT before anyone has shown a token, however many there are, and does not answer a CONNECT
//! to a namespace whose last socket of this session it has not forgotten.

use std::time::{Duration, Instant};

use super::namespaces::NamespaceGuard;
use super::packet::ClientPacket;
use crate::engineio::{PREFIX, Verdict};

/// The namespaces of one session, where each member is an `M`.
pub(super) struct NamespaceTable<M> {
    /// One for each namespace. There are few: at most [`MOST`](Self::MOST) that are joined, and as
    /// many as are being decided.
    entries: Vec<Entry<M>>,
    /// How many of them are being decided, how many of those are as good as joined, and how many
    /// are joined.
    deciding: usize,
    granted: usize,
    open: usize,
    /// Whether one of them has ever been joined.
    has_joined: bool,
    /// Tells sockets of the same namespace apart.
    next: u64,
    /// How many CONNECTs have been refused, and how many of those answers are not on their way yet.
    refused: usize,
    unanswered: usize,
    /// The session ends with the answers that it is owed.
    ends: bool,
    /// Namespaces whose DISCONNECT the client has from us, and the library has not written.
    said: Vec<Box<str>>,
    /// Since when nothing is joined, nor being joined.
    idle_since: Option<Instant>,
    /// What the client may still say at once.
    allowance: f64,
    refilled: Instant,
}

struct Entry<M> {
    path: Box<str>,
    socket: u64,
    stage: Stage<M>,
}

/// How far a CONNECT is.
enum Stage<M> {
    /// The library is to make a socket, which will hold the guard.
    Asked {
        since: Instant,
        guard: Option<NamespaceGuard>,
    },
    /// There is a socket, and it is being decided.
    Deciding,
    /// It was decided for. Over a WebSocket, the member joins when the answer is on its way.
    Granted { answered: bool, member: Option<M> },
    /// A member follows the conversation.
    Open(M),
    /// The client has left, or was disconnected, and the library has not forgotten the socket.
    Leaving,
    /// It was decided against, and the library has not forgotten the socket.
    Refused,
}

impl<M> Stage<M> {
    fn is_deciding(&self) -> bool {
        matches!(
            self,
            Self::Asked { .. } | Self::Deciding | Self::Granted { .. }
        )
    }
}

impl<M> NamespaceTable<M> {
    /// How many conversations one connection may follow.
    pub(super) const MOST: usize = 256;
    /// How long a namespace's path is that may have been seen in part only, in bytes: what is there
    /// then is not what the library hears.
    const LONGEST: usize = PREFIX - "40".len() - char::MAX.len_utf8();
    /// After how many refused CONNECTs the session is closed.
    const MOST_REFUSED: usize = 10;
    /// How many CONNECTs of one session are decided at a time.
    pub(super) const MOST_DECIDING: usize = 16;
    /// When a CONNECT of which the library has made nothing counts as lost.
    const LOST_AFTER: Duration = Duration::from_secs(5);
    /// How many messages a client may send at once: all its CONNECTs, and more. Agents send their
    /// tokens, pongs and little else.
    const BURST: f64 = 1024.0;
    /// How many messages a second it may send for long.
    const RATE: f64 = 64.0;

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
            said: Vec::new(),
            idle_since: Some(now),
            allowance: Self::BURST,
            refilled: now,
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
        if self.refused >= Self::MOST_REFUSED {
            return (Verdict::Ignore, None);
        }
        let elapsed = now - std::mem::replace(&mut self.refilled, now);
        self.allowance = (self.allowance + elapsed.as_secs_f64() * Self::RATE).min(Self::BURST);
        if self.allowance < 1.0 {
            let pause = (1.0 - self.allowance) / Self::RATE;
            let until = now + Duration::from_secs_f64(pause) + Duration::from_millis(1);
            return (Verdict::Wait(Some(until)), None);
        }
        let mut left = None;
        let verdict = match ClientPacket::read(message) {
            ClientPacket::Engine => Verdict::Pass,
            ClientPacket::Unwanted => Verdict::Ignore,
            ClientPacket::Connect(path) => self.connect(path, now, enter, room),
            ClientPacket::Disconnect(path) | ClientPacket::Event(path)
                if self.stage(path).is_some_and(Stage::is_deciding) =>
            {
                // The client may have its answer already, and whoever sent that not have said so:
                // what is ignored now would never be made good.
                Verdict::Wait(None)
            }
            ClientPacket::Disconnect(path) => {
                left = self.leave(path);
                match left {
                    Some(_) => Verdict::Pass,
                    None => Verdict::Ignore,
                }
            }
            ClientPacket::Event(path) => match self.stage(path) {
                Some(Stage::Open(_)) => Verdict::Pass,
                _ => Verdict::Ignore,
            },
        };
        if !matches!(verdict, Verdict::Wait(_)) {
            self.allowance -= 1.0;
        }
        (verdict, left)
    }

    fn connect(
        &mut self,
        path: &str,
        now: Instant,
        enter: impl FnOnce(&str) -> NamespaceGuard,
        room: impl FnOnce() -> bool,
    ) -> Verdict {
        match self.stage(path) {
            None => {}
            Some(Stage::Leaving | Stage::Refused) => return Verdict::Wait(None),
            Some(_) => return Verdict::Ignore,
        }
        if self.deciding >= Self::MOST_DECIDING || !room() {
            return Verdict::Wait(None);
        }
        let guard = match path {
            "/" => None,
            _ if path.len() < Self::LONGEST && is_conversation(path) => Some(enter(path)),
            _ => {
                // `Invalid namespace`, says the library.
                self.refused += 1;
                self.owe();
                return Verdict::Pass;
            }
        };
        let entry = Entry {
            path: path.into(),
            socket: self.next,
            stage: Stage::Asked { since: now, guard },
        };
        self.next += 1;
        // Most sessions join one conversation.
        self.entries.reserve_exact(1);
        self.entries.push(entry);
        self.deciding += 1;
        self.idle_since = None;
        Verdict::Pass
    }

    /// The library has made a socket, which is to hold the guard; with its number. `None`: nobody
    /// has asked for it.
    pub(super) fn made(&mut self, path: &str) -> Option<(u64, Option<NamespaceGuard>)> {
        let entry = find(&mut self.entries, path)?;
        let Stage::Asked { guard, .. } = &mut entry.stage else {
            return None;
        };
        let guard = guard.take();
        entry.stage = Stage::Deciding;
        Some((entry.socket, guard))
    }

    /// Grants a CONNECT; false if the session follows as many conversations as it may.
    pub(super) fn grant(&mut self, path: &str) -> bool {
        if self.open + self.granted >= Self::MOST {
            return false;
        }
        if let Some(entry) = find(&mut self.entries, path)
            && matches!(entry.stage, Stage::Deciding)
        {
            entry.stage = Stage::Granted {
                answered: false,
                member: None,
            };
            self.granted += 1;
        }
        true
    }

    /// Refuses a CONNECT. `counts`: it speaks against the client, whose session is closed when too
    /// many do.
    pub(super) fn refuse(&mut self, path: &str, counts: bool) {
        if let Some(entry) = find(&mut self.entries, path)
            && entry.stage.is_deciding()
        {
            self.deciding -= 1;
            self.granted -= usize::from(matches!(entry.stage, Stage::Granted { .. }));
            entry.stage = Stage::Refused;
        }
        self.refused += usize::from(counts);
        self.owe();
    }

    fn owe(&mut self) {
        self.unanswered += 1;
        self.ends |= self.refused >= Self::MOST_REFUSED;
    }

    /// The session ends with the answers that it is owed.
    pub(super) fn end(&mut self) {
        self.ends = true;
    }

    /// The answer to a refused CONNECT is on its way. True: the session has heard all that it is to
    /// hear.
    pub(super) fn refusal_answered(&mut self) -> bool {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.ends && self.unanswered == 0
    }

    /// The answer to a granted CONNECT is on its way; with the member that has waited for it.
    pub(super) fn answered(&mut self, path: &str) -> Option<M>
    where
        M: Clone,
    {
        let entry = find(&mut self.entries, path)?;
        let Stage::Granted { answered, member } = &mut entry.stage else {
            return None;
        };
        *answered = true;
        let member = member.take()?;
        self.open(path, member.clone());
        Some(member)
    }

    /// The library has let a member in, whose answer is on its way or will be. True: it is to join
    /// now; else when that is so. `at_once`: also without.
    pub(super) fn let_in(&mut self, path: &str, new: M, at_once: bool) -> bool {
        let Some(entry) = find(&mut self.entries, path) else {
            return false;
        };
        let Stage::Granted { answered, member } = &mut entry.stage else {
            return false;
        };
        if at_once || *answered {
            self.open(path, new);
            return true;
        }
        *member = Some(new);
        false
    }

    fn open(&mut self, path: &str, member: M) {
        if let Some(entry) = find(&mut self.entries, path) {
            entry.stage = Stage::Open(member);
            self.deciding -= 1;
            self.granted -= 1;
            self.open += 1;
            self.has_joined = true;
        }
    }

    /// The client leaves, or the server disconnects it; with the member that was there.
    pub(super) fn leave(&mut self, path: &str) -> Option<M> {
        let entry = find(&mut self.entries, path)?;
        if !matches!(entry.stage, Stage::Open(_)) {
            return None;
        }
        self.open -= 1;
        match std::mem::replace(&mut entry.stage, Stage::Leaving) {
            Stage::Open(member) => Some(member),
            _ => None,
        }
    }

    /// The library has forgotten a socket.
    pub(super) fn forgotten(&mut self, path: &str, socket: u64) {
        let is_it = |entry: &Entry<M>| entry.socket == socket && *entry.path == *path;
        let Some(index) = self.entries.iter().position(is_it) else {
            return;
        };
        match self.entries.swap_remove(index).stage {
            Stage::Asked { .. } | Stage::Deciding => self.deciding -= 1,
            Stage::Granted { .. } => {
                self.deciding -= 1;
                self.granted -= 1;
            }
            Stage::Open(_) => self.open -= 1,
            Stage::Leaving | Stage::Refused => {}
        }
        if self.entries.is_empty() {
            self.entries = Vec::new();
            self.idle_since.get_or_insert_with(Instant::now);
        }
    }

    /// The client has a DISCONNECT from us, and is not to hear the library's.
    pub(super) fn say(&mut self, path: &str) {
        self.said.push(path.into());
    }

    /// The library has written a DISCONNECT. True: the client has heard that already.
    pub(super) fn was_said(&mut self, path: &str) -> bool {
        let said = self.said.iter().position(|said| **said == *path);
        said.map(|said| self.said.swap_remove(said)).is_some()
    }

    /// The members.
    pub(super) fn members(&self) -> impl Iterator<Item = &M> {
        self.entries.iter().filter_map(|entry| match &entry.stage {
            Stage::Open(member) => Some(member),
            _ => None,
        })
    }

    /// Takes out all members, also those that wait for their answers: the session has ended.
    pub(super) fn close(&mut self) -> Vec<M> {
        let entries = std::mem::take(&mut self.entries).into_iter();
        (self.deciding, self.granted, self.open) = (0, 0, 0);
        let members = entries.filter_map(|entry| match entry.stage {
            Stage::Open(member) => Some(member),
            Stage::Granted { member, .. } => member,
            _ => None,
        });
        members.collect()
    }

    /// Whether a CONNECT has ever been granted.
    pub(super) fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// Whether a CONNECT was lost, so that its client would wait in vain.
    pub(super) fn has_lost_one(&self) -> bool {
        self.deciding > 0
            && self.entries.iter().any(|entry| match entry.stage {
                Stage::Asked { since, .. } => since.elapsed() >= Self::LOST_AFTER,
                _ => false,
            })
    }

    /// For how long the session has followed nothing.
    pub(super) fn idle(&self) -> Duration {
        self.idle_since
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn stage(&self, path: &str) -> Option<&Stage<M>> {
        let entry = self.entries.iter().find(|entry| *entry.path == *path);
        entry.map(|entry| &entry.stage)
    }
}

fn find<'a, M>(entries: &'a mut [Entry<M>], path: &str) -> Option<&'a mut Entry<M>> {
    entries.iter_mut().find(|entry| *entry.path == *path)
}

/// Whether the path is that of a conversation's namespace, with whatever in place of the ids.
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
