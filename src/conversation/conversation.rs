//! One conversation: its window and its members, under one lock.

#[cfg(test)]
pub(crate) mod alone;
mod serving;
mod shared;

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use super::batch::Batch;
use super::cursor::{Cursor, CursorSpace, Position};
use super::entry::Entry;
use super::event::Event;
use super::id::ConversationKey;
use super::member::{
    DeliveryState, Join, Member, MemberId, MemberMap, Offer, Outlet, PendingNotice,
};
use super::window::Window;
use crate::lock::Mutex;
pub(super) use serving::Step;
pub(super) use shared::Shared;

/// One conversation of one tenant.
#[derive(Debug)]
pub(super) struct Conversation {
    key: ConversationKey,
    cursors: CursorSpace,
    shared: Arc<Shared>,
    state: Mutex<ConversationState>,
}

/// What the lock of a conversation protects.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct ConversationState {
    pub(super) window: Window,
    pub(super) members: MemberMap,
    /// The window's bytes that are in the sum of all windows.
    accounted: usize,
    /// Whether the conversation is in the hub's expiry queue.
    pub(super) in_expiry_queue: bool,
    /// Whether a member was sent something before that had its place.
    any_early: bool,
    /// The hub has dropped the conversation: look it up again.
    pub(super) closed: bool,
}

/// Why all members are.
const BEGUN_AGAIN: &str = "the gateway's journal has begun again, or has lost what came last";

impl Conversation {
    pub(super) fn new(
        key: ConversationKey,
        cursors: CursorSpace,
        floor: Position,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            key,
            cursors,
            shared,
            state: Mutex::new(ConversationState {
                window: Window::new(floor),
                members: MemberMap::default(),
                accounted: 0,
                in_expiry_queue: false,
                any_early: false,
                closed: false,
            }),
        }
    }

    pub(super) fn key(&self) -> &ConversationKey {
        &self.key
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The cursor of a position.
    pub(super) fn cursor(&self, position: Position) -> Cursor {
        self.cursors.cursor(position, self.shared.mark_of(position))
    }

    /// The position that a cursor stands for, if it is one of this conversation's.
    pub(super) fn position(&self, cursor: Cursor) -> Option<Position> {
        let (position, mark) = self.cursors.open(cursor)?;
        let is_ahead = position > self.shared.head();
        (is_ahead || self.shared.may_be(position, mark)).then_some(position)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ConversationState> {
        // A panic under the lock (there is none to be expected) must not end the conversation.
        self.state.lock()
    }
}

/// What has become of an entry that was offered to live members.
#[derive(Default)]
pub(super) struct Offered {
    /// How many have taken it.
    pub(super) taken: u64,
    /// Those that fell behind by it.
    pub(super) fell_behind: Vec<(MemberId, Arc<dyn Outlet>)>,
}

impl ConversationState {
    /// Adds a member, which is to be served until it is live.
    pub(super) fn add(&mut self, join: Join, outlet: Arc<dyn Outlet>) -> MemberId {
        self.members.insert(Member {
            outlet,
            delivery: DeliveryState::Pending(PendingNotice::Joined(join)),
            replayed_upto: Position::default(),
            early: None,
        })
    }

    /// Begins again with nothing known up to `floor`: every member is `reset`. Returns those that
    /// were live, and need a task for that.
    pub(super) fn begin(
        &mut self,
        floor: Position,
        shared: &Shared,
    ) -> Vec<(MemberId, Arc<dyn Outlet>)> {
        self.window = Window::new(floor);
        self.account(shared);
        let mut were_live = Vec::new();
        for (id, member) in self.members.iter_mut() {
            match member.delivery {
                DeliveryState::Pending(PendingNotice::Joined(_)) => continue,
                DeliveryState::Live => were_live.push((id, member.outlet.clone())),
                DeliveryState::Behind(_) | DeliveryState::Pending(_) => {}
            }
            member.delivery = DeliveryState::Pending(PendingNotice::Reset(BEGUN_AGAIN));
        }
        were_live
    }

    /// Offers an entry without a place to the live members that have not got it.
    pub(super) fn offer_early(&mut self, event: &Event, entry: &Entry, batch: &mut Batch) {
        let mut gone = Vec::new();
        for (id, member) in self.members.iter_mut() {
            let early = member.early.as_deref();
            let has_it = early.is_some_and(|early| early.has(event));
            if has_it || member.delivery != DeliveryState::Live {
                continue;
            }
            match member.outlet.event(entry, false) {
                Offer::Taken => {}
                Offer::Queued => batch.add(member.outlet.clone()),
                // It comes with its place.
                Offer::Full => continue,
                Offer::Gone => {
                    gone.push(id);
                    continue;
                }
            }
            member.early.get_or_insert_default().add(event);
            self.any_early = true;
        }
        for id in gone {
            self.members.remove(id);
        }
    }

    /// The event gets its place: the members that have it.
    pub(super) fn take_early(&mut self, event: &Event) -> Vec<MemberId> {
        let mut having = Vec::new();
        if !self.any_early {
            return having;
        }
        self.any_early = false;
        for (id, member) in self.members.iter_mut() {
            let Some(early) = &mut member.early else {
                continue;
            };
            if early.take(event) {
                having.push(id);
            }
            if early.is_empty() && member.delivery == DeliveryState::Live {
                member.early = None;
            } else {
                self.any_early = true;
            }
        }
        having
    }

    /// Offers the entry to the live members, of whom `batch` keeps those that are to be flushed; but not
    /// to those who have it already.
    pub(super) fn offer(
        &mut self,
        entry: &Entry,
        before: Position,
        early: &[MemberId],
        batch: &mut Batch,
    ) -> Offered {
        let mut offered = Offered::default();
        let mut gone = Vec::new();
        for (id, member) in self.members.iter_mut() {
            let is_live = member.delivery == DeliveryState::Live;
            if early.contains(&id) {
                if !is_live && let Some(early) = &mut member.early {
                    early.pass(entry.position);
                }
                continue;
            }
            if !is_live {
                continue;
            }
            match member.outlet.event(entry, false) {
                Offer::Taken => offered.taken += 1,
                Offer::Queued => {
                    offered.taken += 1;
                    batch.add(member.outlet.clone());
                }
                Offer::Full => {
                    member.delivery = DeliveryState::Behind(before);
                    offered.fell_behind.push((id, member.outlet.clone()));
                }
                Offer::Gone => gone.push(id),
            }
        }
        for id in gone {
            self.members.remove(id);
        }
        offered
    }

    /// Drops from the window what neither its bounds nor a member needs.
    pub(super) fn trim(&mut self, now: Instant, shared: &Shared) {
        let members = &self.members;
        let needed_after = |window: &Window| {
            let positions = members.iter().filter_map(|member| match member.delivery {
                // A member with a pending reset gets the window as it is when that is sent.
                DeliveryState::Behind(position) => {
                    Some(position).filter(|position| window.reaches_back_to(*position))
                }
                _ => None,
            });
            positions.min()
        };
        self.window.trim(now, needed_after, &shared.limits);
        self.account(shared);
    }

    /// Brings the sum of all windows up to date with this one.
    pub(super) fn account(&mut self, shared: &Shared) {
        let bytes = self.window.bytes(&shared.limits);
        if bytes >= self.accounted {
            let more = bytes - self.accounted;
            shared.bytes.fetch_add(more, Ordering::Relaxed);
        } else {
            let less = self.accounted - bytes;
            shared.bytes.fetch_sub(less, Ordering::Relaxed);
        }
        self.accounted = bytes;
    }

    pub(super) fn is_idle(&self) -> bool {
        self.members.is_empty() && self.window.is_empty()
    }
}
