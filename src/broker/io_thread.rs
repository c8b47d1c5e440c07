//! How lapin's I/O thread waits for the broker: on its own, as long as something comes.
//!
//! lapin reads and writes on a thread of its own, and has the runtime's reactor tell that thread when
//! there is something to read. At a thousand deliveries a second, each would wake a worker of the
//! runtime, which wakes the I/O thread, which wakes the consumer's task: two wake-ups for nothing. So
//! the thread waits for the socket itself while deliveries follow one another, and leaves the waiting to
//! the reactor when none has come for [`BUSY`].
//!
//! While it waits, it does not write: what is sent to the broker, such as an acknowledgement, leaves
//! at most [`BUSY`] later. So it does not wait after the answer to a request, which may be followed by
//! the next request: only after [`UNASKED`] reads without a write between them. And reads keep a distance of [`READ_INTERVAL`], so that deliveries which
//! come closer together are taken together.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread::sleep;
use std::time::{Duration, Instant};

use async_rs::traits::{Executor, Reactor, RuntimeKit};
use async_rs::util::Task;
use async_rs::{Runtime, Tokio};
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::runtime::Handle;

/// For how long the I/O thread waits for the socket itself after something has come, and at a time.
const BUSY: Duration = Duration::from_millis(5);

/// After so many reads since the last write, what comes is deliveries and no answer.
const UNASKED: u32 = 2;

/// The least time between two reads that each find something, once they have come closer together.
const READ_INTERVAL: Duration = Duration::from_micros(500);

/// Reads that come closer together than this are held apart.
const DENSE: Duration = READ_INTERVAL.saturating_mul(2);

/// The current Tokio runtime, whose connections wait in the thread that reads them.
pub(crate) fn runtime() -> Runtime<IoThreadRuntime> {
    Runtime::new(IoThreadRuntime {
        tokio: Tokio::current(),
        handle: Handle::current(),
    })
}

#[derive(Debug, Clone)]
pub(crate) struct IoThreadRuntime {
    tokio: Tokio,
    handle: Handle,
}

impl RuntimeKit for IoThreadRuntime {}

impl Executor for IoThreadRuntime {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.tokio.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        future: F,
    ) -> Task<Self::Task<T>> {
        self.tokio.spawn(future)
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        work: F,
    ) -> Task<Self::Task<T>> {
        self.tokio.spawn_blocking(work)
    }
}

impl Reactor for IoThreadRuntime {
    type TcpStream = IoThreadStream;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(&self, period: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(period)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let handle = self.handle.clone();
        async move {
            let connecting = tokio::net::TcpStream::connect(address);
            let connected = handle.spawn(connecting).await.map_err(io::Error::other)??;
            connected.set_nodelay(true)?;
            Ok(IoThreadStream {
                // It stays non-blocking.
                socket: connected.into_std()?,
                handle,
                readable: None,
                writable: None,
                last_read: None,
                reads: 0,
                dense: false,
                drained: false,
            })
        }
    }
}

/// A connection to the broker.
pub(crate) struct IoThreadStream {
    socket: TcpStream,
    handle: Handle,
    /// The socket among those that the reactor watches, while it waits there to be readable.
    readable: Option<tokio::net::TcpStream>,
    /// The same, while it waits there to be writable.
    writable: Option<tokio::net::TcpStream>,
    last_read: Option<Instant>,
    /// How many reads there were since the last write.
    reads: u32,
    /// The last two reads were closer together than [`READ_INTERVAL`], or held apart.
    dense: bool,
    /// The last read took everything that there was, and lapin has not had the time to look at it.
    drained: bool,
}

impl IoThreadStream {
    /// Waits for something to read, here or in the reactor.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.drained {
            // What was read is handled before more is waited for.
            self.drained = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.readable.is_none() {
            if let Some(last_read) = self.last_read
                && self.reads >= UNASKED
            {
                if self.dense
                    && let Some(early) = READ_INTERVAL.checked_sub(last_read.elapsed())
                {
                    sleep(early);
                }
                if self.wait(BUSY)? {
                    return Poll::Ready(Ok(()));
                }
            }
            self.readable = Some(self.registered()?);
        }
        if let Some(readable) = &self.readable {
            ready!(readable.poll_read_ready(cx))?;
            self.readable = None;
        }
        Poll::Ready(Ok(()))
    }

    /// A duplicate of the socket that the reactor watches.
    fn registered(&self) -> io::Result<tokio::net::TcpStream> {
        let _runtime = self.handle.enter();
        tokio::net::TcpStream::from_std(self.socket.try_clone()?)
    }

    /// Whether there is something to read (or to learn, such as the end) within this time.
    fn wait(&self, limit: Duration) -> io::Result<bool> {
        let limit = Timespec {
            tv_sec: 0,
            tv_nsec: limit.subsec_nanos().into(),
        };
        match poll(
            &mut [PollFd::new(&self.socket, PollFlags::IN)],
            Some(&limit),
        ) {
            Ok(count) => Ok(count > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsyncRead for IoThreadStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            ready!(this.poll_readable(cx))?;
            match this.socket.read(buffer) {
                Ok(length) => {
                    let now = Instant::now();
                    let last_read = this.last_read.replace(now);
                    this.dense = last_read.is_some_and(|last| now - last < DENSE);
                    this.reads = this.reads.saturating_add(1);
                    if last_read.is_some() {
                        this.drained = length < buffer.len();
                    } else {
                        // Whether the end follows the first bytes at once tells somebody who hangs up,
                        // as a TLS port does, from a broker: that is waited for.
                        this.reads = UNASKED;
                    }
                    return Poll::Ready(Ok(length));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => this.last_read = None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for IoThreadStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            if let Some(writable) = &this.writable {
                ready!(writable.poll_write_ready(cx))?;
                this.writable = None;
            }
            match this.socket.write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    this.writable = Some(this.registered()?);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => {
                    this.reads = 0;
                    return Poll::Ready(written);
                }
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.socket.shutdown(Shutdown::Write))
    }
}
