//! A member: a cursor over the window, and the way out to its socket.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use slotmap::{DefaultKey, SlotMap};
use time::OffsetDateTime;

use super::cursor::{Cursor, Position};
use super::early::Early;
use super::entry::Entry;

/// The way to one member's socket.
///
/// Its methods are called under the conversation's lock or by the one task that serves the
/// member: never two at a time, always in the member's order. They must not block.
pub trait Outlet: Send + Sync + 'static {
    /// Sends `joined`.
    fn joined(&self, joined: &Joined) -> Offer;
    /// Sends an event.
    fn event(&self, entry: &Entry, replayed: bool) -> Offer;
    /// Sends `reset`.
    fn reset(&self, notice: &ResetNotice) -> Offer;
    /// Has everything go out that was [`Queued`](Offer::Queued).
    fn flush(&self);
    /// Waits until a socket that was [`Full`](Offer::Full) has room again, or is closed.
    fn room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// The agent at the other end.
    fn participant(&self) -> &Participant;
    /// Sends the client away from the conversation; false if it has left already.
    fn disconnect(&self) -> bool;
}

/// Who follows a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The agent's id.
    pub agent: String,
    /// The agent's name, to be shown.
    pub name: Option<String>,
    /// Since when.
    pub connected_at: OffsetDateTime,
}

/// What became of something that was offered to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// The socket has it, and sends it by itself, or with what was queued before.
    Taken,
    /// The socket has it, and sends it when it is flushed.
    Queued,
    /// The socket has no room now; it must be offered again before anything else.
    Full,
    /// The socket is closed.
    Gone,
}

/// How a client joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Without a cursor. `replay`: whether the window is to be sent.
    Fresh {
        /// Whether the client wants the window.
        replay: bool,
    },
    /// With a cursor, from which it wants to go on.
    Resume(Cursor),
    /// With something that is no cursor.
    Unknown,
}

/// How much a joining client can rely on having.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// It brought no cursor.
    Fresh,
    /// Everything after its cursor follows.
    Resumed,
    /// Something after its cursor may be missing; the window follows.
    Reset,
}

impl Resume {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Resumed => "resumed",
            Self::Reset => "reset",
        }
    }
}

/// What a member gets first.
#[derive(Debug)]
pub struct Joined {
    /// Where the member stands once the replayed events have come.
    pub cursor: Cursor,
    /// How much it can rely on.
    pub resume: Resume,
    /// The number of replayed events that follow.
    pub replaying: usize,
}

/// The notice to a member that fell out of the window. The window follows.
#[derive(Debug)]
pub struct ResetNotice {
    /// Where the member stands once the window has come.
    pub cursor: Cursor,
    /// Why, for the developer who reads it.
    pub reason: &'static str,
}

/// Names a member within its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub(super) DefaultKey);

#[cfg_attr(test, derive(Clone))]
pub(super) struct Member {
    pub(super) outlet: Arc<dyn Outlet>,
    pub(super) delivery: DeliveryState,
    /// Entries up to this one were in the window before the member came.
    pub(super) replayed_upto: Position,
    /// What it was sent before that had its place, if anything was.
    pub(super) early: Option<Box<Early>>,
}

/// The members of one conversation. Most have one or two.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct MemberMap(SlotMap<DefaultKey, Member>);

impl MemberMap {
    pub(super) fn insert(&mut self, member: Member) -> MemberId {
        if self.0.capacity() == 0 {
            // Room for one, where the first to come would have room made for more. Later it stays the
            // same map, also when it has become empty: the task of a member that has left must not take
            // the next one's place for its own.
            self.0 = SlotMap::with_capacity(1);
        }
        MemberId(self.0.insert(member))
    }

    pub(super) fn get_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.0.get_mut(id.0)
    }

    pub(super) fn remove(&mut self, id: MemberId) {
        self.0.remove(id.0);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (MemberId, &mut Member)> {
        self.0
            .iter_mut()
            .map(|(key, member)| (MemberId(key), member))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How far a member has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliveryState {
    /// It has everything, and is offered each entry at once.
    Live,
    /// It has everything up to this position. A task serves it from the window.
    Behind(Position),
    /// It gets this before any entry. A task serves it.
    Pending(PendingNotice),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PendingNotice {
    Joined(Join),
    /// For this reason, to be told.
    Reset(&'static str),
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket that is closed.
    struct Closed(Participant);

    impl Outlet for Closed {
        fn joined(&self, _: &Joined) -> Offer {
            Offer::Gone
        }

        fn event(&self, _: &Entry, _: bool) -> Offer {
            Offer::Gone
        }

        fn reset(&self, _: &ResetNotice) -> Offer {
            Offer::Gone
        }

        fn flush(&self) {}

        fn room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(std::future::ready(()))
        }

        fn participant(&self) -> &Participant {
            &self.0
        }

        fn disconnect(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_member_that_comes_into_an_empty_conversation_is_none_of_those_that_have_left() {
        let mut members = MemberMap::default();
        let mut ids = Vec::new();
        for _ in 0..3 {
            let outlet = Arc::new(Closed(Participant {
                agent: "ada".to_owned(),
                name: None,
                connected_at: OffsetDateTime::UNIX_EPOCH,
            }));
            let id = members.insert(Member {
                outlet,
                delivery: DeliveryState::Live,
                replayed_upto: Position::default(),
                early: None,
            });
            assert!(!ids.contains(&id));
            ids.push(id);
            members.remove(id);
            assert!(members.is_empty());
        }
    }
}
