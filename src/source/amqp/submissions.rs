//! Deliveries whose events wait for their place in the journal.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use time::OffsetDateTime;

use super::counts::Outcome;
use crate::conversation::{About, EventName, Published};
use crate::journal::{NotTaken, Submitted};
use crate::trace::{Span, TraceContext};

/// An event of a delivery that was submitted to the journal.
pub(super) struct Submission {
    /// The delivery's.
    pub(super) tag: u64,
    /// The event's.
    pub(super) name: EventName,
    pub(super) submitted: Submitted,
    /// When the delivery came.
    pub(super) arrived_at: OffsetDateTime,
    /// What the log says of it, when it says something.
    pub(super) about: About,
    pub(super) trace: Option<TraceContext>,
    /// Of the delivery's last event, with which it is done. Those before it have their places earlier.
    pub(super) last: Option<Last>,
}

/// What ends with a delivery's last event.
pub(super) struct Last {
    /// The best of what is known to have become of its other events.
    pub(super) best: Outcome,
    pub(super) span: Span,
}

/// Submissions in the order in which they get their places.
#[derive(Default)]
pub(super) struct Submissions(VecDeque<Submission>);

impl Submissions {
    pub(super) fn push(&mut self, submission: Submission) {
        self.0.push_back(submission);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next one that has its place.
    pub(super) async fn next(&mut self) -> Option<(Submission, Result<Published, NotTaken>)> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(Submission, Result<Published, NotTaken>)>> {
        let Some(first) = self.0.front_mut() else {
            return Poll::Ready(None);
        };
        let placed = ready!(Pin::new(&mut first.submitted).poll(cx));
        let first = self.0.pop_front();
        Poll::Ready(first.map(|first| (first, placed)))
    }
}
