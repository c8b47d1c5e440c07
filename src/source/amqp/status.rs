//! How the broker's side is doing, for the readiness probe and for monitoring.

use std::collections::BTreeMap;

use super::PendingDeadLetters;
use super::counts::{AmqpCounts, Outcome};
use super::left_out::LeftOut;
use crate::broker::Check;
use crate::conversation::{Kind, Reason};
use crate::counter::Counter;
use crate::lock::Mutex;

/// The state of every part, by the part's name, and what could not be taken.
#[derive(Debug)]
pub struct BrokerStatus {
    parts: Mutex<BTreeMap<&'static str, Check>>,
    active: Mutex<[(Kind, bool); 2]>,
    pending_dead_letters: PendingDeadLetters,
    counts: AmqpCounts,
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
            counts: AmqpCounts::default(),
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

    /// What has become of deliveries and connections.
    pub const fn counts(&self) -> &AmqpCounts {
        &self.counts
    }

    /// The optional fields that were left out of deliveries' events.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// Deliveries of which the mapping has made no event.
    pub fn ignored(&self) -> &Counter {
        &self.ignored
    }

    /// Counts a delivery of this kind that is in the dead letter queue.
    pub(super) fn dead_lettered(&self, kind: Kind, reason: Reason) {
        let counts = self.counts.queue(kind);
        counts.outcomes.count(&Outcome::DeadLettered);
        counts.dead_letters.count(&reason);
    }

    /// Notes a part's state; `true` when it was another before.
    pub(super) fn set(&self, part: &'static str, check: Check) -> bool {
        let is_new = self.parts.lock().insert(part, check.clone()) != Some(check.clone());
        if is_new && part == BROKER && check == Check::Up {
            self.counts.connections.opened.count();
        }
        is_new
    }

    /// The connection is gone, and everything with it.
    pub(super) fn disconnected(&self, reason: &str) {
        let mut parts = self.parts.lock();
        match parts.get(BROKER) {
            Some(Check::Up) => self.counts.connections.lost.count(),
            _ => self.counts.connections.failed.count(),
        }
        self.counts.depths.clear();
        for (part, check) in &mut *parts {
            *check = Check::Down(match *part {
                BROKER => reason.to_owned(),
                _ => "not connected to the broker".to_owned(),
            });
        }
    }
}
