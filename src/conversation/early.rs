//! What a member was sent before it had its place in the journal.

use std::collections::VecDeque;
use std::sync::Arc;

use super::cursor::Position;
use super::event::{Event, Identity};

/// How many events a member may be sent early and be known to have. Beyond that it sees the first of
/// them again when they get their places.
const MOST: usize = 1024;

/// The events that one member was sent early.
#[derive(Debug, Clone, Default)]
pub(super) struct Early {
    /// Those that have no place yet.
    waiting: VecDeque<Name>,
    /// The places of those that got one while the member was behind.
    passed: Vec<Position>,
}

/// What an event is known by, as one that repeats it.
#[derive(Debug, Clone)]
struct Name {
    identity: Option<Identity>,
    event_id: Option<Arc<str>>,
}

impl Name {
    fn is_of(&self, event: &Event) -> bool {
        let same_identity = self.identity.is_some() && self.identity == event.identity;
        same_identity || self.event_id.is_some() && self.event_id == event.event_id
    }
}

impl Early {
    pub(super) fn add(&mut self, event: &Event) {
        if self.waiting.len() == MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Name {
            identity: event.identity.clone(),
            event_id: event.event_id.clone(),
        });
    }

    pub(super) fn has(&self, event: &Event) -> bool {
        self.waiting.iter().any(|name| name.is_of(event))
    }

    /// The event gets its place: whether the member has it.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|name| !name.is_of(event));
        self.waiting.len() < before
    }

    /// The member comes to this place later.
    pub(super) fn pass(&mut self, position: Position) {
        self.passed.push(position);
    }

    pub(super) fn has_passed(&self, position: Position) -> bool {
        self.passed.contains(&position)
    }

    /// The member has everything up to here.
    pub(super) fn caught_up(&mut self) {
        self.passed.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.passed.is_empty()
    }
}
