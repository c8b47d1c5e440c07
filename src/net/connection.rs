//! A TCP connection: HTTP speaks on it first, and a WebSocket perhaps afterwards.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::deadlines::Deadlines;
use super::permits::Permit;

/// A connection that speaks HTTP.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    deadlines: Arc<Deadlines>,
    /// An answer that is [`Corked`](super::Corked).
    corked: BytesMut,
    rest: Rest,
}

/// What a connection has besides its stream.
#[derive(Debug)]
struct Rest {
    /// Held for as long as the kernel knows the connection.
    _permit: Option<Permit>,
    /// Tracks connections that linger after the server has dropped them.
    lingering: TaskTracker,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, permit: Option<Permit>, lingering: TaskTracker) -> Self {
        Self {
            stream,
            deadlines: Arc::new(Deadlines::new()),
            corked: BytesMut::new(),
            rest: Rest {
                _permit: permit,
                lingering,
            },
        }
    }

    pub(super) fn deadlines(&self) -> Arc<Deadlines> {
        self.deadlines.clone()
    }

    /// The connection without HTTP, and what is to be sent first: its answer, if that is
    /// [`Corked`](super::Corked).
    pub fn upgrade(self) -> (UpgradedConnection, BytesMut) {
        let Self {
            stream,
            corked,
            rest,
            ..
        } = self;
        (UpgradedConnection { stream, rest }, corked)
    }

    fn count(&self, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = poll {
            self.deadlines.wrote();
        }
        poll
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        this.deadlines.read();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buffer)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.deadlines.is_corked() {
            let before = this.corked.len();
            this.corked
                .extend(buffers.iter().flat_map(|buffer| &buffer[..]));
            return Poll::Ready(Ok(this.corked.len() - before));
        }
        let poll = Pin::new(&mut this.stream).poll_write_vectored(cx, buffers);
        this.count(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// A connection that speaks HTTP no more. It can be read, written and ended from several places.
#[derive(Debug)]
pub struct UpgradedConnection {
    stream: TcpStream,
    rest: Rest,
}

/// How long a client may take to close in turn (lingering close).
const LINGER: Duration = Duration::from_secs(30);

impl UpgradedConnection {
    /// Reads what is there into `buffer`; 0 bytes at the connection's end.
    ///
    /// # Errors
    /// As the operating system reports them.
    pub fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        /// The room for what comes, in bytes: an agent's token, mostly.
        const ROOM: usize = 1024;
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            buffer.reserve(ROOM);
            match self.stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Writes as much as the kernel takes at once.
    ///
    /// # Errors
    /// As the operating system reports them; `WouldBlock` when it takes nothing now.
    pub fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [one] => self.stream.try_write(one),
            several => self.stream.try_write_vectored(several),
        }
    }

    /// Waits until the kernel takes something again.
    ///
    /// # Errors
    /// As the operating system reports them.
    pub async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// Ends the connection in both directions: readers and writers notice.
    pub fn abort(&self) {
        // It may have ended by itself.
        SockRef::from(&self.stream).shutdown(Shutdown::Both).ok();
    }

    /// Ends the connection when its client has got what the kernel has for it (lingering close): a
    /// kernel that closes a connection on which something has come that nobody read, or comes later,
    /// resets it and throws away what it has not sent. So what the client still sends is read, for
    /// as long as it takes to close in turn, and half a minute at most.
    pub fn linger(self: Arc<Self>, written: impl Future<Output = ()> + Send + 'static) {
        let lingering = self.rest.lingering.clone();
        lingering.spawn(async move {
            let read_on = async {
                written.await;
                SockRef::from(&self.stream).shutdown(Shutdown::Write)?;
                let mut ignored = [0; 1024];
                loop {
                    self.stream.ready(Interest::READABLE).await?;
                    match self.stream.try_read(&mut ignored) {
                        Ok(0) => return io::Result::Ok(()),
                        Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                            return Err(error);
                        }
                        _ => {}
                    }
                }
            };
            // However it ends, there is nobody to report it to.
            timeout(LINGER, read_on).await.ok();
        });
    }
}
