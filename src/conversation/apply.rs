//! An event gets its place in its conversation, or none: a step without tasks and clocks.

use std::sync::Arc;
use std::time::Instant;

use super::batch::Batch;
use super::conversation::{Conversation, ConversationState};
use super::cursor::Position;
use super::entry::Entry;
use super::event::Event;
use super::hub::{Accepted, Published};
use super::member::{MemberId, Outlet};
use super::recent::Deduplication;

/// What has become of an event.
pub(super) struct Applied {
    pub(super) published: Published,
    /// Members that were live and had no room for it: each needs to be served.
    pub(super) fell_behind: Vec<(MemberId, Arc<dyn Outlet>)>,
}

impl From<Published> for Applied {
    fn from(published: Published) -> Self {
        Self {
            published,
            fell_behind: Vec::new(),
        }
    }
}

impl Conversation {
    /// Appends the event to the window and offers it to the members, unless it repeats one or is stale.
    /// `position` is asked for a new one alone. The window is trimmed by `now`.
    pub(super) fn apply(
        self: &Arc<Self>,
        state: &mut ConversationState,
        event: Event,
        position: impl FnOnce() -> Position,
        (accepted, now): (Accepted, Instant),
        batch: &mut Batch,
    ) -> Applied {
        let Accepted { at, instant } = accepted;
        let shared = self.shared();
        let limits = &shared.limits;
        let admission = state.window.admit(&event, instant, limits);
        if admission != Deduplication::New {
            state.window.repeat(&event, instant, limits);
            state.account(shared);
        }
        match admission {
            Deduplication::New => {}
            Deduplication::Duplicate(first) => {
                return Published::Duplicate(self.cursor(first)).into();
            }
            Deduplication::Stale => {
                return Published::Stale(self.cursor(state.window.newest())).into();
            }
        }
        let early = state.take_early(&event);
        let before = state.window.newest();
        let position = position();
        shared.advance(position);
        let cursor = self.cursor(position);
        let (name, payload, trace) = (event.name, &event.payload, event.trace);
        let entry = Entry::new(cursor, position, instant, at, name, payload, trace);
        let entry = Arc::new(entry);
        let (identity, event_id) = (event.identity, event.event_id);
        state
            .window
            .append(entry.clone(), identity, event_id, limits);
        state.window.forget(instant, limits);
        let offered = state.offer(&entry, before, &early, batch);
        shared.counters.offered.add(offered.taken);
        batch.offered(shared, offered.taken);
        state.trim(now, shared);
        Applied {
            published: Published::New(cursor),
            fell_behind: offered.fell_behind,
        }
    }
}
