//! A replica: the gateway's own steps, in the order in which its tasks take them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Mutant;
use super::hub::Hub;
use super::reading::Tail;
use super::record::{Stored, record_id};
use super::source::Source;
use crate::journal::steps::{Following, Outgoing, Purpose, Unconfirmed, Wanted};

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Replica {
    number: usize,
    /// Shared between states until it changes.
    pub(super) hub: Arc<Hub>,
    pub(super) following: Following,
    /// The stream has been read to its end, as the journal's tasks share it.
    pub(super) is_current: bool,
    /// It has been once: then deliveries are taken.
    pub(super) is_ready: bool,
    pub(super) tail: Tail,
    pub(super) wanted: Wanted<()>,
    unconfirmed: Unconfirmed,
    notices: VecDeque<Outgoing>,
    submissions: VecDeque<Outgoing>,
    /// Whether the appender has a connection.
    pub(super) appends: bool,
    pub(super) source: Source,
    /// How many notices and how many events it has named, over all its lives.
    named: [u8; 2],
    pub(super) has_restarted: bool,
}

/// What becomes of a step.
pub(super) type Step = Result<(), &'static str>;

impl Replica {
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            hub: Arc::new(Hub::new()),
            following: Following::default(),
            is_current: false,
            is_ready: false,
            tail: Tail::Away,
            wanted: Wanted::default(),
            unconfirmed: Unconfirmed::default(),
            notices: VecDeque::new(),
            submissions: VecDeque::new(),
            appends: false,
            source: Source::default(),
            named: [0, 0],
            has_restarted: false,
        }
    }

    /// The process has ended, and another one begins.
    pub(super) fn restart(&mut self) {
        *self = Self {
            named: self.named,
            has_restarted: true,
            ..Self::new(self.number)
        };
    }

    /// Names a record, by what it is and how many of those there were: so the order in which they are
    /// made does not tell states apart.
    fn name(&mut self, is_event: bool) -> u8 {
        let named = &mut self.named[usize::from(is_event)];
        *named += 1;
        u8::try_from(self.number).unwrap() * 100 + u8::from(is_event) * 50 + *named
    }

    fn make(&mut self, stored: Stored, purpose: Purpose) {
        let waiting = (purpose == Purpose::Delivery).then_some(());
        self.wanted.add(record_id(stored.id), purpose, waiting);
        let outgoing = stored.outgoing(purpose);
        match purpose {
            Purpose::Notice => self.notices.push_back(outgoing),
            _ => self.submissions.push_back(outgoing),
        }
    }

    /// Makes a record that the tail needs, of an epoch by the record's number.
    pub(super) fn notice(&mut self, epoch: impl FnOnce(u8) -> Option<u8>) -> u8 {
        let id = self.name(false);
        let stored = Stored {
            id,
            message: None,
            epoch: epoch(id),
            time: 0,
        };
        self.make(stored, Purpose::Notice);
        id
    }

    /// The appender has a connection, unless it has one or waits for the tail to have one.
    pub(super) fn connect(&mut self, mutant: Option<Mutant>) {
        if self.appends || self.tail == Tail::Away {
            return;
        }
        self.appends = true;
        self.unconfirmed.connected();
        match mutant {
            Some(Mutant::NothingAgain) => self.unconfirmed = Unconfirmed::default(),
            Some(Mutant::NoticesOnce) => {
                let again: Vec<_> = std::iter::from_fn(|| self.unconfirmed.again(true)).collect();
                let kept = again.into_iter().filter(|outgoing| !outgoing.is_notice);
                kept.for_each(|outgoing| self.unconfirmed.publish(outgoing));
                self.unconfirmed.connected();
            }
            _ => {}
        }
    }

    /// The appender's connection is lost. When it has another one changes nothing, but that nothing is
    /// appended until then: so it has it at once.
    pub(super) fn lose_appender(&mut self, mutant: Option<Mutant>) {
        self.appends = false;
        self.connect(mutant);
    }

    /// Whether something is to be appended, and can be.
    pub(super) fn has_more(&self) -> bool {
        let has_some = !self.notices.is_empty()
            || !self.submissions.is_empty()
            || self.unconfirmed.has_again();
        has_some && self.clone().next().is_some()
    }

    /// Publishes the next record.
    pub(super) fn next(&mut self) -> Option<Stored> {
        if !self.appends || self.tail == Tail::Away {
            return None;
        }
        loop {
            let again = self.unconfirmed.again(self.is_current);
            let outgoing = again.or_else(|| self.notices.pop_front()).or_else(|| {
                let is_open = self.is_current && !self.unconfirmed.has_again();
                self.submissions.pop_front_if(|_| is_open)
            })?;
            let in_hand = &self.source.in_hand;
            let waits = |&(): &()| in_hand.iter().any(|(_, id, _)| *id == outgoing.id);
            if self.wanted.is_wanted(outgoing.id, waits) {
                let stored = Stored::of(&outgoing);
                self.unconfirmed.publish(outgoing);
                return Some(stored);
            }
        }
    }

    /// The broker confirms.
    pub(super) fn confirmed(&mut self) {
        self.unconfirmed.confirmed();
    }

    /// Takes what was delivered.
    pub(super) fn take(&mut self, now: u8, mutant: Option<Mutant>) {
        while let Some((tag, message)) = self.source.inbox.pop_front() {
            let stored = Stored {
                id: self.name(true),
                message: Some(message),
                epoch: None,
                time: now,
            };
            let id = record_id(stored.id);
            self.source.in_hand.push_back((tag, id, false));
            if mutant == Some(Mutant::AcknowledgesEarly) {
                self.make(stored, Purpose::Event);
                self.source.placed(id);
            } else {
                self.make(stored, Purpose::Delivery);
            }
        }
    }
}
