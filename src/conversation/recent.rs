//! What a conversation remembers of its latest events, to know a repeat or a stale status.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cursor::Position;
use super::event::{Event, Identity, Status};

/// The identities of the latest events. Plain data, like the window that it belongs to, but
/// bounded by a count of its own: a redelivery repeats more than the window may hold.
#[derive(Debug, Default)]
pub(super) struct Recent {
    messages: HashMap<Arc<str>, Seen>,
    event_ids: HashMap<Arc<str>, Position>,
    order: VecDeque<Remembered>,
    bytes: usize,
}

/// What is known of one messageId.
#[derive(Debug, Default)]
struct Seen {
    message: Option<Position>,
    statuses: [Option<Position>; Status::COUNT],
}

#[derive(Debug)]
struct Remembered {
    accepted: Instant,
    identity: Option<Identity>,
    event_id: Option<Arc<str>>,
}

/// What the memory says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Familiarity {
    New,
    Repeat(Position),
    Stale,
}

impl Recent {
    pub(super) fn look_up(&self, event: &Event) -> Familiarity {
        let same_id = event
            .event_id
            .as_ref()
            .and_then(|id| self.event_ids.get(id));
        if let Some(&position) = same_id {
            return Familiarity::Repeat(position);
        }
        match &event.identity {
            None => Familiarity::New,
            Some(Identity::Message(id)) => self
                .messages
                .get(id)
                .and_then(|seen| seen.message)
                .map_or(Familiarity::New, Familiarity::Repeat),
            Some(Identity::Status(id, status)) => {
                let Some(seen) = self.messages.get(id) else {
                    return Familiarity::New;
                };
                let (upto, newer) = seen.statuses.split_at(*status as usize + 1);
                match upto.last().copied().flatten() {
                    Some(position) => Familiarity::Repeat(position),
                    None if newer.iter().any(Option::is_some) => Familiarity::Stale,
                    None => Familiarity::New,
                }
            }
        }
    }

    /// Remembers a new event, which took `position`.
    pub(super) fn remember(
        &mut self,
        identity: Option<Identity>,
        event_id: Option<Arc<str>>,
        position: Position,
        accepted: Instant,
    ) {
        match &identity {
            None => {}
            Some(Identity::Message(id)) => {
                self.messages.entry(id.clone()).or_default().message = Some(position);
            }
            Some(Identity::Status(id, status)) => {
                let seen = self.messages.entry(id.clone()).or_default();
                seen.statuses[*status as usize] = Some(position);
            }
        }
        if let Some(id) = &event_id {
            self.event_ids.insert(id.clone(), position);
        }
        if identity.is_none() && event_id.is_none() {
            return;
        }
        let remembered = Remembered {
            accepted,
            identity,
            event_id,
        };
        self.bytes += remembered.cost();
        self.order.push_back(remembered);
    }

    /// Forgets what is older than `age`, and the oldest beyond `events`.
    pub(super) fn expire(&mut self, now: Instant, age: Duration, events: usize) {
        while let Some(oldest) = self.order.front() {
            let old = now.saturating_duration_since(oldest.accepted) > age;
            if !old && self.order.len() <= events {
                break;
            }
            self.forget_oldest();
        }
    }

    /// Forgets the oldest event; `false` when there is none.
    pub(super) fn forget_oldest(&mut self) -> bool {
        let Some(oldest) = self.order.pop_front() else {
            return false;
        };
        self.bytes -= oldest.cost();
        match &oldest.identity {
            None => {}
            Some(Identity::Message(id)) => self.forget_message(id, |seen| seen.message = None),
            Some(Identity::Status(id, status)) => {
                self.forget_message(id, |seen| seen.statuses[*status as usize] = None);
            }
        }
        if let Some(id) = &oldest.event_id {
            self.event_ids.remove(id);
        }
        if self.order.is_empty() {
            // An idle conversation gives the tables' memory back.
            *self = Self::default();
        }
        true
    }

    fn forget_message(&mut self, id: &Arc<str>, clear: impl FnOnce(&mut Seen)) {
        if let Some(seen) = self.messages.get_mut(id) {
            clear(seen);
            if seen.message.is_none() && seen.statuses.iter().all(Option::is_none) {
                self.messages.remove(id);
            }
        }
    }

    pub(super) fn oldest(&self) -> Option<Instant> {
        self.order.front().map(|oldest| oldest.accepted)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Remembered {
    /// The structures, and a place in up to two tables, in bytes.
    const OVERHEAD: usize = 256;

    fn cost(&self) -> usize {
        let id = match &self.identity {
            None => 0,
            Some(Identity::Message(id) | Identity::Status(id, _)) => id.len(),
        };
        Self::OVERHEAD + id + self.event_id.as_ref().map_or(0, |id| id.len())
    }
}
