//! The expiry of a member's token.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// How long before its expiry a token's client is warned, in seconds.
const WARNING: i64 = 60;

/// The time until which a member may follow its conversation.
#[derive(Debug)]
pub(super) struct TokenExpiry {
    /// In Unix seconds.
    ends_at: AtomicI64,
    /// Whether the client has been warned.
    warned: AtomicBool,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// `token_expiring`.
    Warning,
    /// The token has expired.
    End,
}

impl TokenExpiry {
    pub(super) fn at(ends_at: i64) -> Self {
        Self {
            ends_at: AtomicI64::new(ends_at),
            warned: AtomicBool::new(false),
        }
    }

    pub(super) fn ends_at(&self) -> i64 {
        self.ends_at.load(Ordering::Acquire)
    }

    /// A fresh token has come.
    pub(super) fn renew(&self, ends_at: i64) {
        self.ends_at.store(ends_at, Ordering::Release);
        self.warned.store(false, Ordering::Release);
    }

    /// The client has been warned.
    pub(super) fn warned(&self) {
        self.warned.store(true, Ordering::Release);
    }

    /// What is due at `now`, in Unix seconds.
    pub(super) fn due(&self, now: i64) -> Due {
        let left = self.ends_at().saturating_sub(now);
        if left <= 0 {
            Due::End
        } else if left <= WARNING && !self.warned.load(Ordering::Acquire) {
            Due::Warning
        } else {
            Due::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_a_minute_before_the_end_and_once_for_each_token() {
        let expiry = TokenExpiry::at(1_000);
        assert_eq!(expiry.due(939), Due::Nothing);
        assert_eq!(expiry.due(940), Due::Warning);
        assert_eq!(expiry.due(941), Due::Warning);
        expiry.warned();
        assert_eq!(expiry.due(941), Due::Nothing);
        assert_eq!(expiry.due(999), Due::Nothing);
        assert_eq!(expiry.due(1_000), Due::End);
        expiry.renew(2_000);
        assert_eq!(expiry.due(1_000), Due::Nothing);
        assert_eq!(expiry.due(1_950), Due::Warning);
        // A token that has less than a minute from the start.
        expiry.renew(1_030);
        assert_eq!(expiry.due(1_000), Due::Warning);
        // One that lasts for ever.
        expiry.renew(i64::MAX);
        assert_eq!(expiry.due(i64::MIN), Due::Nothing);
    }
}
