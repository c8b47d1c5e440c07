//! Engine.IO sessions from below: which connection carries a session, whether anything of it gets
//! through, and how it is ended so that the client connects again.
//!
//! `Socket::disconnect` makes the official client stay away ("io server disconnect"), and needs
//! a place in a channel that may be full. What makes a client reconnect is the end of its
//! transport: for a WebSocket its connection is hung up, and a poll is answered with Engine.IO's
//! CLOSE packet (<https://socket.io/docs/v4/engine-io-protocol/#packets>).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use tokio::sync::Notify;
use url::form_urlencoded;

use crate::net::{HangUp, Peer};

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Transports {
    next: AtomicU64,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    all: HashMap<u64, Weak<Transport>>,
    by_sid: HashMap<String, u64>,
}

/// What carries one Engine.IO session. It lives as long as the session's handshake request, which
/// the session keeps.
#[derive(Debug)]
pub(super) struct Transport {
    number: u64,
    transports: Weak<Transports>,
    /// Known of sessions that began with polling.
    sid: OnceLock<String>,
    /// The WebSocket's connection, once there is one.
    websocket: Mutex<Option<HangUp>>,
    ending: AtomicBool,
    ended: Notify,
    /// When a packet last found room, in milliseconds since the session's begin.
    taken_at: AtomicU64,
    begun: Instant,
}

impl Transports {
    fn open(self: &Arc<Self>) -> Arc<Transport> {
        let transport = Arc::new(Transport {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            transports: Arc::downgrade(self),
            sid: OnceLock::new(),
            websocket: Mutex::default(),
            ending: AtomicBool::new(false),
            ended: Notify::new(),
            taken_at: AtomicU64::new(0),
            begun: Instant::now(),
        });
        let weak = Arc::downgrade(&transport);
        self.lock().all.insert(transport.number, weak);
        transport
    }

    fn find(&self, sid: &str) -> Option<Arc<Transport>> {
        let sessions = self.lock();
        let number = sessions.by_sid.get(sid)?;
        sessions.all.get(number)?.upgrade()
    }

    /// All sessions that there are now.
    pub(super) fn all(&self) -> Vec<Arc<Transport>> {
        let sessions = self.lock();
        sessions.all.values().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport {
    /// A packet has found room.
    pub(super) fn took(&self) {
        let now = self.begun.elapsed().as_millis() as u64;
        self.taken_at.store(now, Ordering::Relaxed);
    }

    /// How long no packet has found room.
    pub(super) fn stalled(&self) -> Duration {
        let taken_at = Duration::from_millis(self.taken_at.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(taken_at)
    }

    /// Ends the session by ending its transport: the client sees `transport close`.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Release);
        self.ended.notify_waiters();
        if let Some(connection) = &*self.websocket() {
            connection.now();
        }
    }

    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Waits for the end.
    async fn ended(&self) {
        let ended = self.ended.notified();
        // Notified first, looked at then: an end in between is seen.
        tokio::pin!(ended);
        ended.as_mut().enable();
        if !self.is_ending() {
            ended.await;
        }
    }

    fn carried_by(&self, connection: HangUp) {
        let mut websocket = self.websocket();
        if self.is_ending() {
            connection.now();
        }
        *websocket = Some(connection);
    }

    fn named(&self, sid: String) {
        if let Some(transports) = self.transports.upgrade() {
            transports.lock().by_sid.insert(sid.clone(), self.number);
            self.sid.set(sid).ok();
        }
    }

    fn websocket(&self) -> MutexGuard<'_, Option<HangUp>> {
        self.websocket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if let Some(transports) = self.transports.upgrade() {
            let mut sessions = transports.lock();
            sessions.all.remove(&self.number);
            if let Some(sid) = self.sid.get() {
                sessions.by_sid.remove(sid);
            }
        }
    }
}

/// Stands in front of Engine.IO and keeps account of what carries which session.
pub(super) async fn watch(
    State(transports): State<Arc<Transports>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with(super::PATH) {
        return next.run(request).await;
    }
    let asked = Asked::of(request.uri().query().unwrap_or_default());
    let Some(sid) = asked.sid else {
        return handshake(&transports, asked.websocket, peer, request, next).await;
    };
    let Some(transport) = transports.find(&sid) else {
        return next.run(request).await;
    };
    if asked.websocket {
        transport.carried_by(peer.hang_up);
        return next.run(request).await;
    }
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    // The close packet of the client's side lets the session go.
    let close = close_request(&request);
    tokio::select! {
        biased;
        () = transport.ended() => {
            next.run(close).await;
            ([(CONTENT_TYPE, "text/plain; charset=UTF-8")], CLOSE).into_response()
        }
        response = next.clone().run(request) => response,
    }
}

/// Engine.IO's CLOSE packet.
const CLOSE: &str = "1";

fn close_request(poll: &Request) -> Request {
    let mut close = Request::new(Body::from(CLOSE));
    *close.method_mut() = Method::POST;
    *close.uri_mut() = poll.uri().clone();
    *close.extensions_mut() = poll.extensions().clone();
    close
}

async fn handshake(
    transports: &Arc<Transports>,
    websocket: bool,
    peer: Peer,
    mut request: Request,
    next: Next,
) -> Response {
    let transport = transports.open();
    if websocket {
        transport.carried_by(peer.hang_up);
    }
    shrink(&mut request);
    request.extensions_mut().insert(transport.clone());
    let response = next.run(request).await;
    if websocket || !response.status().is_success() {
        return response;
    }
    // `0{"sid":"…",…}`: the name by which later polls and the upgrade speak of the session.
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = body.to_bytes();
    let open = body.get(1..).map(serde_json::from_slice::<Open>);
    if let Some(Ok(open)) = open {
        transport.named(open.sid);
    }
    Response::from_parts(parts, Body::from(body))
}

#[derive(Deserialize)]
struct Open {
    sid: String,
}

/// The session keeps the request of its handshake, and each part of it keeps all of the 16 KiB
/// buffer that the request was read into. Copies keep only themselves.
fn shrink(request: &mut Request) {
    if let Ok(uri) = request.uri().to_string().parse() {
        *request.uri_mut() = uri;
    }
    let headers: HeaderMap = request
        .headers()
        .iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
            let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            Some((name, value))
        })
        .collect();
    *request.headers_mut() = headers;
}

/// What a request asks of Engine.IO.
struct Asked {
    sid: Option<String>,
    websocket: bool,
}

impl Asked {
    fn of(query: &str) -> Self {
        let mut asked = Self {
            sid: None,
            websocket: false,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "sid" => asked.sid = Some(value.into_owned()),
                "transport" => asked.websocket = value == "websocket",
                _ => {}
            }
        }
        asked
    }
}
