//! A connection to the broker, as lapin's I/O thread reads and writes it.
//!
//! At a thousand deliveries a second, the reactor would for each wake a worker of the runtime, which wakes
//! the I/O thread, which wakes the consumer's task. So while deliveries follow one another, the I/O
//! thread runs the runtime's tasks itself, where that has one thread and can be [`Borrowed`].
//! Elsewhere it waits for the socket without the reactor. When nothing has come for [`BUSY`], it
//! leaves the waiting to the reactor again.
//!
//! While it waits, it does not write: what is sent to the broker leaves at most [`BUSY`] later, but for
//! [acknowledgements](acknowledging), which end the wait. So it does not wait after the answer to a request,
//! which may be followed by the next request: only after [`UNASKED`] reads without a write between them.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_io::{AsyncRead, AsyncWrite};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::runtime::Borrowed;

/// Reads that come closer together than this follow one another, and the I/O thread waits so long for
/// the next one.
const BUSY: Duration = Duration::from_millis(5);

/// After so many reads that followed one another the I/O thread waits itself.
const DENSE_READS: u32 = 8;

/// After so many reads since the last write, what comes is deliveries and no answer.
const UNASKED: u32 = 2;

/// What lapin writes next are acknowledgements, which have no answer.
static ACKNOWLEDGING: AtomicBool = AtomicBool::new(false);

/// Ends the wait of the thread that has the runtime.
static WRITES: Notify = Notify::const_new();

/// Deliveries are about to be acknowledged: the I/O thread is to write that now, when it waits with the
/// runtime.
pub(crate) fn acknowledging() {
    ACKNOWLEDGING.store(true, Ordering::Relaxed);
    WRITES.notify_one();
}

/// A connection to the broker.
pub(crate) struct IoThreadStream {
    socket: TcpStream,
    handle: Handle,
    /// A duplicate of the socket, which the reactor watches.
    registered: Option<tokio::net::TcpStream>,
    /// Another one, while it waits there to be writable.
    writable: Option<tokio::net::TcpStream>,
    /// The runtime, while this thread runs its tasks. It is given back before this thread waits for
    /// anything else.
    borrowed: Option<Borrowed>,
    last_read: Option<Instant>,
    /// How many reads have followed one another.
    dense_reads: u32,
    /// How many reads there were since the last write.
    unasked_reads: u32,
    /// The last read took everything that there was, and lapin has not had the time to look at it.
    drained: bool,
}

/// What the I/O thread has waited for.
enum Waited {
    /// So many bytes were read; none, when the broker has closed the connection.
    Read(usize),
    /// There is something to write.
    Woken,
    InVain,
}

impl IoThreadStream {
    /// `socket`: does not block.
    pub(super) fn new(socket: TcpStream, handle: Handle) -> Self {
        Self {
            socket,
            handle,
            registered: None,
            writable: None,
            borrowed: None,
            last_read: None,
            dense_reads: 0,
            unasked_reads: 0,
            drained: false,
        }
    }

    /// Reads, or waits for something to read, in the reactor.
    fn poll_registered(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let registered = match &mut self.registered {
            Some(registered) => registered,
            empty => empty.insert(register(&self.socket, &self.handle)?),
        };
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(registered).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Waits in this thread and reads.
    fn wait_and_read(
        &mut self,
        borrowed: Option<Borrowed>,
        buffer: &mut [u8],
    ) -> io::Result<Waited> {
        if self.unasked_reads < UNASKED {
            return Ok(Waited::InVain);
        }
        let Some(borrowed) = borrowed.or_else(|| Borrowed::take(&self.handle)) else {
            if self.wait_for_readable(BUSY)? {
                return match self.socket.read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Waited::InVain),
                    read => read.map(Waited::Read),
                };
            }
            return Ok(Waited::InVain);
        };
        let waited = borrowed.block_on(async {
            tokio::select! {
                biased;
                read = poll_fn(|cx| self.poll_registered(cx, buffer)) => read.map(Waited::Read),
                () = WRITES.notified() => Ok(Waited::Woken),
                () = sleep(BUSY) => Ok(Waited::InVain),
            }
        })?;
        if matches!(waited, Waited::Read(1..) | Waited::Woken) {
            self.borrowed = Some(borrowed);
        }
        Ok(waited)
    }

    /// Whether there is something to read (or to learn, such as the end) within this time.
    fn wait_for_readable(&mut self, limit: Duration) -> io::Result<bool> {
        // The reactor would be woken as well.
        self.registered = None;
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

    /// Takes note of a read into a buffer with so much room.
    fn has_read(&mut self, length: usize, room: usize) {
        let now = Instant::now();
        let last_read = self.last_read.replace(now);
        self.unasked_reads = self.unasked_reads.saturating_add(1);
        match last_read {
            // Whether the end follows the first bytes at once tells somebody who hangs up, as a TLS
            // port does, from a broker: that is waited for.
            None => (self.dense_reads, self.unasked_reads) = (DENSE_READS, UNASKED),
            Some(last) if now - last < BUSY => {
                self.dense_reads = self.dense_reads.saturating_add(1)
            }
            Some(_) => self.dense_reads = 0,
        }
        self.drained = last_read.is_some() && 0 < length && length < room;
    }
}

/// A duplicate of the socket that the reactor watches.
fn register(socket: &TcpStream, runtime: &Handle) -> io::Result<tokio::net::TcpStream> {
    let _runtime = runtime.enter();
    tokio::net::TcpStream::from_std(socket.try_clone()?)
}

impl AsyncRead for IoThreadStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // It is given back on each way out of here that does not keep it.
        let borrowed = this.borrowed.take();
        if this.drained {
            // What was read is handled before more is waited for.
            this.drained = false;
            this.borrowed = borrowed;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let waited = match this.dense_reads {
            DENSE_READS.. => this.wait_and_read(borrowed, buffer)?,
            _ => Waited::InVain,
        };
        let length = match waited {
            Waited::Read(length) => length,
            Waited::Woken => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Waited::InVain => ready!(this.poll_registered(cx, buffer))?,
        };
        this.has_read(length, buffer.len());
        Poll::Ready(Ok(length))
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
                    // This thread may go to sleep.
                    this.borrowed = None;
                    this.writable = Some(register(&this.socket, &this.handle)?);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => {
                    // A thread that has the runtime writes them in time.
                    let is_acknowledgement =
                        this.borrowed.is_some() && ACKNOWLEDGING.swap(false, Ordering::Relaxed);
                    if !is_acknowledgement {
                        this.unasked_reads = 0;
                    }
                    return Poll::Ready(written);
                }
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.borrowed = None;
        Poll::Ready(this.socket.shutdown(Shutdown::Write))
    }
}
