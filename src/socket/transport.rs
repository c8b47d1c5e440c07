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
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use tokio::sync::Notify;

use super::backlog::{Backlog, Way};
use crate::net::{Line, Peer};

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
    websocket: Mutex<Option<Line>>,
    /// What has not gone out yet.
    pub(super) backlog: Backlog,
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
            backlog: Backlog::default(),
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

    /// Ends the session by ending its transport, when what waits for the client has gone out: the
    /// client sees `transport close`.
    pub(super) fn end(&self) {
        self.end_by(|line| line.end_gently(GOODBYE));
    }

    /// Ends the session of a client that does not take what waits for it.
    pub(super) fn abandon(&self) {
        self.end_by(Line::end_at_once);
    }

    fn end_by(&self, end: impl FnOnce(&Line)) {
        self.ending.store(true, Ordering::Release);
        self.ended.notify_waiters();
        if let Some(line) = &*self.websocket() {
            end(line);
        }
    }

    /// How packets go out now. `websocket`: whether the session has been upgraded, or began so.
    pub(super) fn way(&self, websocket: bool) -> Way {
        match (&*self.websocket(), websocket) {
            (Some(line), true) => Way::WebSocket(line.written()),
            _ => Way::Polls,
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

    fn carried_by(&self, line: Line) {
        let mut websocket = self.websocket();
        if self.is_ending() {
            line.end_gently(GOODBYE);
        }
        *websocket = Some(line);
    }

    fn named(&self, sid: String) {
        if let Some(transports) = self.transports.upgrade() {
            transports.lock().by_sid.insert(sid.clone(), self.number);
            self.sid.set(sid).ok();
        }
    }

    fn websocket(&self) -> MutexGuard<'_, Option<Line>> {
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
        let response = next.run(request).await;
        // Only an upgrade that the engine has taken makes the connection the session's.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            transport.carried_by(peer.line);
        }
        return response;
    }
    match *request.method() {
        Method::GET => poll(&transport, request, next).await,
        _ => next.run(limited(request)).await,
    }
}

/// Answers a poll: as the engine does, or with the end of the session.
async fn poll(transport: &Transport, request: Request, next: Next) -> Response {
    // The close packet of the client's side lets the session go.
    let close = close_request(&request);
    let response = tokio::select! {
        biased;
        () = transport.ended() => {
            next.run(close).await;
            return ([(CONTENT_TYPE, "text/plain; charset=UTF-8")], CLOSE).into_response();
        }
        response = next.clone().run(request) => response,
    };
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = body.to_bytes();
    let separators = body.iter().filter(|&&byte| byte == SEPARATOR).count();
    transport.backlog.polled(separators + 1);
    Response::from_parts(parts, Body::from(body))
}

/// Between the packets of an answer.
const SEPARATOR: u8 = 0x1e;

/// The engine's own limit is that of its answers as well, and those may be larger.
fn limited(request: Request) -> Request {
    request.map(|body| Body::new(Limited::new(body, super::INBOUND_LIMIT)))
}

/// Engine.IO's CLOSE packet.
const CLOSE: &str = "1";

/// The same as a client sends it over a WebSocket: a masked text frame (RFC 6455, section 5.2),
/// with a mask of zeros. To read the end of the stream instead would have the library throw away
/// what it has not written yet, as would a WebSocket's own close frame.
const GOODBYE: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, b'1'];

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
        transport.carried_by(peer.line);
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
    /// Reads the query as the engine does, so that nothing passes for one here and for another
    /// there: the first of its name counts, and nothing is unescaped.
    fn of(query: &str) -> Self {
        let parts = || query.split('&');
        let transport = parts().find(|part| part.starts_with("transport="));
        Self {
            sid: parts()
                .find_map(|part| part.strip_prefix("sid="))
                .map(str::to_owned),
            websocket: transport.and_then(|part| part.split('=').nth(1)) == Some("websocket"),
        }
    }
}
