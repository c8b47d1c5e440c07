//! Serving a member that is not live, a step at a time: the notice that is pending, then the entries that
//! it has not got.

use std::sync::Arc;
use std::time::Instant;

use super::Conversation;
use crate::conversation::beginning::{Asked, Beginning};
use crate::conversation::counters::ResetReason;
use crate::conversation::cursor::Position;
use crate::conversation::entry::Entry;
use crate::conversation::member::{
    DeliveryState, Join, Joined, Member, MemberId, Offer, PendingNotice, ResetNotice, Resume,
};
use crate::conversation::notified::Notified;
use crate::conversation::window::Window;

/// What the task that serves a member has to do next.
#[derive(Debug)]
pub(in crate::conversation) enum Step {
    /// Offer these, in this order; then report how far it got.
    Entries {
        entries: Vec<Arc<Entry>>,
        /// Entries up to this one count as replayed.
        replayed_upto: Position,
    },
    /// The socket has no room: wait, then ask again.
    Wait,
    /// The member is live: the task ends.
    CaughtUp,
    /// The member's socket is closed, or it has left: the task ends.
    Gone,
}

/// Why a member is `reset` that fell out of the window.
const TOO_SLOW: &str = "the connection was too slow to keep up with the conversation";

impl Conversation {
    /// How many entries a member is served at a time: enough to be worth a system call,
    /// few enough that a conversation's lock is never held long.
    const BATCH: usize = 64;

    /// Whether a member has to wait: for a journal that has not been read, or for what its cursor
    /// names, which another replica has read.
    pub(in crate::conversation) fn waits(&self, id: MemberId, is_current: bool) -> bool {
        let mut state = self.lock();
        let Some(member) = state.members.get_mut(id) else {
            return false;
        };
        match member.delivery {
            DeliveryState::Pending(PendingNotice::Joined(Join::Resume(cursor))) => {
                let position = self.position(cursor);
                !is_current || position.is_some_and(|position| position > self.shared.head())
            }
            DeliveryState::Pending(_) => !is_current,
            DeliveryState::Live | DeliveryState::Behind(_) => false,
        }
    }

    /// Serves a member that is not live: `upto` is the last entry that its socket has taken since
    /// the last step.
    pub(in crate::conversation) fn step(&self, id: MemberId, upto: Option<Position>) -> Step {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(member) = state.members.get_mut(id) else {
            return Step::Gone;
        };
        if let (DeliveryState::Behind(position), Some(upto)) = (&mut member.delivery, upto) {
            *position = upto;
        }
        if let DeliveryState::Behind(position) = member.delivery
            && !state.window.reaches_back_to(position)
        {
            member.delivery = DeliveryState::Pending(PendingNotice::Reset(TOO_SLOW));
        }
        if let DeliveryState::Pending(notice) = member.delivery {
            let notified = self.notify(notice, member, &state.window);
            match notified.offer {
                Offer::Taken | Offer::Queued => {
                    member.delivery = DeliveryState::Behind(notified.start);
                    notified.count(&self.shared.counters);
                }
                Offer::Full => return Step::Wait,
                Offer::Gone => {
                    state.members.remove(id);
                    state.trim(Instant::now(), &self.shared);
                    return Step::Gone;
                }
            }
        }
        let DeliveryState::Behind(position) = member.delivery else {
            return Step::CaughtUp;
        };
        let early = member.early.as_ref();
        let has = |entry: &Entry| early.is_some_and(|early| early.has_passed(entry.position));
        let entries: Vec<_> = state
            .window
            .after(position)
            .filter(|entry| !has(entry))
            .take(Self::BATCH)
            .cloned()
            .collect();
        if entries.is_empty() {
            member.delivery = DeliveryState::Live;
            self.shared.counters.caught_up.count();
            if let Some(early) = &mut member.early {
                early.caught_up();
            }
            // What was kept only for this member can go.
            state.trim(Instant::now(), &self.shared);
            return Step::CaughtUp;
        }
        Step::Entries {
            entries,
            replayed_upto: member.replayed_upto,
        }
    }

    /// Sends a member the notice that is pending.
    fn notify(&self, notice: PendingNotice, member: &mut Member, window: &Window) -> Notified {
        let asked = match notice {
            PendingNotice::Joined(Join::Fresh { replay }) => Asked::Fresh { replay },
            PendingNotice::Joined(Join::Resume(cursor)) => {
                let position = self.position(cursor);
                position.map_or(Asked::Unknown, Asked::After)
            }
            PendingNotice::Joined(Join::Unknown) | PendingNotice::Reset(_) => Asked::Unknown,
        };
        let events = self.shared.limits.events;
        let beginning = Beginning::of(asked, window, self.shared.head(), events);
        let Beginning {
            resume,
            after,
            newest,
        } = beginning;
        let cursor = self.cursor(newest);
        member.replayed_upto = newest;
        let reset = (resume == Resume::Reset).then(|| self.reset_reason(notice, asked, window));
        let (offer, resume) = match notice {
            PendingNotice::Joined(_) => {
                let joined = Joined {
                    cursor,
                    resume,
                    replaying: window.after(after).len(),
                };
                (member.outlet.joined(&joined), Some(resume))
            }
            PendingNotice::Reset(reason) => {
                (member.outlet.reset(&ResetNotice { cursor, reason }), None)
            }
        };
        Notified {
            offer,
            start: after,
            resume,
            reset,
        }
    }

    /// Why a member is told `reset`.
    fn reset_reason(&self, notice: PendingNotice, asked: Asked, window: &Window) -> ResetReason {
        match (notice, asked) {
            (PendingNotice::Reset(TOO_SLOW), _) => ResetReason::TooSlow,
            (PendingNotice::Reset(_), _) => ResetReason::AnotherJournal,
            (_, Asked::After(position)) if !window.reaches_back_to(position) => {
                ResetReason::CursorExpired
            }
            (PendingNotice::Joined(Join::Resume(cursor)), Asked::Unknown)
                if !self.cursors.is_of_this_epoch(cursor) =>
            {
                ResetReason::AnotherJournal
            }
            _ => ResetReason::UnknownCursor,
        }
    }
}
