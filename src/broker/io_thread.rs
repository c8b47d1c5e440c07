//! lapin's I/O thread, which waits for the broker itself as long as something comes.
//!
//! lapin reads and writes on a thread of its own, and has the runtime's reactor tell that thread when
//! there is something to read. Here is a runtime for lapin whose [streams](IoThreadStream) leave that to the
//! reactor only while deliveries are rare.

mod stream;

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use async_rs::traits::{Executor, Reactor, RuntimeKit};
use async_rs::util::Task;
use async_rs::{Runtime, Tokio};
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use tokio::runtime::Handle;

use stream::IoThreadStream;
pub(crate) use stream::acknowledging;

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
            // It stays non-blocking.
            Ok(IoThreadStream::new(connected.into_std()?, handle))
        }
    }
}
