//! The deliveries that wait for their place in the dead letter queue.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use crate::conversation::rfc3339;

/// How many wait, since when, and why.
#[derive(Debug, Default)]
pub struct Letters(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When each began to wait, by a number of its own: the least is the oldest.
    waiting: BTreeMap<u64, OffsetDateTime>,
    next: u64,
    /// Why the last attempt failed, until one succeeds or none waits.
    trouble: Option<String>,
}

/// One of them; dropped, it waits no more.
pub(super) struct Waiting<'a> {
    letters: &'a Letters,
    number: u64,
}

impl Letters {
    /// How many wait, and since when the oldest does.
    pub fn waiting(&self) -> (usize, Option<OffsetDateTime>) {
        let state = self.lock();
        let oldest = state.waiting.first_key_value();
        (state.waiting.len(), oldest.map(|(_, &since)| since))
    }

    /// What is wrong, if anything is.
    pub(super) fn trouble(&self) -> Option<String> {
        let state = self.lock();
        let trouble = state.trouble.as_ref()?;
        let (_, &since) = state.waiting.first_key_value()?;
        let wait = match state.waiting.len() {
            1 => "1 delivery waits".to_owned(),
            count => format!("{count} deliveries wait"),
        };
        let since = rfc3339(since);
        Some(format!(
            "{wait} to be dead-lettered, since {since}: {trouble}"
        ))
    }

    pub(super) fn wait(&self) -> Waiting<'_> {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.waiting.insert(number, OffsetDateTime::now_utc());
        Waiting {
            letters: self,
            number,
        }
    }

    /// An attempt has failed; `true` if the one before did not, or for another reason.
    pub(super) fn failed(&self, reason: String) -> bool {
        let mut state = self.lock();
        state.trouble.replace(reason.clone()) != Some(reason)
    }

    /// One has got its place; `true` if the attempt before had failed.
    pub(super) fn placed(&self) -> bool {
        self.lock().trouble.take().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.letters.lock();
        state.waiting.remove(&self.number);
        if state.waiting.is_empty() {
            state.trouble = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_those_that_wait_is_told_until_none_waits() {
        let letters = Letters::default();
        let (first, second) = (letters.wait(), letters.wait());
        assert_eq!(letters.trouble(), None);
        assert!(letters.failed("full".to_owned()));
        assert!(!letters.failed("full".to_owned()));
        let since = letters.waiting().1;
        let told = letters.trouble().unwrap();
        assert!(told.starts_with("2 deliveries wait"), "{told}");
        assert!(told.ends_with(": full"), "{told}");
        drop(second);
        assert_eq!(letters.waiting(), (1, since));
        assert!(letters.trouble().unwrap().starts_with("1 delivery waits"));
        drop(first);
        assert_eq!((letters.trouble(), letters.waiting()), (None, (0, None)));
    }

    #[test]
    fn one_that_gets_its_place_ends_the_trouble() {
        let letters = Letters::default();
        let _waiting = letters.wait();
        assert!(!letters.placed());
        letters.failed("full".to_owned());
        assert!(letters.placed());
        assert_eq!(letters.trouble(), None);
    }
}
