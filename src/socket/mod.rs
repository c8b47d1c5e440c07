//! Agents: Socket.IO v5 over Engine.IO v4, its two doors, and the way from a member to its socket.
//!
//! A connect passes `handshake` (who is it, what may it follow), then joins the conversation in
//! the hub with an `outlet` that emits to its socket. Emits go to members one by one and never
//! to rooms: a room emit drops what a socket has no room for, and does not say whose it was.

mod backlog;
mod connects;
pub mod counts;
mod doors;
mod frames;
mod front;
mod guard;
pub mod handshake;
mod held;
mod inbound;
mod kept_out;
mod members;
mod namespaces;
mod notice;
mod open;
mod outlet;
mod places;
mod refused;
mod release;
mod term;
mod transport;
mod upgrade;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::any;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use socketioxide::SocketIo;
use tokio::time::{sleep, timeout};

use crate::auth::Authenticator;
use crate::conversation::{ConversationKey, Hub};
use crate::net::Limits;
use counts::Counts;
use doors::Doors;
use front::Front;
use places::Places;
use release::Release;
use transport::Transports;

pub use members::{Members, Selection};

/// How sockets are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often the server asks whether the client is there.
    pub ping_interval: Duration,
    /// How long the client may take to answer.
    pub ping_timeout: Duration,
    /// How many sessions there may be.
    pub limits: Limits,
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
    doors: Arc<Doors>,
    members: Arc<Members>,
    front: Front,
    counts: Arc<Counts>,
}

/// How many clients there are, and what has become of others.
#[derive(Clone)]
pub struct Statistics {
    transports: Arc<Transports>,
    counts: Arc<Counts>,
}

impl Statistics {
    /// How many sessions poll, and how many have a WebSocket.
    pub fn sessions(&self) -> [usize; 2] {
        self.transports.census()
    }

    /// What has become of those who wanted to come in.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// The path of Engine.IO requests.
const PATH: &str = "/socket.io";

/// Whether requests of this path are Engine.IO's: of its own, and of those below.
pub fn serves(path: &str) -> bool {
    path.strip_prefix(PATH)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

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
        let (service, io) = SocketIo::builder()
            .req_path(PATH)
            .ping_interval(open::engine_interval(settings.ping_interval))
            .ping_timeout(settings.ping_timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .max_buffer_size(CHANNEL)
            .max_payload(ANSWER_LIMIT)
            .ws_max_message_size(INBOUND_LIMIT)
            .ws_max_frame_size(INBOUND_LIMIT)
            // Clients send little: a small buffer serves, and there is one for each connection.
            .ws_read_buffer_size(256)
            .build_with_inner_svc(Router::new());
        let members = Members::new(hub.clone());
        let counts: Arc<Counts> = Arc::default();
        let patience = settings.patience();
        let doors = Doors::new(
            authenticator,
            hub,
            members.clone(),
            patience,
            counts.clone(),
        );
        let transports = Transports::new(doors.open(&io), Release::new(&io));
        tokio::spawn(members::watch(members.clone(), transports.clone()));
        let places = Places::new(&settings.limits, counts.clone());
        Self {
            io,
            doors,
            members,
            front: Front {
                service,
                transports,
                places: Arc::new(places),
                counts: counts.clone(),
                proxies: settings.limits.proxies,
                ping_interval: settings.ping_interval,
                ping_timeout: settings.ping_timeout,
            },
            counts,
        }
    }

    /// Adds the server to other routes. They have to be served with
    /// [`Peer`](crate::net::Peer) as their connection's information.
    pub fn mount(&self, router: Router) -> Router {
        let below = format!("{PATH}/{{*rest}}");
        let paths = [PATH, &format!("{PATH}/"), &below];
        let sockets = paths.iter().fold(Router::new(), |sockets, path| {
            sockets.route(path, any(front::answer))
        });
        router.merge(sockets.with_state(self.front.clone()))
    }

    /// Who follows what.
    pub fn members(&self) -> Arc<Members> {
        self.members.clone()
    }

    /// What can be said of clients, for as long as there are any.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            transports: self.front.transports.clone(),
            counts: self.counts.clone(),
        }
    }

    /// Lets nobody in any more (`Service unavailable`).
    pub fn refuse(&self) {
        self.doors.close();
    }

    /// Hangs up on an agent who follows the conversation, as a failing network would: clients see
    /// `transport close` and connect again. Answers how many connections there were.
    pub fn hang_up(&self, agent: &str, key: &ConversationKey) -> usize {
        self.members.hang_up(agent, key)
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
        let mut transports = self.front.transports.all();
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
            self.front
                .transports
                .all()
                .iter()
                .for_each(|transport| transport.abandon());
        }
    }
}
