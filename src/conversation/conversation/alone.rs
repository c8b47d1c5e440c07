//! One conversation as the hub keeps it, without the hub's tasks and maps: what a model of it takes its
//! steps with. Each step is the hub's own.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::{Conversation, DeliveryState, Shared, Step};
use crate::conversation::batch::Batch;
use crate::conversation::catch_up;
use crate::conversation::cursor::{CursorKey, CursorSpace, Epoch, Mark, Position, Seal};
use crate::conversation::event::Event;
use crate::conversation::hub::{Accepted, Published};
use crate::conversation::id::ConversationKey;
use crate::conversation::member::{Join, MemberId, Offer, Outlet};
use crate::conversation::window::WindowLimits;
use crate::lock::Mutex;

/// The conversation and what the hub has for it.
pub(crate) struct Alone {
    seal: Arc<Seal>,
    conversation: Arc<Conversation>,
}

impl Alone {
    pub(crate) fn new(key: &ConversationKey, cursors: &CursorKey, limits: WindowLimits) -> Self {
        let seal = Seal::new(Epoch(0), cursors);
        let space = CursorSpace::new(&seal, key);
        let shared = Arc::new(Shared::new(limits));
        let conversation = Conversation::new(key.clone(), space, Position(0), shared);
        Self {
            seal,
            conversation: Arc::new(conversation),
        }
    }

    /// As `Hub::set_epoch`.
    pub(crate) fn set_epoch(&self, epoch: Epoch) {
        self.seal.set_epoch(epoch);
    }

    /// As `Hub::begin`.
    pub(crate) fn begin(&self, floor: Position) {
        let shared = self.conversation.shared();
        shared.begin(floor);
        self.conversation.lock().begin(floor, shared);
    }

    /// As `Hub::record`.
    pub(crate) fn record(
        &self,
        event: Event,
        (position, mark): (Position, Mark),
        accepted: Accepted,
    ) -> Published {
        let shared = self.conversation.shared();
        shared.mark(position, mark);
        let mut batch = Batch::default();
        let mut state = self.conversation.lock();
        let now = accepted.instant;
        let applied =
            self.conversation
                .apply(&mut state, event, || position, (accepted, now), &mut batch);
        shared.advance(position);
        applied.published
    }

    /// As `Hub::pass`.
    pub(crate) fn pass(&self, position: Position, mark: Mark) {
        let shared = self.conversation.shared();
        shared.mark(position, mark);
        shared.advance(position);
    }

    /// As `Hub::join`.
    pub(crate) fn join(&self, join: Join, outlet: Arc<dyn Outlet>) -> MemberId {
        self.conversation.lock().add(join, outlet)
    }

    /// As `Hub::leave`.
    pub(crate) fn leave(&self, member: MemberId) {
        let mut state = self.conversation.lock();
        state.members.remove(member);
        state.trim(Instant::now(), self.conversation.shared());
    }

    /// Whether a member waits for more of the journal to be read.
    pub(crate) fn waits(&self, member: MemberId, is_current: bool) -> bool {
        self.conversation.waits(member, is_current)
    }

    /// Serves a member, as its task does, until it is live or its socket has no room: then with the last
    /// entry that was taken, with which it goes on.
    pub(crate) fn serve(
        &self,
        member: MemberId,
        outlet: &dyn Outlet,
        mut upto: Option<Position>,
    ) -> Option<Position> {
        while let Step::Entries {
            entries,
            replayed_upto,
        } = self.conversation.step(member, upto)
        {
            let offered = catch_up::offer(&entries, replayed_upto, outlet);
            upto = offered.upto;
            if offered.last == Offer::Full {
                return upto;
            }
        }
        None
    }

    /// How a member is to be served, unless it is live.
    pub(crate) fn standing(&self, member: MemberId) -> Option<String> {
        let mut state = self.conversation.lock();
        let delivery = state.members.get_mut(member)?.delivery;
        (delivery != DeliveryState::Live).then(|| format!("{delivery:?}"))
    }

    /// Whether a member is served by a task.
    pub(crate) fn is_behind(&self, member: MemberId) -> bool {
        let mut state = self.conversation.lock();
        let member = state.members.get_mut(member);
        member.is_some_and(|member| member.delivery != DeliveryState::Live)
    }

    /// The positions of the window's entries.
    pub(crate) fn entries(&self) -> Vec<Position> {
        let state = self.conversation.lock();
        state.window.entries().map(|entry| entry.position).collect()
    }
}

impl Clone for Alone {
    /// Another one in the same state; members keep their outlets.
    fn clone(&self) -> Self {
        let seal = Arc::new((*self.seal).clone());
        let Conversation {
            key,
            cursors,
            shared,
            state,
        } = &*self.conversation;
        let conversation = Conversation {
            key: key.clone(),
            cursors: cursors.of(&seal),
            shared: Arc::new((**shared).clone()),
            state: Mutex::new(state.lock().clone()),
        };
        Self {
            seal,
            conversation: Arc::new(conversation),
        }
    }
}

impl fmt::Debug for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alone").field(&self.entries()).finish()
    }
}
