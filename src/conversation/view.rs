//! What an operator may see of a conversation: who follows it and how much is kept, not what.

use super::conversation::Conversation;
use super::cursor::Cursor;
use super::member::{DeliveryState, Participant};

/// A conversation as it stands at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationView {
    /// Its members, in the order in which they came.
    pub members: Vec<MemberView>,
    /// How many events the window has.
    pub events: usize,
    /// The oldest of them.
    pub oldest: Option<Cursor>,
    /// The newest of them.
    pub newest: Option<Cursor>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    /// Who it is.
    pub participant: Participant,
    /// How far it has come.
    pub standing: Standing,
}

/// Whether a member has everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has, and gets each event at once.
    Live,
    /// It is served from the window.
    CatchingUp,
}

impl Conversation {
    pub(super) fn view(&self) -> ConversationView {
        let state = self.lock();
        let members = state.members.iter().map(|member| MemberView {
            participant: member.outlet.participant().clone(),
            standing: match member.delivery {
                DeliveryState::Live => Standing::Live,
                DeliveryState::Behind(_) | DeliveryState::Pending(_) => Standing::CatchingUp,
            },
        });
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|member| member.participant.connected_at);
        let mut entries = state.window.entries();
        let events = entries.len();
        let oldest = entries.next().map(|entry| entry.position);
        let newest = state.window.newest();
        ConversationView {
            members,
            events,
            oldest: oldest.map(|position| self.cursor(position)),
            newest: oldest.map(|_| self.cursor(newest)),
        }
    }
}
