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
        tune(&listener, timeout).context("the listener's socket options cannot be set")?;
        Ok(Self {
            listener,
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
}

/// Sets what the connections that are accepted take over from their listener (Linux).
fn tune(listener: &TcpListener, timeout: Duration) -> io::Result<()> {
    let socket = SockRef::from(listener);
    // An event is one small packet: it must not wait for the next.
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_tcp_user_timeout(Some(timeout))
}

/// Whether a connection has ended before it was accepted, which says nothing of the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn accepted_connections_have_the_options_of_their_listener() {
        let timeout = Duration::from_secs(45);
        let bounds = Bounds {
            all: 1,
            address: 0,
            rate: 0,
        };
        let listener = Listener::bind(
            ([127, 0, 0, 1], 0).into(),
            timeout,
            bounds,
            TaskTracker::new(),
        );
        let listener = listener.await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.next());
        client.unwrap();
        let socket = SockRef::from(&accepted.0);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(timeout));
        // The kernel doubles it for what it keeps besides (socket(7)).
        assert_eq!(socket.send_buffer_size().unwrap(), 2 * SEND_BUFFER);
    }
}
