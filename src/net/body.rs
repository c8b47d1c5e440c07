//! A request's body, which has to arrive in time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How long a body may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may take once the gateway shuts down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// A body that fails when it takes too long.
pub(super) struct TimelyBody {
    body: Incoming,
    alarm: Pin<Box<Sleep>>,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    hurried: bool,
    late: Late,
}

/// Whether a body has taken too long.
#[derive(Debug, Clone, Default)]
pub(super) struct Late(Arc<AtomicBool>);

impl Late {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl TimelyBody {
    pub(super) fn new(body: Incoming, closing: CancellationToken) -> (Self, Late) {
        let late = Late::default();
        let timely = Self {
            body,
            alarm: Box::pin(sleep(TIMEOUT)),
            closing: Box::pin(closing.cancelled_owned()),
            hurried: false,
            late: late.clone(),
        };
        (timely, late)
    }
}

impl Body for TimelyBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if !this.hurried && this.closing.as_mut().poll(cx).is_ready() {
            this.hurried = true;
            let last = this.alarm.deadline().min(Instant::now() + SHUTDOWN_TIMEOUT);
            this.alarm.as_mut().reset(last);
        }
        if this.alarm.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        this.late.0.store(true, Ordering::Release);
        let error = io::Error::new(io::ErrorKind::TimedOut, "the body did not arrive in time");
        Poll::Ready(Some(Err(error.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
