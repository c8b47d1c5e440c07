//! The guard as the stream that the library reads and writes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;
use tokio_util::io::poll_read_buf;

use super::opening::Taken;
use super::{GOODBYE, Guard, Next, PAUSE, Releasing};

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.opening.is_some() {
            this.reader = Some(cx.waker().clone());
        }
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
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(cx));
                this.pause = None;
            }
            if let Some(last) = this.releasing.as_mut().and_then(Releasing::overdue) {
                this.passed = last;
                continue;
            }
            if this.releasing.as_ref().is_some_and(Releasing::waits) {
                this.pause = Some(Box::pin(sleep(PAUSE)));
                continue;
            }
            if this.over {
                return Poll::Ready(Ok(()));
            }
            if this.transport.is_ending() {
                // Whatever was half said, this is how the session ends.
                this.finish(BytesMut::from(GOODBYE));
                continue;
            }
            match this.look() {
                Next::Go => continue,
                Next::Pause => {
                    this.pause = Some(Box::pin(sleep(PAUSE)));
                    continue;
                }
                Next::Read => {}
            }
            if this.came.is_empty() {
                this.came = BytesMut::new();
            }
            let read = poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.came);
            // A connection that fails has ended: the library makes no difference.
            let read = ready!(read).unwrap_or_default();
            if read == 0 && !this.transport.is_ending() {
                let rest = std::mem::take(&mut this.came);
                this.finish(rest);
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.keeps_back(buffer) {
            return Poll::Ready(Ok(buffer.len()));
        }
        if let Some(opening) = &mut this.opening {
            match opening.take(buffer) {
                Taken::Frame(length) => return Poll::Ready(Ok(length)),
                Taken::Ping(length) => {
                    opening.over = true;
                    this.pong();
                    return Poll::Ready(Ok(length));
                }
                Taken::Over => opening.over = true,
            }
            ready!(this.poll_opened(cx))?;
        }
        Pin::new(&mut this.stream).poll_write(cx, buffer)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_opened(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_opened(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncWrite + Unpin> Guard<S> {
    /// Writes what goes out in the place of what the library has written first.
    fn poll_opened(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(opening) = &mut self.opening else {
            return Poll::Ready(Ok(()));
        };
        while !opening.out.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &opening.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            opening.out.advance(written);
        }
        if opening.over {
            self.opening = None;
        }
        Poll::Ready(Ok(()))
    }
}
