//! Agents: Socket.IO v5 over Engine.IO v4, its two doors, and the way from a member to its socket.
//!
//! A connect passes `handshake` (who is it, what may it follow), then joins the conversation in
//! the hub with an `outlet` that emits to its socket. Emits go to members one by one and never
//! to rooms: a room emit drops what a socket has no room for, and does not say whose it was.

mod doors;
mod handshake;
mod namespaces;
mod outlet;

use std::sync::Arc;
use std::time::Duration;

use socketioxide::SocketIo;
use socketioxide::layer::SocketIoLayer;

use crate::auth::Authenticator;
use crate::conversation::Hub;
use doors::Doors;

/// How sockets are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often the server asks whether the client is there.
    pub ping_interval: Duration,
    /// How long the client may take to answer.
    pub ping_timeout: Duration,
}

/// The Socket.IO server.
#[derive(Clone)]
pub struct Sockets {
    io: SocketIo,
    doors: Arc<Doors>,
}

/// The path of Engine.IO requests.
pub const PATH: &str = "/socket.io";

/// The largest packet that a client may send, in bytes. Agents send their token and little else.
const INBOUND_LIMIT: usize = 64 * 1024;

/// How long a connection may take to join a conversation.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many packets wait in a socket's channel. It is socketioxide's default, written down because
/// the heartbeat needs a place among them and members are served in halves of it.
const CHANNEL: usize = 128;

impl Sockets {
    /// The server, and the layer that puts it in front of an HTTP service.
    ///
    /// Must be called within a Tokio runtime.
    pub fn new(
        settings: &Settings,
        authenticator: Arc<Authenticator>,
        hub: Arc<Hub>,
    ) -> (SocketIoLayer, Self) {
        let (layer, io) = SocketIo::builder()
            .req_path(PATH)
            .ping_interval(settings.ping_interval)
            .ping_timeout(settings.ping_timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .max_buffer_size(CHANNEL)
            .max_payload(INBOUND_LIMIT as u64)
            .ws_max_message_size(INBOUND_LIMIT)
            .ws_max_frame_size(INBOUND_LIMIT)
            // Clients send little: a small buffer serves, and there is one for each connection.
            .ws_read_buffer_size(256)
            .build_layer();
        let doors = Doors::open(&io, authenticator, hub);
        (layer, Self { io, doors })
    }

    /// Lets nobody in any more (`Service unavailable`).
    pub fn refuse(&self) {
        self.doors.close();
    }

    /// Closes all connections by closing their transports, so that clients connect elsewhere.
    pub async fn close(&self) {
        self.refuse();
        self.io.close().await;
    }
}
