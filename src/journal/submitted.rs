//! What becomes of an event that was submitted.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::conversation::Published;

/// The event's place, once it has it. Of one source's events, those that were submitted earlier have
/// theirs earlier.
#[must_use]
pub struct Submitted(State);

enum State {
    Placed(Published),
    Waiting(oneshot::Receiver<Published>),
}

/// The journal takes nothing any more, or too much waits for its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal does not take the event")]
pub struct NotTaken;

impl Submitted {
    /// The place, if it has it already.
    pub fn placed(&self) -> Option<Published> {
        match self.0 {
            State::Placed(published) => Some(published),
            State::Waiting(_) => None,
        }
    }
}

impl From<Published> for Submitted {
    fn from(published: Published) -> Self {
        Self(State::Placed(published))
    }
}

impl From<oneshot::Receiver<Published>> for Submitted {
    fn from(waiting: oneshot::Receiver<Published>) -> Self {
        Self(State::Waiting(waiting))
    }
}

impl Future for Submitted {
    type Output = Result<Published, NotTaken>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Placed(published) => Poll::Ready(Ok(*published)),
            State::Waiting(waiting) => {
                let placed = Pin::new(waiting).poll(cx);
                placed.map(|placed| placed.map_err(|_| NotTaken))
            }
        }
    }
}
