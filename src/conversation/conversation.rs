//! One conversation: its window and its members, under one lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use super::batch::Batch;
use super::counters::{Counters, ResetReason};
use super::cursor::{CursorSpace, Position};
use super::entry::Entry;
use super::id::ConversationKey;
use super::member::{
    DeliveryState, Join, Joined, Member, MemberId, MemberMap, Offer, Outlet, PendingNotice,
    ResetNotice, Resume,
};
use super::notified::Notified;
use super::window::{Window, WindowLimits};
use crate::lock::Mutex;

/// One conversation of one tenant.
#[derive(Debug)]
pub(super) struct Conversation {
    key: ConversationKey,
    cursors: CursorSpace,
    shared: Arc<Shared>,
    state: Mutex<ConversationState>,
}

/// What all conversations of a hub have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: WindowLimits,
    /// The newest position that has been applied.
    pub(super) head: AtomicU64,
    /// What all windows hold, in bytes.
    pub(super) bytes: AtomicUsize,
    pub(super) counters: Counters,
}

/// What the lock of a conversation protects.
#[derive(Debug)]
pub(super) struct ConversationState {
    pub(super) window: Window,
    pub(super) members: MemberMap,
    /// The window's bytes that are in the sum of all windows.
    accounted: usize,
    /// Whether the conversation is in the hub's expiry queue.
    pub(super) in_expiry_queue: bool,
    /// The hub has dropped the conversation: look it up again.
    pub(super) closed: bool,
}

/// What the task that serves a member has to do next.
#[derive(Debug)]
pub(super) enum Step {
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

impl Conversation {
    /// How many entries a member is served at a time: enough to be worth a system call,
    /// few enough that a conversation's lock is never held long.
    const BATCH: usize = 64;

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
                closed: false,
            }),
        }
    }

    pub(super) fn key(&self) -> &ConversationKey {
        &self.key
    }

    pub(super) fn cursors(&self) -> &CursorSpace {
        &self.cursors
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ConversationState> {
        // A panic under the lock (there is none to be expected) must not end the conversation.
        self.state.lock()
    }

    /// Serves a member that is not live: `upto` is the last entry that its socket has taken since
    /// the last step.
    pub(super) fn step(&self, id: MemberId, upto: Option<Position>) -> Step {
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
            member.delivery = DeliveryState::Pending(PendingNotice::Reset);
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
        let entries: Vec<_> = state
            .window
            .after(position)
            .take(Self::BATCH)
            .cloned()
            .collect();
        if entries.is_empty() {
            member.delivery = DeliveryState::Live;
            self.shared.counters.caught_up.count();
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
        let head = Position(self.shared.head.load(Ordering::Acquire));
        let newest = match window.entries().len() {
            // Nothing of this conversation comes between here and the journal's newest, and the
            // newer a cursor is, the longer it is good.
            0 => head.max(window.newest()),
            _ => window.newest(),
        };
        let replay_start = window.replay_start(self.shared.limits.events).min(newest);
        let cursor = self.cursors.cursor(newest);
        member.replayed_upto = newest;
        match notice {
            PendingNotice::Joined(join) => {
                let reset = |reason| (Resume::Reset, replay_start, Some(reason));
                let (resume, start, reset) = match join {
                    Join::Fresh { replay: true } => (Resume::Fresh, replay_start, None),
                    Join::Fresh { replay: false } => (Resume::Fresh, newest, None),
                    Join::Unknown => reset(ResetReason::UnknownCursor),
                    Join::Resume(cursor) => match self.cursors.position(cursor) {
                        Some(position) if !window.reaches_back_to(position) => {
                            reset(ResetReason::CursorExpired)
                        }
                        Some(position) if position <= head => (Resume::Resumed, position, None),
                        None if !self.cursors.is_of_this_epoch(cursor) => {
                            reset(ResetReason::AnotherJournal)
                        }
                        _ => reset(ResetReason::UnknownCursor),
                    },
                };
                let joined = Joined {
                    cursor,
                    resume,
                    replaying: window.after(start).len(),
                };
                Notified {
                    offer: member.outlet.joined(&joined),
                    start,
                    resume: Some(resume),
                    reset,
                }
            }
            PendingNotice::Reset => {
                let notice = ResetNotice {
                    cursor,
                    reason: "the connection was too slow to keep up with the conversation",
                };
                Notified {
                    offer: member.outlet.reset(&notice),
                    start: replay_start,
                    resume: None,
                    reset: Some(ResetReason::TooSlow),
                }
            }
        }
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
    /// Adds a member, which is served by a task until it is live.
    pub(super) fn add(&mut self, join: Join, outlet: Arc<dyn Outlet>) -> MemberId {
        self.members.insert(Member {
            outlet,
            delivery: DeliveryState::Pending(PendingNotice::Joined(join)),
            replayed_upto: Position::default(),
        })
    }

    /// Offers the entry to the live members, of whom `batch` keeps those that are to be flushed.
    pub(super) fn offer(&mut self, entry: &Entry, before: Position, batch: &mut Batch) -> Offered {
        let mut offered = Offered::default();
        let mut gone = Vec::new();
        for (id, member) in self.members.iter_mut() {
            if member.delivery != DeliveryState::Live {
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
        let bytes = self.window.bytes();
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
