//! The filter as the stream that the library reads and writes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::{CLOSE, FrameFilter, NextFrame, PONG};
use crate::engineio::protocol::Protocol;

impl<P: Protocol> AsyncRead for FrameFilter<P> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Registered before the check, so that a change in between is seen.
        this.session.reader.register(cx.waker());
        loop {
            if !this.passed.is_empty() {
                let length = this.passed.len().min(buffer.remaining());
                buffer.put_slice(&this.passed.split_to(length));
                if this.passed.is_empty() {
                    // An agent says little: most of the time there is nothing to keep room for.
                    this.passed = BytesMut::new();
                }
                return Poll::Ready(Ok(()));
            }
            if this.session.pong_due.swap(false, Ordering::AcqRel) && !this.is_finished {
                this.passed.extend_from_slice(PONG);
                continue;
            }
            if this.is_finished {
                return Poll::Ready(Ok(()));
            }
            if this.session.is_ending() {
                if !this.session.is_closed() && !this.session.is_written() {
                    return Poll::Pending;
                }
                // Whatever was half said, this is how the session ends.
                this.finish(BytesMut::from(CLOSE));
                continue;
            }
            match this.next_frame() {
                NextFrame::Continue => continue,
                NextFrame::Wait(until) => {
                    ready!(this.pause(until, cx));
                    continue;
                }
                NextFrame::Read => {}
            }
            if this.received.is_empty() {
                this.received = BytesMut::new();
            }
            // A connection that fails has ended: the library makes no difference.
            let read =
                ready!(this.connection.poll_read(cx, &mut this.received)).unwrap_or_default();
            if read == 0 && !this.session.is_ending() {
                let rest = std::mem::take(&mut this.received);
                this.finish(rest);
            }
        }
    }
}

impl<P: Protocol> FrameFilter<P> {
    /// Waits until that time, or until the reader is woken.
    fn pause(&mut self, until: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = until else {
            return Poll::Pending;
        };
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if pause.deadline() != until {
            pause.as_mut().reset(until);
        }
        ready!(pause.as_mut().poll(cx));
        self.pause = None;
        Poll::Ready(())
    }
}

impl<P: Protocol> AsyncWrite for FrameFilter<P> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        frames: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.session.write_control(frames, cx.waker())? {
            true => Poll::Ready(Ok(frames.len())),
            false => Poll::Pending,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The session sends by itself what has been written.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection is closed with the last that holds it.
        Poll::Ready(Ok(()))
    }
}
