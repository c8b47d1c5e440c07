//! How the broker's side is doing, for the readiness probe.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One part of the broker's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It has not been tried yet.
    Starting,
    /// It works.
    Up,
    /// It does not, for this reason.
    Down(String),
}

/// The state of every part, by the part's name.
#[derive(Debug)]
pub struct Status(Mutex<BTreeMap<&'static str, Check>>);

/// The parts.
pub(super) const BROKER: &str = "broker";
pub(super) const EXCHANGE: &str = "exchange";
pub(super) const INBOUND_QUEUE: &str = "inbound_queue";
pub(super) const STATUS_QUEUE: &str = "status_queue";
pub(super) const DEAD_LETTER_QUEUE: &str = "dead_letter_queue";

impl Default for Status {
    fn default() -> Self {
        let parts = [
            BROKER,
            EXCHANGE,
            INBOUND_QUEUE,
            STATUS_QUEUE,
            DEAD_LETTER_QUEUE,
        ];
        Self(Mutex::new(parts.map(|part| (part, Check::Starting)).into()))
    }
}

impl Status {
    /// The state of every part.
    pub fn checks(&self) -> BTreeMap<&'static str, Check> {
        self.lock().clone()
    }

    /// Notes a part's state; `true` when it was another before.
    pub(super) fn set(&self, part: &'static str, check: Check) -> bool {
        self.lock().insert(part, check.clone()) != Some(check)
    }

    /// The connection is gone, and everything with it.
    pub(super) fn disconnected(&self, reason: &str) {
        for (part, check) in &mut *self.lock() {
            *check = Check::Down(match *part {
                BROKER => reason.to_owned(),
                _ => "not connected to the broker".to_owned(),
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Check>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
