//! The deadlines of an HTTP connection: for a request's head, and for the next request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::lock::Mutex;

/// How long the head of a request may take from its first byte, and a new connection to its first.
pub(super) const HEAD: Duration = Duration::from_secs(10);

/// How long a connection may wait for its next request: longer than the 60 s for which proxies
/// keep one to use again, so that none of them sends a request into a connection that is closed.
pub(super) const IDLE: Duration = Duration::from_secs(75);

/// The phase of a connection, which sets its deadline. The connection reports bytes, the server
/// requests.
#[derive(Debug)]
pub(super) struct Deadlines(Mutex<HttpPhase>);

#[derive(Debug, Clone, Copy)]
enum HttpPhase {
    /// The client owes a request's head, since then.
    Head(Instant),
    /// A request is worked on, which takes as long as it takes: a poll waits for events.
    Busy,
    /// The client owes nothing; nothing has gone either way since then.
    Idle(Instant),
    /// It does not speak HTTP any more.
    Upgraded {
        /// The answer that says so is kept until something follows it.
        corked: bool,
    },
}

impl Deadlines {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HttpPhase::Head(Instant::now())))
    }

    /// Bytes have come.
    pub(super) fn read(&self) {
        let mut phase = self.0.lock();
        if let HttpPhase::Idle(_) = *phase {
            *phase = HttpPhase::Head(Instant::now());
        }
    }

    /// Bytes have gone: a client that still takes an answer is not idle.
    pub(super) fn wrote(&self) {
        let mut phase = self.0.lock();
        if let HttpPhase::Idle(_) = *phase {
            *phase = HttpPhase::Idle(Instant::now());
        }
    }

    /// A request's head is complete.
    pub(super) fn began(&self) {
        *self.0.lock() = HttpPhase::Busy;
    }

    /// The request has its answer, after which another one may come.
    pub(super) fn answered(&self) {
        *self.0.lock() = HttpPhase::Idle(Instant::now());
    }

    /// The request has its answer, after which the connection does not speak HTTP any more.
    pub(super) fn upgraded(&self, corked: bool) {
        *self.0.lock() = HttpPhase::Upgraded { corked };
    }

    /// Whether what is written is the answer that is kept until something follows it.
    pub(super) fn is_corked(&self) -> bool {
        matches!(*self.0.lock(), HttpPhase::Upgraded { corked: true })
    }

    /// Whether the client has begun a request, and not ended its head.
    pub(super) fn is_half_open(&self) -> bool {
        matches!(*self.0.lock(), HttpPhase::Head(_))
    }

    /// Waits until the client has taken too long. What it owes can change with every poll of the
    /// connection, so that this is to be polled after that.
    pub(super) fn poll_overdue(
        &self,
        mut alarm: Pin<&mut Sleep>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let due = match *self.0.lock() {
            HttpPhase::Head(since) => since + HEAD,
            HttpPhase::Idle(since) => since + IDLE,
            HttpPhase::Busy | HttpPhase::Upgraded { .. } => return Poll::Pending,
        };
        if alarm.deadline() != due {
            alarm.as_mut().reset(due);
        }
        alarm.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;

    use tokio::time::{advance, sleep};

    use super::*;

    /// Waits on a clock that runs by itself, and says for how long.
    async fn overdue(deadlines: &Deadlines) -> Duration {
        let begun = Instant::now();
        let mut alarm = pin!(sleep(Duration::ZERO));
        poll_fn(|cx| deadlines.poll_overdue(alarm.as_mut(), cx)).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_its_first_byte_however_slowly_the_rest_comes() {
        let deadlines = Deadlines::new();
        advance(HEAD / 2).await;
        deadlines.read();
        assert_eq!(overdue(&deadlines).await.as_secs(), HEAD.as_secs() / 2);
        deadlines.began();
        deadlines.answered();
        advance(IDLE / 2).await;
        deadlines.read();
        assert_eq!(overdue(&deadlines).await.as_secs(), HEAD.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_kept_longer_and_one_that_takes_an_answer_longer_still() {
        let deadlines = Deadlines::new();
        deadlines.began();
        deadlines.answered();
        advance(IDLE / 2).await;
        deadlines.wrote();
        assert_eq!(overdue(&deadlines).await.as_secs(), IDLE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_worked_on_is_not_hurried() {
        let deadlines = Deadlines::new();
        deadlines.began();
        let waited = tokio::time::timeout(10 * IDLE, overdue(&deadlines)).await;
        assert!(waited.is_err());
        deadlines.upgraded(false);
        deadlines.read();
        let waited = tokio::time::timeout(10 * IDLE, overdue(&deadlines)).await;
        assert!(waited.is_err());
    }
}
