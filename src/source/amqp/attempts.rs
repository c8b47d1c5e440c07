//! Attempts at a delivery that makes the gateway panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::error;

use crate::conversation::{Reason, Rejection};

/// How many times a delivery may fail because of the gateway.
const ATTEMPTS: u32 = 3;

/// Repeats work that panics, up to [`ATTEMPTS`] times: a delivery that the gateway fails on must
/// neither be lost nor stop those behind it.
pub(super) fn attempt<T>(mut work: impl FnMut() -> Result<T, Rejection>) -> Result<T, Rejection> {
    for number in 1..=ATTEMPTS {
        match catch_unwind(AssertUnwindSafe(&mut work)) {
            Ok(result) => return result,
            Err(_) => error!(attempt = number, "a delivery made the gateway fail"),
        }
    }
    Err(Rejection::new(
        Reason::InternalError,
        format!("the gateway has failed on it {ATTEMPTS} times, see its log"),
    ))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_fails_once_is_tried_again() {
        let tries = Cell::new(0);
        let result = attempt(|| {
            tries.set(tries.get() + 1);
            assert!(tries.get() > 1, "the first time");
            Ok(tries.get())
        });
        assert_eq!(result, Ok(2));
    }

    #[test]
    fn what_always_fails_is_given_up_with_a_reason() {
        let tries = Cell::new(0);
        let result: Result<(), _> = attempt(|| {
            tries.set(tries.get() + 1);
            panic!("again");
        });
        assert_eq!(result.unwrap_err().reason, Reason::InternalError);
        assert_eq!(tries.get(), ATTEMPTS);
    }
}
