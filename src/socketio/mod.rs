//! Socket.IO v5: what a session says. Namespaces, admission, and members' sockets.
//!
//! ```text
//!  CONNECT ─ NamespaceTable (is it passed on?) ─ Admissions (who is it, what may it follow?)
//!          ─ the library answers ─ Members::join ─ hub ─ SocketOutlet ─ Session
//! ```
//!
//! Emits go to members one by one and never to rooms: a room emit drops what a socket has no room
//! for, and does not say whose it was.

mod admission;
mod client;
pub mod counts;
pub mod handshake;
mod members;
mod message_rate;
mod namespace_table;
mod namespaces;
mod outlet;
mod packet;
mod refused;
mod token_expiry;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::any;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use socketioxide::SocketIo;
use tokio::time::{sleep, timeout};

use crate::auth::{Agent, Authenticator};
use crate::conversation::{ConversationKey, Hub, Selection};
use crate::engineio::{
    ANSWER_LIMIT, CHANNEL, EngineIoService, INBOUND_LIMIT, PATH, Registrations, SessionCounts,
    Sessions, library_interval,
};
use crate::net::{Limits, Peer};
use admission::Admissions;
use client::Client;
use counts::ConnectErrorCounts;

pub use members::Members;

/// The settings of the Socket.IO server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often the server pings a client.
    pub ping_interval: Duration,
    /// How long the client may take to answer.
    pub ping_timeout: Duration,
    /// How many sessions there may be.
    pub limits: Limits,
}

impl Settings {
    /// How long a client may give no sign of life, or take nothing of what waits for it.
    pub fn timeout(&self) -> Duration {
        self.ping_interval + self.ping_timeout
    }
}

/// The Socket.IO server.
pub struct Sockets {
    io: SocketIo,
    admissions: Arc<Admissions>,
    members: Arc<Members>,
    service: Arc<EngineIoService<Client>>,
    statistics: Statistics,
}

/// How many clients there are, and how many were refused.
#[derive(Clone)]
pub struct Statistics {
    sessions: Arc<Sessions<Client>>,
    counts: Arc<SessionCounts>,
    refused: Arc<ConnectErrorCounts>,
}

impl Statistics {
    /// How many sessions poll, and how many have a WebSocket.
    pub fn sessions(&self) -> [usize; 2] {
        self.sessions.by_transport()
    }

    /// How many sessions there have been.
    pub fn opened(&self) -> u64 {
        self.sessions.opened()
    }

    /// How many members there are by the transport that carries them and the namespace that they joined
    /// by: over polls by the root and by a conversation's own, then the same over WebSockets.
    pub fn members(&self) -> [[usize; 2]; 2] {
        let mut members = [[0; 2]; 2];
        for session in self.sessions.all() {
            let by_namespace = &mut members[usize::from(session.is_attached())];
            for outlet in session.protocol.outlets() {
                by_namespace[usize::from(outlet.namespace().is_some())] += 1;
            }
        }
        members
    }

    /// What has become of sessions over a limit.
    pub fn counts(&self) -> &SessionCounts {
        &self.counts
    }

    /// What has become of CONNECTs that were refused.
    pub fn refused(&self) -> &ConnectErrorCounts {
        &self.refused
    }
}

/// How long a connection may take to join a conversation.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many sessions are closed at a time: what another replica can take in at once.
const SLICE: usize = 50;

impl Sockets {
    /// The server. Must be called within a Tokio runtime.
    pub fn new(settings: &Settings, authenticator: Arc<Authenticator>, hub: Arc<Hub>) -> Self {
        let (service, io) = SocketIo::builder()
            .req_path(PATH)
            .ping_interval(library_interval(settings.ping_interval))
            .ping_timeout(settings.ping_timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .max_buffer_size(CHANNEL)
            .max_payload(ANSWER_LIMIT)
            .ws_max_message_size(INBOUND_LIMIT)
            .ws_max_frame_size(INBOUND_LIMIT)
            // Clients send little: a small buffer serves, and there is one for each connection.
            .ws_read_buffer_size(64)
            .build_with_inner_svc(Router::new());
        let statistics = Statistics {
            sessions: Sessions::new(settings.timeout()),
            counts: Arc::default(),
            refused: Arc::new(counts::connect_errors()),
        };
        let refused = statistics.refused.clone();
        let members = Members::new(hub, refused.clone());
        let admissions = Admissions::new(authenticator, members.clone(), refused);
        let namespaces = admissions.open(&io);
        tokio::spawn(members::watch(statistics.sessions.clone()));
        let client = {
            let members = members.clone();
            move || Client::new(namespaces.clone(), members.clone())
        };
        let service = EngineIoService {
            service,
            sessions: statistics.sessions.clone(),
            registrations: Registrations::new(&settings.limits, statistics.counts.clone()),
            proxies: settings.limits.proxies,
            ping_interval: settings.ping_interval,
            ping_timeout: settings.ping_timeout,
            protocol: Box::new(client),
        };
        Self {
            io,
            admissions,
            members,
            service: Arc::new(service),
            statistics,
        }
    }

    /// Adds the server to other routes. They have to be served with [`Peer`] as their connection's
    /// information.
    pub fn mount(&self, router: Router) -> Router {
        let below = format!("{PATH}/{{*rest}}");
        let paths = [PATH, &format!("{PATH}/"), &below];
        let sockets = paths.iter().fold(Router::new(), |sockets, path| {
            sockets.route(path, any(answer))
        });
        router.merge(sockets.with_state(self.service.clone()))
    }

    /// The members of this process.
    pub fn members(&self) -> Arc<Members> {
        self.members.clone()
    }

    /// Counts for the metrics.
    pub fn statistics(&self) -> Statistics {
        self.statistics.clone()
    }

    /// Refuses all connects from now on (`Service unavailable`).
    pub fn refuse(&self) {
        self.admissions.close();
    }

    /// Closes the sessions of the selection's members, as a failing network would: clients see
    /// `transport close` and connect again. Answers how many there were.
    pub fn close_sessions(&self, selection: &Selection) -> usize {
        let sessions = self.statistics.sessions.all().into_iter();
        let selected = sessions.filter(|session| {
            session.protocol.outlets().iter().any(|outlet| {
                selection.holds(&outlet.key, &outlet.participant.agent) && !outlet.is_closed()
            })
        });
        selected.map(|session| session.close()).count()
    }

    /// Refuses the connects for which `denies` is true (`Service unavailable`); to be called once.
    pub fn deny_if(
        &self,
        denies: impl Fn(&Agent, &ConversationKey) -> bool + Send + Sync + 'static,
    ) {
        self.admissions.deny_if(Box::new(denies));
    }

    /// Waits until every session that has a WebSocket has written what waits for its client, or has ended.
    pub async fn written(&self) {
        for session in self.statistics.sessions.all() {
            session.written().await;
        }
    }

    /// Closes all sessions by closing their transports, so that clients connect elsewhere: in
    /// slices at random moments `within` that time, so that they do not all come there at once.
    /// For as long again, clients may take what waits for them.
    pub async fn close(&self, within: Duration) {
        self.refuse();
        let sessions = &self.statistics.sessions;
        let mut all = sessions.all();
        all.shuffle(&mut rand::rng());
        let mut slices = all.chunks(SLICE).peekable();
        let pause = within / slices.len().max(1) as u32;
        while let Some(slice) = slices.next() {
            slice.iter().for_each(|session| session.close());
            if slices.peek().is_some() {
                sleep(pause.mul_f64(rand::rng().random_range(0.5..1.0))).await;
            }
        }
        // What still waits for a client to ask for it, and then what waits for one in vain.
        if timeout(within, self.io.close()).await.is_err() {
            sessions.all().iter().for_each(|session| session.abort());
        }
    }
}

/// Answers an Engine.IO request.
async fn answer(
    State(service): State<Arc<EngineIoService<Client>>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    service.answer(peer, request).await
}
