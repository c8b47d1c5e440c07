//! Accepting connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tracing::{debug, error};

use super::connection::Connection;
use super::permits::{Bounds, Permits};

/// A listener whose connections are bounded and tuned.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    timeout: Duration,
    permits: Arc<Permits>,
    lingering: TaskTracker,
}

/// The peer of a connection: a proxy, if there is one in between. Handlers get it as
/// `ConnectInfo<Peer>`.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
}

/// How long nothing is accepted when the process has no descriptor left for it.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// What the kernel keeps of a connection whose client reads slowly, in bytes. Left to itself it
/// grows to 4 MiB; this is still more than two megabytes a second to the other side of the world.
const SEND_BUFFER: usize = 256 * 1024;

impl Listener {
    /// Binds the address. A connection ends when its client has not acknowledged anything of what
    /// waits for it within `timeout`. `lingering` tracks connections that are being closed.
    /// Connections past `bounds` are closed at once.
    ///
    /// # Errors
    /// What the operating system says, with the address.
    pub async fn bind(
        address: SocketAddr,
        timeout: Duration,
        bounds: Bounds,
        lingering: TaskTracker,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}"))?;
        Ok(Self {
            listener,
            timeout,
            permits: Permits::new(bounds),
            lingering,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// As the operating system reports them.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> (Connection, Peer) {
        loop {
            let (stream, address) = self.next().await;
            let permit = match self.permits.take(address.ip()) {
                Ok(permit) => permit,
                Err(exceeded) => {
                    debug!(limit = %exceeded, "connection over a limit, closed at once");
                    continue;
                }
            };
            if let Err(error) = self.tune(&stream) {
                // The client may be gone already.
                debug!(%error, "socket options not set");
            }
            let connection = Connection::new(stream, Some(permit), self.lingering.clone());
            return (connection, Peer { address });
        }
    }

    async fn next(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // The connection stays in the queue: to ask again at once would be all that
                    // the process does.
                    error!(%error, "cannot accept connections");
                    sleep(EXHAUSTED).await;
                }
            }
        }
    }

    fn tune(&self, stream: &TcpStream) -> io::Result<()> {
        // An event is one small packet: it must not wait for the next.
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.set_tcp_user_timeout(Some(self.timeout))
    }
}

/// Whether a connection has ended before it was accepted, which says nothing of the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
