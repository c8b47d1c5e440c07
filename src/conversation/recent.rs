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
    inbound: Option<Position>,
    outbound: Option<Position>,
    statuses: [Option<Position>; Status::COUNT],
}

#[derive(Debug)]
struct Remembered {
    accepted: Instant,
    identity: Option<Identity>,
    event_id: Option<Arc<str>>,
}

/// Whether an event is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deduplication {
    /// It is.
    New,
    /// It repeats the event at this position.
    Duplicate(Position),
    /// It is a status older than what is known for its message.
    Stale,
}

impl Recent {
    pub(super) fn look_up(&self, event: &Event) -> Deduplication {
        let same_id = event
            .event_id
            .as_ref()
            .and_then(|id| self.event_ids.get(id));
        if let Some(&position) = same_id {
            return Deduplication::Duplicate(position);
        }
        let Some(identity) = &event.identity else {
            return Deduplication::New;
        };
        let Some(seen) = self.messages.get(identity.message_id()) else {
            return Deduplication::New;
        };
        let repeat = |of: Option<Position>| of.map_or(Deduplication::New, Deduplication::Duplicate);
        match identity {
            Identity::Inbound(_) => repeat(seen.inbound),
            Identity::Outbound(_) => repeat(seen.outbound),
            Identity::Status(_, status) => {
                let (upto, newer) = seen.statuses.split_at(*status as usize + 1);
                match upto.last().copied().flatten() {
                    Some(position) => Deduplication::Duplicate(position),
                    None if newer.iter().any(Option::is_some) => Deduplication::Stale,
                    None => Deduplication::New,
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
        if let Some(identity) = &identity {
            let seen = self.messages.entry(identity.message_id().clone());
            *seen.or_default().position_mut(identity) = Some(position);
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
        if let Some(identity) = &oldest.identity {
            self.forget_identity(identity);
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

    fn forget_identity(&mut self, identity: &Identity) {
        let id = identity.message_id();
        if let Some(seen) = self.messages.get_mut(id) {
            *seen.position_mut(identity) = None;
            if seen.is_empty() {
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

impl Seen {
    fn position_mut(&mut self, identity: &Identity) -> &mut Option<Position> {
        match identity {
            Identity::Inbound(_) => &mut self.inbound,
            Identity::Outbound(_) => &mut self.outbound,
            Identity::Status(_, status) => &mut self.statuses[*status as usize],
        }
    }

    fn is_empty(&self) -> bool {
        let Self {
            inbound,
            outbound,
            statuses,
        } = self;
        inbound.is_none() && outbound.is_none() && statuses.iter().all(Option::is_none)
    }
}

impl Remembered {
    /// The structures, and a place in up to two tables, in bytes.
    const OVERHEAD: usize = 256;

    fn cost(&self) -> usize {
        let identity = self.identity.as_ref();
        Self::OVERHEAD
            + identity.map_or(0, |identity| identity.message_id().len())
            + self.event_id.as_ref().map_or(0, |id| id.len())
    }
}
