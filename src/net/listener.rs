//! Accepting connections.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::connection::{Connection, Line};

/// A listener whose connections can be hung up.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    patience: Duration,
    farewells: TaskTracker,
}

/// Who is at the other end, and the line to it. Handlers get it as `ConnectInfo<Peer>`.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The other end's address; a proxy's, if there is one in between.
    pub address: SocketAddr,
    /// The connection.
    pub line: Line,
}

/// What the kernel keeps of a connection whose client reads slowly, in bytes. Left to itself it
/// grows to 4 MiB; this is still more than two megabytes a second to the other side of the world.
const SEND_BUFFER: usize = 256 * 1024;

impl Listener {
    /// Binds the address. A connection ends when its client has not acknowledged anything of what
    /// waits for it within `patience`. `farewells` are over when the last client that was hung up
    /// on has got what was on its way to it.
    ///
    /// # Errors
    /// What the operating system says, with the address.
    pub async fn bind(
        address: SocketAddr,
        patience: Duration,
        farewells: TaskTracker,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}"))?;
        Ok(Self {
            listener,
            patience,
            farewells,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// As the operating system reports them.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    fn tune(&self, stream: &TcpStream) -> io::Result<()> {
        // An event is one small packet: it must not wait for the next.
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.set_tcp_user_timeout(Some(self.patience))
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.listener).await;
        if let Err(error) = self.tune(&stream) {
            // The client may be gone already.
            debug!(%error, "socket options not set");
        }
        let line = Line::default();
        let peer = Peer {
            address,
            line: line.clone(),
        };
        let connection = Connection::new(stream, line, self.farewells.clone());
        (connection, peer)
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer {
            address: self.listener.local_addr()?,
            line: Line::default(),
        })
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.remote_addr().clone()
    }
}
