//! Agents: Socket.IO v5 over Engine.IO v4, its two doors, and the way from a member to its socket.
//!
//! A connect passes `handshake` (who is it, what may it follow), then joins the conversation in
//! the hub with an `outlet` that emits to its socket. Emits go to members one by one and never
//! to rooms: a room emit drops what a socket has no room for, and does not say whose it was.

mod backlog;
mod doors;
mod front;
pub mod handshake;
mod kept_out;
mod members;
mod namespaces;
mod outlet;
mod transport;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::middleware::from_fn_with_state;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use socketioxide::SocketIo;
use socketioxide::layer::SocketIoLayer;
use tokio::time::{sleep, timeout};

use crate::auth::Authenticator;
use crate::conversation::{ConversationKey, Hub};
use doors::Doors;
use transport::Transports;

/// How sockets are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often the server asks whether the client is there.
    pub ping_interval: Duration,
    /// How long the client may take to answer.
    pub ping_timeout: Duration,
}

impl Settings {
    /// How long a client may give no sign of life, or take nothing of what waits for it.
    pub fn patience(&self) -> Duration {
        self.ping_interval + self.ping_timeout
    }
}

/// The Socket.IO server.
pub struct Sockets {
    io: SocketIo,
    layer: SocketIoLayer,
    doors: Arc<Doors>,
    transports: Arc<Transports>,
}

/// The path of Engine.IO requests.
pub const PATH: &str = "/socket.io";

/// The largest packet that a client may send, in bytes. Agents send their token and little else.
const INBOUND_LIMIT: usize = 64 * 1024;

/// How long a connection may take to join a conversation.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer to a poll, in bytes: more than can wait for one. The engine sets a packet
/// aside that would exceed it, and forgets that one when the session is upgraded.
const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;

/// How many packets have room in a socket's channel. It is socketioxide's default, written down
/// because members are to leave some of it alone.
const CHANNEL: usize = 128;

/// How many sessions are let go at a time: what another replica can take in at once.
const SLICE: usize = 50;

impl Sockets {
    /// The server. Must be called within a Tokio runtime.
    pub fn new(settings: &Settings, authenticator: Arc<Authenticator>, hub: Arc<Hub>) -> Self {
        let (layer, io) = SocketIo::builder()
            .req_path(PATH)
            .ping_interval(settings.ping_interval)
            .ping_timeout(settings.ping_timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .max_buffer_size(CHANNEL)
            .max_payload(ANSWER_LIMIT)
            .ws_max_message_size(INBOUND_LIMIT)
            .ws_max_frame_size(INBOUND_LIMIT)
            // Clients send little: a small buffer serves, and there is one for each connection.
            .ws_read_buffer_size(256)
            .build_layer();
        let doors = Doors::open(&io, authenticator, hub, settings.patience());
        Self {
            io,
            layer,
            doors,
            transports: Arc::default(),
        }
    }

    /// Puts the server in front of other routes. They have to be served with
    /// [`Peer`](crate::net::Peer) as their connection's information.
    pub fn mount(&self, router: Router) -> Router {
        router
            .layer(self.layer.clone())
            .layer(from_fn_with_state(self.transports.clone(), front::watch))
    }

    /// Lets nobody in any more (`Service unavailable`).
    pub fn refuse(&self) {
        self.doors.close();
    }

    /// Hangs up on an agent who follows the conversation, as a failing network would: clients see
    /// `transport close` and connect again. Answers how many connections there were.
    pub fn hang_up(&self, agent: &str, key: &ConversationKey) -> usize {
        self.doors.members().hang_up(agent, key)
    }

    /// Refuses the agent's connects to the conversation until then (`Service unavailable`).
    pub fn keep_out(&self, agent: &str, key: &ConversationKey, until: Instant) {
        self.doors.keep_out(agent, key, until);
    }

    /// Closes all connections by closing their transports, so that clients connect elsewhere:
    /// in slices at random moments `within` that time, so that they do not all come there at once.
    /// For as long again, clients may take what waits for them.
    pub async fn close(&self, within: Duration) {
        self.refuse();
        let mut transports = self.transports.all();
        transports.shuffle(&mut rand::rng());
        let mut slices = transports.chunks(SLICE).peekable();
        let pause = within / slices.len().max(1) as u32;
        while let Some(slice) = slices.next() {
            slice.iter().for_each(|transport| transport.end());
            if slices.peek().is_some() {
                sleep(pause.mul_f64(rand::rng().random_range(0.5..1.0))).await;
            }
        }
        // What still waits for a client to ask for it, and then what waits for one in vain.
        if timeout(within, self.io.close()).await.is_err() {
            self.transports
                .all()
                .iter()
                .for_each(|transport| transport.abandon());
        }
    }
}
