//! What a conversation remembers of its latest events, to know a repeat or a stale status.
//!
//! Whether an event is new depends on the events before it and on the times that they came with, on
//! nothing else: all replicas that read the same journal come to the same result, wherever they
//! have begun to read. So a repeat is remembered as its event was: what happened within
//! `WindowLimits::age` is enough to know whether there was one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::cursor::Position;
use super::event::{Event, Identity, Status};

/// The identities of the latest events. Plain data, like the window that it belongs to, but
/// bounded by a count of its own: a redelivery repeats more than the window may hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent {
    known: HashMap<What, Known, RandomState>,
    /// What is known, by when it was seen last.
    order: BTreeMap<u64, Remembered>,
    next: u64,
    bytes: usize,
}

/// What events repeat, or are stale by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    Identity(Identity),
    EventId(Arc<str>),
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
        let known = |what: &What| self.known(what, at, age);
        let event_id = event.event_id.clone().map(What::EventId);
        if let Some(same) = event_id.as_ref().and_then(known) {
            return Deduplication::Duplicate(same.position);
        }
        let Some(identity) = &event.identity else {
            return Deduplication::New;
        };
        match known(&What::Identity(identity.clone())) {
            Some(same) if same.position != Position::default() => {
                return Deduplication::Duplicate(same.position);
            }
            Some(_) => return Deduplication::Stale,
            None => {}
        }
        let Identity::Status(message, status) = identity else {
            return Deduplication::New;
        };
        let newer = Status::ALL.into_iter().filter(|newer| newer > status);
        let mut newer = newer.map(|newer| What::Identity(Identity::Status(message.clone(), newer)));
        match newer.any(|newer| known(&newer).is_some()) {
            true => Deduplication::Stale,
            false => Deduplication::New,
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
        if let Some(identity) = event.identity.clone() {
            let what = What::Identity(identity);
            let known = self.known(&what, at, age).map(|known| known.position);
            if let Some(position) = known.or(is_stale.then(Position::default)) {
                self.put(what, position, at);
            }
        }
        if let Some(id) = event.event_id.clone() {
            let what = What::EventId(id);
            if let Some(known) = self.known(&what, at, age) {
                self.put(what, known.position, at);
            }
        }
    }

    /// What is known, if it is not too long ago to count.
    fn known(&self, what: &What, at: Instant, age: Duration) -> Option<Known> {
        let known = *self.known.get(what)?;
        let remembered = self.order.get(&known.last)?;
        (at.saturating_duration_since(remembered.at) <= age).then_some(known)
    }

    fn put(&mut self, what: What, position: Position, at: Instant) {
        let last = self.next;
        self.next += 1;
        let before = self.known.insert(what.clone(), Known { position, last });
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
        self.known.remove(&oldest.what);
        if self.order.is_empty() {
            // An idle conversation gives the tables' memory back.
            *self = Self::default();
        }
        true
    }

    /// When the oldest was seen last.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.order.first_key_value().map(|(_, oldest)| oldest.at)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Remembered {
    /// The structures, and a place in both tables, in bytes.
    const OVERHEAD: usize = 256;

    fn cost(&self) -> usize {
        Self::OVERHEAD
            + match &self.what {
                What::Identity(identity) => identity.message_id().len(),
                What::EventId(id) => id.len(),
            }
    }
}
