//! A TCP connection that can be hung up.
//!
//! The library that owns the connection once it is a WebSocket offers no way to close it: its
//! writer waits for as long as a client does not read, and the session waits for the writer. Here
//! reading ends as if the client had closed, and so does a write that would have to wait; what
//! the client still takes is written, a WebSocket's close frame included.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Hangs a connection up.
#[derive(Debug, Clone, Default)]
pub struct HangUp(CancellationToken);

impl HangUp {
    /// Hangs up. Nothing happens if that has been done before, or if the connection is gone.
    pub fn now(&self) {
        self.0.cancel();
    }
}

/// A TCP connection that a [`HangUp`] belongs to.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    hang_up: HangUp,
    // One for each direction: they are polled by different tasks.
    reading: Signal,
    writing: Signal,
}

type Signal = Option<Pin<Box<WaitForCancellationFutureOwned>>>;

impl Connection {
    pub(super) fn new(stream: TcpStream, hang_up: HangUp) -> Self {
        Self {
            stream,
            hang_up,
            reading: None,
            writing: None,
        }
    }

    /// Whether to give up what would have to wait.
    fn poll_hung_up(hang_up: &HangUp, signal: &mut Signal, cx: &mut Context<'_>) -> Poll<()> {
        let signal = signal.get_or_insert_with(|| Box::pin(hang_up.0.clone().cancelled_owned()));
        signal.as_mut().poll(cx)
    }

    fn poll_patiently<T>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let this = self.get_mut();
        match poll(Pin::new(&mut this.stream), cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => {
                ready!(Self::poll_hung_up(&this.hang_up, &mut this.writing, cx));
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
        if Self::poll_hung_up(&this.hang_up, &mut this.reading, cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_patiently(cx, |stream, cx| stream.poll_write(cx, buffer))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_patiently(cx, |stream, cx| stream.poll_write_vectored(cx, buffers))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_patiently(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_patiently(cx, AsyncWrite::poll_shutdown)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Connection, HangUp, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let hang_up = HangUp::default();
        (Connection::new(stream, hang_up.clone()), hang_up, client)
    }

    #[tokio::test]
    async fn a_read_that_waits_ends_and_what_the_client_takes_is_still_written() {
        let (mut connection, hang_up, mut client) = pair().await;
        let reading = tokio::spawn(async move {
            let read = connection.read(&mut [0; 8]).await.unwrap();
            (connection, read)
        });
        tokio::task::yield_now().await;
        hang_up.now();
        let (mut connection, read) = reading.await.unwrap();
        assert_eq!(read, 0);
        connection.write_all(b"bye").await.unwrap();
        drop(connection);
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"bye");
    }

    #[tokio::test]
    async fn a_write_that_waits_for_a_client_that_does_not_read_ends() {
        let (mut connection, hang_up, _client) = pair().await;
        let writing = tokio::spawn(async move {
            let chunk = [0; 64 * 1024];
            loop {
                if let Err(error) = connection.write_all(&chunk).await {
                    return error.kind();
                }
            }
        });
        tokio::task::yield_now().await;
        hang_up.now();
        assert_eq!(writing.await.unwrap(), io::ErrorKind::ConnectionAborted);
    }
}
