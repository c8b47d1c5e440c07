//! What a conversation remembers of its latest events, to know a repeat or a stale status.
//!
//! Whether an event is new depends on the events before it and on the times that they came with, on
//! nothing else: all replicas that read the same journal come to the same result, wherever they
//! have begun to read. So a repeat is remembered as its event was: what happened within
//! `WindowLimits::age` is enough to know whether there was one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cursor::Position;
use super::event::{Event, Identity, Status};

/// The identities of the latest events. Plain data, like the window that it belongs to, but
/// bounded by a count of its own: a redelivery repeats more than the window may hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent {
    messages: HashMap<Arc<str>, Seen>,
    event_ids: HashMap<Arc<str>, Known>,
    /// What is known, by when it was seen last.
    order: BTreeMap<u64, Remembered>,
    next: u64,
    bytes: usize,
}

/// What is known of one messageId.
#[derive(Debug, Clone, Default)]
struct Seen {
    inbound: Option<Known>,
    outbound: Option<Known>,
    statuses: [Option<Known>; Status::COUNT],
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// Of the first; that of a stale status is 0, where nothing stands.
    position: Position,
    /// Its place in the order.
    last: u64,
}

#[derive(Debug, Clone)]
struct Remembered {
    /// When it was seen last.
    at: Instant,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Identity(Identity),
    EventId(Arc<str>),
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
    /// Whether an event of this time would be new.
    pub(super) fn look_up(&self, event: &Event, at: Instant, age: Duration) -> Deduplication {
        let known = |known: &&Known| self.counts(known, at, age);
        let event_id = event.event_id.as_ref();
        let same_id = event_id.and_then(|id| self.event_ids.get(id));
        if let Some(same) = same_id.filter(known) {
            return Deduplication::Duplicate(same.position);
        }
        let Some(identity) = &event.identity else {
            return Deduplication::New;
        };
        let Some(seen) = self.messages.get(identity.message_id()) else {
            return Deduplication::New;
        };
        let same = seen.of(identity).as_ref().filter(known);
        match (identity, same) {
            (_, Some(same)) if same.position != Position::default() => {
                Deduplication::Duplicate(same.position)
            }
            (_, Some(_)) => Deduplication::Stale,
            (Identity::Status(_, status), None) => {
                let newer = &seen.statuses[*status as usize + 1..];
                match newer.iter().flatten().any(|newer| known(&newer)) {
                    true => Deduplication::Stale,
                    false => Deduplication::New,
                }
            }
            (_, None) => Deduplication::New,
        }
    }

    /// Remembers a new event, which took `position`.
    pub(super) fn remember(
        &mut self,
        identity: Option<Identity>,
        event_id: Option<Arc<str>>,
        position: Position,
        at: Instant,
    ) {
        if let Some(identity) = identity {
            self.put(What::Identity(identity), position, at);
        }
        if let Some(id) = event_id {
            self.put(What::EventId(id), position, at);
        }
    }

    /// Remembers that what is known of an event was seen again; of a stale status, that it was seen.
    pub(super) fn repeat(&mut self, event: &Event, at: Instant, age: Duration) {
        let is_stale = self.look_up(event, at, age) == Deduplication::Stale;
        if let Some(identity) = &event.identity {
            let seen = self.messages.get(identity.message_id());
            let known = seen.and_then(|seen| *seen.of(identity));
            let known = known.filter(|known| self.counts(known, at, age));
            let position = known.map(|known| known.position);
            let position = position.or(is_stale.then(Position::default));
            if let Some(position) = position {
                self.put(What::Identity(identity.clone()), position, at);
            }
        }
        if let Some(id) = &event.event_id {
            let known = self.event_ids.get(id).copied();
            if let Some(known) = known.filter(|known| self.counts(known, at, age)) {
                self.put(What::EventId(id.clone()), known.position, at);
            }
        }
    }

    /// Whether something is not too long ago to count.
    fn counts(&self, known: &Known, at: Instant, age: Duration) -> bool {
        let remembered = self.order.get(&known.last);
        remembered.is_some_and(|remembered| at.saturating_duration_since(remembered.at) <= age)
    }

    fn put(&mut self, what: What, position: Position, at: Instant) {
        let last = self.next;
        self.next += 1;
        let known = Known { position, last };
        let before = match &what {
            What::Identity(identity) => {
                let seen = self.messages.entry(identity.message_id().clone());
                seen.or_default().of_mut(identity).replace(known)
            }
            What::EventId(id) => self.event_ids.insert(id.clone(), known),
        };
        if let Some(before) = before.and_then(|before| self.order.remove(&before.last)) {
            self.bytes -= before.cost();
        }
        let remembered = Remembered { at, what };
        self.bytes += remembered.cost();
        self.order.insert(last, remembered);
    }

    /// Forgets what was last seen longer than `age` ago, and the oldest beyond so many.
    pub(super) fn expire(&mut self, now: Instant, age: Duration, most: usize) {
        while let Some((_, oldest)) = self.order.first_key_value() {
            let old = now.saturating_duration_since(oldest.at) > age;
            if !old && self.order.len() <= most {
                break;
            }
            self.forget_oldest();
        }
    }

    /// Forgets the oldest; `false` when there is none.
    pub(super) fn forget_oldest(&mut self) -> bool {
        let Some((_, oldest)) = self.order.pop_first() else {
            return false;
        };
        self.bytes -= oldest.cost();
        match &oldest.what {
            What::Identity(identity) => self.forget_identity(identity),
            What::EventId(id) => {
                self.event_ids.remove(id);
            }
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
            *seen.of_mut(identity) = None;
            if seen.is_empty() {
                self.messages.remove(id);
            }
        }
    }

    /// When the oldest was seen last.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.order.first_key_value().map(|(_, oldest)| oldest.at)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Seen {
    fn of(&self, identity: &Identity) -> &Option<Known> {
        match identity {
            Identity::Inbound(_) => &self.inbound,
            Identity::Outbound(_) => &self.outbound,
            Identity::Status(_, status) => &self.statuses[*status as usize],
        }
    }

    fn of_mut(&mut self, identity: &Identity) -> &mut Option<Known> {
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
    /// The structures, and a place in two tables, in bytes.
    const OVERHEAD: usize = 256;

    fn cost(&self) -> usize {
        Self::OVERHEAD
            + match &self.what {
                What::Identity(identity) => identity.message_id().len(),
                What::EventId(id) => id.len(),
            }
    }
}
