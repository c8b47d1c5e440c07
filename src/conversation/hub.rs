//! All conversations: applying entries, joining, leaving, expiry.
//!
//! Order of locks: the map of conversations, then one conversation, then the expiry queue. No lock
//! is taken while one that comes later is held, and never two conversations at once.

mod expiry;
mod queries;
mod shared;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use foldhash::fast::RandomState;
use futures_util::FutureExt as _;
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::batch::Batch;
use super::catch_up;
use super::conversation::{Conversation, ConversationState, Shared};
use super::counters::Counters;
use super::cursor::{Cursor, CursorKey, CursorSpace, Epoch, Position, Seal};
use super::event::Event;
use super::eviction_floor::EvictionFloor;
use super::expiry_queue::ExpiryQueue;
use super::id::ConversationKey;
use super::member::{Join, MemberId, Outlet};
use super::window::WindowLimits;
use crate::lock::RwLock;

/// The conversations of this process.
pub struct Hub {
    seal: Arc<Seal>,
    shared: Arc<Shared>,
    conversations: RwLock<HashMap<ConversationKey, Arc<Conversation>, RandomState>>,
    expiry_queue: ExpiryQueue,
    eviction_floor: EvictionFloor,
    /// Members that are being served until they are live.
    catching_up: AtomicUsize,
    /// Whether all of the journal has been read that there is.
    current: AtomicBool,
    /// Wakes members that wait for more of it to be read.
    progress: Notify,
    /// How many steps were taken towards that.
    approach: AtomicU64,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is new, and stands at this cursor.
    New(Cursor),
    /// It repeats the event that stands at this cursor.
    Duplicate(Cursor),
    /// It is a stale status; this is the conversation's newest cursor.
    Stale(Cursor),
    /// It has no place yet; members of this process that are live have got it. They stand at this
    /// cursor.
    Early(Cursor),
}

impl Published {
    /// What the log calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New(_) => "new",
            Self::Duplicate(_) => "duplicate",
            Self::Stale(_) => "stale",
            Self::Early(_) => "early",
        }
    }
}

/// When an event was accepted.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// By the wall clock, for people to read.
    pub at: OffsetDateTime,
    /// By the clock that never jumps.
    pub instant: Instant,
}

impl Accepted {
    /// Now.
    pub fn now() -> Self {
        Self {
            at: OffsetDateTime::now_utc(),
            instant: Instant::now(),
        }
    }
}

/// A member's place in a conversation. Leave with [`Hub::leave`].
#[derive(Debug, Clone)]
pub struct Membership {
    conversation: Arc<Conversation>,
    member: MemberId,
}

impl Membership {
    /// The conversation's name.
    pub fn key(&self) -> &ConversationKey {
        self.conversation.key()
    }
}

impl Hub {
    /// A hub without conversations. `epoch` is that of the journal whose positions it will see, and
    /// cursors are sealed under `key`.
    pub fn new(epoch: Epoch, key: &CursorKey, limits: WindowLimits) -> Self {
        // Of a journal that replicas share, nothing has been read.
        let current = AtomicBool::new(!limits.shared);
        Self {
            seal: Seal::new(epoch, key),
            shared: Arc::new(Shared::new(limits)),
            conversations: RwLock::default(),
            expiry_queue: ExpiryQueue::default(),
            eviction_floor: EvictionFloor::new(),
            catching_up: AtomicUsize::new(0),
            current,
            progress: Notify::new(),
            approach: AtomicU64::new(0),
        }
    }

    /// Counts since the start.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Gives the event its place in its conversation, unless it repeats one or is stale, and offers
    /// it to the members.
    ///
    /// `position` is asked for under the conversation's lock and only for a new event; what it
    /// gives is greater than all that it gave before. The event goes out when `batch` is flushed.
    pub fn apply(
        self: &Arc<Self>,
        event: Event,
        position: impl FnOnce() -> Position,
        accepted: Accepted,
        batch: &mut Batch,
    ) -> Published {
        let key = event.key.clone();
        let (applied, idle) = self.enter(&key, |conversation, state| {
            let now = self.now(accepted.instant);
            let applied = conversation.apply(state, event, position, (accepted, now), batch);
            for (member, outlet) in applied.fell_behind {
                self.shared.counters.fell_behind.count();
                tokio::spawn(self.serving(conversation, member, outlet));
            }
            if !state.in_expiry_queue
                && let Some(oldest) = state.window.oldest(&self.shared.limits)
            {
                state.in_expiry_queue = true;
                self.expiry_queue.push(oldest, conversation.clone());
            }
            // With a window of no events, this one may have left nothing behind.
            let idle = state.is_idle().then(|| conversation.clone());
            (applied.published, idle)
        });
        if let Some(conversation) = idle {
            self.drop_idle(&conversation);
        }
        let counter = match applied {
            Published::New(_) | Published::Early(_) => &self.shared.counters.events,
            Published::Duplicate(_) => &self.shared.counters.duplicates,
            Published::Stale(_) => &self.shared.counters.stale,
        };
        counter.count();
        self.evict();
        applied
    }

    /// Adds a member; it gets `joined`, then what it has missed, then what happens.
    pub fn join(
        self: &Arc<Self>,
        key: &ConversationKey,
        join: Join,
        outlet: Arc<dyn Outlet>,
    ) -> Membership {
        let membership = self.enter(key, |conversation, state| Membership {
            conversation: conversation.clone(),
            member: state.add(join, outlet.clone()),
        });
        // Most need no task: what they get goes out here, with the answer to the CONNECT.
        let serving = self.serving(&membership.conversation, membership.member, outlet);
        let mut serving = Box::pin(serving);
        if serving.as_mut().now_or_never().is_none() {
            tokio::spawn(serving);
        }
        membership
    }

    /// Removes a member; nothing happens if it has gone already.
    pub fn leave(&self, membership: &Membership) {
        self.remove(&membership.conversation, membership.member);
    }

    pub(super) fn remove(&self, conversation: &Arc<Conversation>, member: MemberId) {
        let mut state = conversation.lock();
        state.members.remove(member);
        state.trim(Instant::now(), &self.shared);
        let idle = state.is_idle();
        drop(state);
        if idle {
            self.drop_idle(conversation);
        }
    }

    /// Serves the member until it is live.
    fn serving(
        self: &Arc<Self>,
        conversation: &Arc<Conversation>,
        member: MemberId,
        outlet: Arc<dyn Outlet>,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.catching_up.fetch_add(1, Ordering::AcqRel);
        let (hub, conversation) = (self.clone(), conversation.clone());
        async move {
            catch_up::catch_up(&hub, &conversation, member, &*outlet).await;
            hub.catching_up.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Runs `within` under the lock of the conversation, which is made if it is not there.
    fn enter<T>(
        &self,
        key: &ConversationKey,
        within: impl FnOnce(&Arc<Conversation>, &mut ConversationState) -> T,
    ) -> T {
        loop {
            let conversation = self.find_or_make(key);
            let mut state = conversation.lock();
            // Between the look-up and the lock the hub may have dropped it.
            if !state.closed {
                return within(&conversation, &mut state);
            }
        }
    }

    fn find(&self, key: &ConversationKey) -> Option<Arc<Conversation>> {
        let map = self.conversations.read();
        map.get(key).cloned()
    }

    fn find_or_make(&self, key: &ConversationKey) -> Arc<Conversation> {
        self.find(key).unwrap_or_else(|| {
            let mut map = self.conversations.write();
            let conversation = map.entry(key.clone()).or_insert_with(|| {
                Arc::new(Conversation::new(
                    key.clone(),
                    CursorSpace::new(&self.seal, key),
                    self.eviction_floor.floor(key),
                    self.shared.clone(),
                ))
            });
            conversation.clone()
        })
    }

    /// Drops the conversation, if it still has neither members nor anything in its window.
    fn drop_idle(&self, conversation: &Arc<Conversation>) {
        let mut map = self.conversations.write();
        let mut state = conversation.lock();
        if !state.closed && state.is_idle() {
            state.closed = true;
            self.eviction_floor
                .raise(conversation.key(), state.window.floor());
            map.remove(conversation.key());
        }
    }
}

#[cfg(test)]
mod tests;
