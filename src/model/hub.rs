//! A replica's hub, with one conversation and one member.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::client::Socket;
use super::record::{CONVERSATION, Stored};
use super::{AGE, EVENTS};
use crate::conversation::{Alone, CursorKey, Join, MemberId, Position, WindowLimits};

/// The conversation, and what it was made of.
#[derive(Debug, Clone)]
pub(super) struct Hub {
    pub(super) conversation: Alone,
    /// The records that were read since nothing was known.
    pub(super) read: Vec<(u64, Stored)>,
    member: Option<MemberId>,
    /// The last entry that the member has taken, as the task that serves it has it.
    upto: Option<Position>,
}

impl Hub {
    pub(super) fn new() -> Self {
        let limits = WindowLimits {
            age: Duration::from_secs(AGE.into()),
            events: EVENTS,
            bytes: usize::MAX,
            lag_bytes: usize::MAX,
            remembered: 16,
            shared: true,
        };
        Self {
            conversation: Alone::new(&CONVERSATION, &CursorKey::derived("model"), limits),
            read: Vec::new(),
            member: None,
            upto: None,
        }
    }

    /// What decides of how it goes on. What the conversation knows follows from what was read; how much
    /// of it the window has, from who needed it.
    fn key(&self) -> impl Hash + Eq {
        let kept = self.conversation.entries().len();
        let standing = self
            .member
            .and_then(|member| self.conversation.standing(member));
        (&self.read, kept, self.upto, standing)
    }

    pub(super) fn join(&mut self, join: Join) {
        self.upto = None;
        self.member = Some(self.conversation.join(join, Arc::new(Socket)));
    }

    pub(super) fn leave(&mut self) {
        if let Some(member) = self.member.take() {
            self.conversation.leave(member);
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.member
            .is_some_and(|member| self.conversation.is_behind(member))
    }

    pub(super) fn waits(&self, is_current: bool) -> bool {
        self.member
            .is_some_and(|member| self.conversation.waits(member, is_current))
    }

    pub(super) fn serve(&mut self) {
        if let Some(member) = self.member {
            self.upto = self.conversation.serve(member, &Socket, self.upto);
        }
    }
}

impl PartialEq for Hub {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Hub {}

impl Hash for Hub {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
