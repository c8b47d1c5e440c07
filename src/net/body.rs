//! A request's body, which has to arrive in time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How long a body may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may take once the gateway shuts down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// A body that fails when it takes too long.
pub(super) struct TimelyBody {
    body: Incoming,
    began: Instant,
    closing: CancellationToken,
    /// Most bodies come with the head of their request, and are waited for no more.
    waiting: Option<Waiting>,
    late: Late,
}

/// What is waited for besides the body.
struct Waiting {
    alarm: Pin<Box<Sleep>>,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    hurried: bool,
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
            began: Instant::now(),
            closing,
            waiting: None,
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
        let waiting = this.waiting.get_or_insert_with(|| Waiting {
            alarm: Box::pin(sleep_until(this.began + TIMEOUT)),
            closing: Box::pin(this.closing.clone().cancelled_owned()),
            hurried: false,
        });
        if !waiting.hurried && waiting.closing.as_mut().poll(cx).is_ready() {
            waiting.hurried = true;
            let last = waiting
                .alarm
                .deadline()
                .min(Instant::now() + SHUTDOWN_TIMEOUT);
            waiting.alarm.as_mut().reset(last);
        }
        if waiting.alarm.as_mut().poll(cx).is_pending() {
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
