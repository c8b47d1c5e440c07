//! A TCP connection that can be hung up.
//!
//! The library that owns the connection once it is a WebSocket offers no way to close it: its
//! writer waits for as long as a client does not read, and the session waits for the writer. Here
//! reading can be ended as if the client had closed its side, after which what waits is still
//! written; and so can a write that would have to wait.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

use super::pace::Pace;
use super::slots::Slot;

/// A connection as it is seen from elsewhere: how much it has written, and a way to end it.
#[derive(Debug, Clone, Default)]
pub struct Line {
    reading: CancellationToken,
    writing: CancellationToken,
    written: Arc<AtomicU64>,
}

impl Line {
    /// How many bytes the kernel has taken from the connection.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Ends the connection when what waits to be written has been: nothing more is read. Nothing
    /// happens if it has ended.
    pub fn end_gently(&self) {
        self.reading.cancel();
    }

    /// Ends the connection although the client does not take what waits to be written.
    pub fn end_at_once(&self) {
        self.reading.cancel();
        self.writing.cancel();
    }
}

/// A TCP connection that a [`Line`] leads to.
#[derive(Debug)]
pub struct Connection {
    /// Taken only when the connection is dropped.
    stream: Option<TcpStream>,
    /// Its place among all connections, which it has for as long as the kernel knows it.
    slot: Option<Slot>,
    pace: Arc<Pace>,
    farewells: TaskTracker,
    reading_ends: Pin<Box<WaitForCancellationFutureOwned>>,
    writing: CancellationToken,
    written: Arc<AtomicU64>,
    /// Nothing more is read, although the client may have said more.
    deaf: bool,
    /// Made when a write has to wait for the first time: most never do.
    writing_ends: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Connection {
    /// `farewells` keeps account of what goes on after the connection has been dropped.
    pub(super) fn new(
        stream: TcpStream,
        slot: Option<Slot>,
        line: Line,
        farewells: TaskTracker,
    ) -> Self {
        Self {
            stream: Some(stream),
            slot,
            pace: Arc::new(Pace::new()),
            farewells,
            reading_ends: Box::pin(line.reading.cancelled_owned()),
            writing: line.writing,
            written: line.written,
            deaf: false,
            writing_ends: None,
        }
    }

    pub(super) fn pace(&self) -> Arc<Pace> {
        self.pace.clone()
    }

    fn count(&self, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = poll {
            self.written.fetch_add(bytes as u64, Ordering::AcqRel);
            self.pace.wrote();
        }
        poll
    }

    fn poll_patiently<T>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let this = self.get_mut();
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        match poll(Pin::new(stream), cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => {
                let writing = &this.writing;
                let ends = this
                    .writing_ends
                    .get_or_insert_with(|| Box::pin(writing.clone().cancelled_owned()));
                ready!(ends.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.deaf || this.reading_ends.as_mut().poll(cx).is_ready() {
            this.deaf = true;
            return Poll::Ready(Ok(()));
        }
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        ready!(Pin::new(stream).poll_read(cx, buffer))?;
        this.pace.read();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = self
            .as_mut()
            .poll_patiently(cx, |stream, cx| stream.poll_write(cx, buffer));
        self.count(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = self
            .as_mut()
            .poll_patiently(cx, |stream, cx| stream.poll_write_vectored(cx, buffers));
        self.count(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_patiently(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_patiently(cx, AsyncWrite::poll_shutdown)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else {
            return;
        };
        let gently = self.deaf && !self.writing.is_cancelled();
        if gently && let Ok(runtime) = Handle::try_current() {
            let farewell = farewell(stream, self.slot.take());
            self.farewells.spawn_on(farewell, &runtime);
        }
    }
}

/// Waits for the client to close in turn.
///
/// A kernel that is told to close a connection on which something has come that nobody read, or
/// comes later, resets it and throws away what it has not sent yet. So what the client still
/// sends is read.
async fn farewell(mut stream: TcpStream, _slot: Option<Slot>) {
    let read_on = async {
        stream.shutdown().await?;
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
        io::Result::Ok(())
    };
    // However it ends, nobody is left to be told.
    timeout(FAREWELL, read_on).await.ok();
}

/// How long a client may take for the rest.
const FAREWELL: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Connection, Line, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let line = Line::default();
        let connection = Connection::new(stream, None, line.clone(), TaskTracker::new());
        (connection, line, client)
    }

    #[tokio::test]
    async fn gently_a_read_ends_and_what_waits_is_still_written() {
        let (mut connection, line, mut client) = pair().await;
        let reading = tokio::spawn(async move {
            let mut read = Vec::new();
            connection.read_to_end(&mut read).await.unwrap();
            (connection, read)
        });
        tokio::task::yield_now().await;
        line.end_gently();
        let (mut connection, read) = reading.await.unwrap();
        assert_eq!(read, b"");
        // More than the kernel's buffers hold: the client is waited for.
        let writing = tokio::spawn(async move {
            connection.write_all(&vec![7; 32 << 20]).await.unwrap();
        });
        tokio::task::yield_now().await;
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), 32 << 20);
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn what_the_client_sends_after_the_end_does_not_cost_it_what_waits() {
        let (mut connection, line, mut client) = pair().await;
        let writing = tokio::spawn(async move {
            connection.write_all(&vec![7; 4 << 20]).await.unwrap();
            connection
        });
        let mut received = vec![0; 1 << 20];
        client.read_exact(&mut received).await.unwrap();
        line.end_gently();
        // Most of the rest is in the kernel's buffers by the time that this arrives.
        client.write_all(b"a late word").await.unwrap();
        let dropped = tokio::spawn(async move {
            let mut connection = writing.await.unwrap();
            assert_eq!(connection.read(&mut [0; 8]).await.unwrap(), 0);
        });
        client.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), 4 << 20);
        dropped.await.unwrap();
    }

    #[tokio::test]
    async fn at_once_a_write_that_waits_for_a_client_ends() {
        let (mut connection, line, _client) = pair().await;
        let writing = tokio::spawn(async move {
            let chunk = [0; 64 * 1024];
            loop {
                if let Err(error) = connection.write_all(&chunk).await {
                    return error.kind();
                }
            }
        });
        tokio::task::yield_now().await;
        line.end_at_once();
        assert_eq!(writing.await.unwrap(), io::ErrorKind::ConnectionAborted);
    }
}
