//! The deliveries that wait until the dead letter queue has taken them.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::conversation::rfc3339;
use crate::lock::Mutex;

/// How many are pending, since when, and why.
#[derive(Debug, Default)]
pub struct PendingDeadLetters(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    /// Since when each waits, by a number of its own: the least is the oldest.
    waiting: BTreeMap<u64, OffsetDateTime>,
    next: u64,
    /// Why the last attempt failed, until one succeeds or none waits.
    problem: Option<String>,
}

/// One of them, until it is dropped.
pub(super) struct PendingDeadLetter<'a> {
    all: &'a PendingDeadLetters,
    number: u64,
}

impl PendingDeadLetters {
    /// How many there are, and since when the oldest waits.
    pub fn waiting(&self) -> (usize, Option<OffsetDateTime>) {
        let pending = self.0.lock();
        let oldest = pending.waiting.first_key_value();
        (pending.waiting.len(), oldest.map(|(_, &since)| since))
    }

    /// What is wrong, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        let pending = self.0.lock();
        let problem = pending.problem.as_ref()?;
        let (_, &since) = pending.waiting.first_key_value()?;
        let wait = match pending.waiting.len() {
            1 => "1 delivery waits".to_owned(),
            count => format!("{count} deliveries wait"),
        };
        let since = rfc3339(since);
        Some(format!(
            "{wait} to be dead-lettered, since {since}: {problem}"
        ))
    }

    /// Adds a delivery.
    pub(super) fn add(&self) -> PendingDeadLetter<'_> {
        let mut pending = self.0.lock();
        let number = pending.next;
        pending.next += 1;
        pending.waiting.insert(number, OffsetDateTime::now_utc());
        PendingDeadLetter { all: self, number }
    }

    /// An attempt has failed; `true` if the one before did not, or for another reason.
    pub(super) fn failed(&self, reason: String) -> bool {
        let mut pending = self.0.lock();
        pending.problem.replace(reason.clone()) != Some(reason)
    }

    /// One was published; `true` if the attempt before had failed.
    pub(super) fn published(&self) -> bool {
        self.0.lock().problem.take().is_some()
    }
}

impl Drop for PendingDeadLetter<'_> {
    fn drop(&mut self) {
        let mut pending = self.all.0.lock();
        pending.waiting.remove(&self.number);
        if pending.waiting.is_empty() {
            pending.problem = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_reported_until_none_waits() {
        let letters = PendingDeadLetters::default();
        let (first, second) = (letters.add(), letters.add());
        assert_eq!(letters.problem(), None);
        assert!(letters.failed("full".to_owned()));
        assert!(!letters.failed("full".to_owned()));
        let since = letters.waiting().1;
        let problem = letters.problem().unwrap();
        assert!(problem.starts_with("2 deliveries wait"), "{problem}");
        assert!(problem.ends_with(": full"), "{problem}");
        drop(second);
        assert_eq!(letters.waiting(), (1, since));
        assert!(letters.problem().unwrap().starts_with("1 delivery waits"));
        drop(first);
        assert_eq!((letters.problem(), letters.waiting()), (None, (0, None)));
    }

    #[test]
    fn a_published_one_ends_the_problem() {
        let letters = PendingDeadLetters::default();
        let _pending = letters.add();
        assert!(!letters.published());
        letters.failed("full".to_owned());
        assert!(letters.published());
        assert_eq!(letters.problem(), None);
    }
}
