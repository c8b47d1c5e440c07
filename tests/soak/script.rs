//! What is published, written down before it is: the judge compares what members see with it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

/// The two kinds of events, each of which has a queue of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Message,
    Status,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Message, Self::Status];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Message => "inbound_message",
            Self::Status => "status_update",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Statuses by rank: one is stale once a higher one is known for its message.
pub(crate) const STATUSES: [&str; 4] = ["sent", "failed", "delivered", "read"];

/// What an event is about: the number in its messageId, and the rank of its status (0 for a
/// message).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    pub(crate) number: u32,
    pub(crate) rank: u8,
}

/// One delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) subject: Subject,
    /// The latest delivery before this one that makes it a repeat or stale.
    pub(crate) covered_by: Option<usize>,
}

/// One conversation of one tenant, and all that is published in it.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) tenant: String,
    pub(crate) id: String,
    /// No other conversation has the same: it is part of every messageId.
    pub(crate) tag: usize,
    scripts: [Mutex<Script>; 2],
}

/// The deliveries of one kind in one conversation, in the order of their queue.
#[derive(Debug, Default)]
pub(crate) struct Script {
    lines: Vec<Line>,
    /// The last delivery of each status of a message.
    latest: HashMap<u32, [Option<usize>; STATUSES.len()]>,
    /// What any member has seen.
    seen: HashSet<Subject>,
}

impl Conversation {
    pub(crate) fn new(tag: usize, tenant: &str, id: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            id: id.to_owned(),
            tag,
            scripts: Default::default(),
        }
    }

    pub(crate) fn script(&self, kind: Kind) -> MutexGuard<'_, Script> {
        self.scripts[kind as usize].lock().unwrap()
    }

    pub(crate) fn message_id(&self, kind: Kind, number: u32) -> String {
        let kind = match kind {
            Kind::Message => "m",
            Kind::Status => "t",
        };
        format!("{}-{kind}-{number}", self.tag)
    }

    /// The number in a messageId of this conversation and kind.
    pub(crate) fn number(&self, kind: Kind, message_id: &str) -> Option<u32> {
        let number = message_id.rsplit('-').next()?.parse().ok()?;
        (self.message_id(kind, number) == message_id).then_some(number)
    }

    /// How long the text of a message is, which is checked with it: 20 to 3,000 characters.
    pub(crate) fn length(number: u32) -> usize {
        20 + number.wrapping_mul(2_654_435_761) as usize % 2_980
    }
}

impl Script {
    /// Writes down what is about to be published; `true` when it is new.
    pub(crate) fn write(&mut self, subject: Subject) -> bool {
        let latest = self.latest.entry(subject.number).or_default();
        let covered_by = latest[usize::from(subject.rank)..]
            .iter()
            .flatten()
            .max()
            .copied();
        latest[usize::from(subject.rank)] = Some(self.lines.len());
        self.lines.push(Line {
            subject,
            covered_by,
        });
        covered_by.is_none()
    }

    pub(crate) fn see(&mut self, subject: Subject) {
        self.seen.insert(subject);
    }

    /// How many events no member has seen.
    pub(crate) fn unseen(&self) -> usize {
        let events = self.lines.iter().filter(|line| line.covered_by.is_none());
        let unseen = events.filter(|line| !self.seen.contains(&line.subject));
        unseen.count()
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }
}
