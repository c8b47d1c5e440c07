//! One conversation: its window and its members, under one lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use super::batch::Batch;
use super::beginning::{Asked, Beginning};
use super::counters::{Counters, ResetReason};
use super::cursor::{Cursor, CursorSpace, Position};
use super::entry::Entry;
use super::event::Event;
use super::id::ConversationKey;
use super::marks::Marks;
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
    /// What a shared journal's newest entries are known by.
    pub(super) marks: Marks,
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
    /// Whether a member was sent something before that had its place.
    any_early: bool,
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

/// Why a member is `reset` that fell out of the window.
const TOO_SLOW: &str = "the connection was too slow to keep up with the conversation";

/// Why all members are.
const BEGUN_AGAIN: &str = "the gateway's journal has begun again, or has lost what came last";

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
                any_early: false,
                closed: false,
            }),
        }
    }

    pub(super) fn key(&self) -> &ConversationKey {
        &self.key
    }

    /// The cursor of a position.
    pub(super) fn cursor(&self, position: Position) -> Cursor {
        self.cursors
            .cursor(position, self.shared.marks.of(position))
    }

    /// The position that a cursor stands for, if it is one of this conversation's.
    pub(super) fn position(&self, cursor: Cursor) -> Option<Position> {
        let (position, mark) = self.cursors.open(cursor)?;
        let is_ahead = position > self.shared.head();
        (is_ahead || self.shared.marks.may_be(position, mark)).then_some(position)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ConversationState> {
        // A panic under the lock (there is none to be expected) must not end the conversation.
        self.state.lock()
    }

    /// Whether a member has to wait: for a journal that has not been read, or for what its cursor
    /// names, which another replica has read.
    pub(super) fn waits(&self, id: MemberId, is_current: bool) -> bool {
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

impl Shared {
    /// The newest position that has been applied.
    pub(super) fn head(&self) -> Position {
        Position(self.head.load(Ordering::Acquire))
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
