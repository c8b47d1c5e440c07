//! How the broker's side is doing, for the readiness probe and for monitoring.

use std::collections::BTreeMap;

use super::PendingDeadLetters;
use super::left_out::LeftOut;
use crate::broker::Check;
use crate::conversation::{Kind, Reason};
use crate::counter::{Counter, CounterSet};
use crate::lock::Mutex;

/// The state of every part, by the part's name, and what could not be taken.
#[derive(Debug)]
pub struct BrokerStatus {
    parts: Mutex<BTreeMap<&'static str, Check>>,
    active: Mutex<[(Kind, bool); 2]>,
    pending_dead_letters: PendingDeadLetters,
    dead_letters: CounterSet<Reason, { Reason::ALL.len() }>,
    left_out: LeftOut,
    ignored: Counter,
}

/// The parts.
pub(super) const BROKER: &str = "broker";
pub(super) const EXCHANGE: &str = "exchange";
pub(super) const INBOUND_QUEUE: &str = "inbound_queue";
pub(super) const STATUS_QUEUE: &str = "status_queue";
pub(super) const DEAD_LETTER_QUEUE: &str = "dead_letter_queue";

impl Default for BrokerStatus {
    fn default() -> Self {
        let parts = [
            BROKER,
            EXCHANGE,
            INBOUND_QUEUE,
            STATUS_QUEUE,
            DEAD_LETTER_QUEUE,
        ];
        Self {
            parts: Mutex::new(parts.map(|part| (part, Check::Starting)).into()),
            active: Mutex::new([(Kind::InboundMessage, false), (Kind::StatusUpdate, false)]),
            pending_dead_letters: PendingDeadLetters::default(),
            dead_letters: CounterSet::new(Reason::ALL.map(|reason| (reason, reason.as_str()))),
            left_out: LeftOut::default(),
            ignored: Counter::default(),
        }
    }
}

impl BrokerStatus {
    /// The state of every part.
    pub fn checks(&self) -> BTreeMap<&'static str, Check> {
        let mut checks = self.parts.lock().clone();
        if let Some(problem) = self.pending_dead_letters.problem() {
            let check = checks.entry(DEAD_LETTER_QUEUE).or_insert(Check::Up);
            // Where the queue itself is not as it should be, that says more.
            *check = Check::Down(match check {
                Check::Down(reason) => format!("{problem}; {reason}"),
                _ => problem,
            });
        }
        checks
    }

    /// Deliveries that the dead letter queue has not taken yet.
    pub const fn pending_dead_letters(&self) -> &PendingDeadLetters {
        &self.pending_dead_letters
    }

    /// Whether this process is the active consumer, by the event that the queue carries.
    pub fn active(&self) -> [(&'static str, bool); 2] {
        let active = self.active.lock();
        active.map(|(kind, active)| (kind.as_str(), active))
    }

    /// Notes whether this process is the active consumer.
    pub(super) fn set_active(&self, kind: Kind, active: bool) {
        let mut all = self.active.lock();
        for (_, noted) in all.iter_mut().filter(|(known, _)| *known == kind) {
            *noted = active;
        }
    }

    /// Dead letters since the start, by reason.
    pub fn dead_letters(&self) -> impl Iterator<Item = (&'static str, &Counter)> {
        self.dead_letters.all()
    }

    /// The optional fields that were left out of deliveries' events.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// Deliveries of which the mapping has made no event.
    pub fn ignored(&self) -> &Counter {
        &self.ignored
    }

    /// Counts a delivery that is in the dead letter queue.
    pub(super) fn dead_lettered(&self, reason: Reason) {
        self.dead_letters.count(&reason);
    }

    /// Notes a part's state; `true` when it was another before.
    pub(super) fn set(&self, part: &'static str, check: Check) -> bool {
        self.parts.lock().insert(part, check.clone()) != Some(check)
    }

    /// The connection is gone, and everything with it.
    pub(super) fn disconnected(&self, reason: &str) {
        for (part, check) in &mut *self.parts.lock() {
            *check = Check::Down(match *part {
                BROKER => reason.to_owned(),
                _ => "not connected to the broker".to_owned(),
            });
        }
    }
}
