//! What stands in front of Engine.IO: it gives each session its place, keeps account of what carries
//! which session, of what polls have fetched, answers the polls of sessions that are to end, and
//! passes on what clients post.

mod answers;
mod request;

use std::iter;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use socketioxide::service::SocketIoService;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

use super::connects::Heard;
use super::counts::Counts;
use super::held::{Hold, SEPARATOR};
use super::inbound::Inbound;
use super::notice::{Notice, tell};
use super::open::Open;
use super::places::Places;
use super::transport::{Transport, Transports};
use super::upgrade::upgrade;
use super::{CONNECT_TIMEOUT, INBOUND_LIMIT, PATH};
use crate::net::{Peer, client_address};
use answers::{numbered, old_client, overlap, taken, too_much, turned_away, unknown};
use request::{Asked, Carriage, plain, posting, shrink};

/// The engine, and what is known of sessions before it knows them.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) service: SocketIoService<Router>,
    pub(super) transports: Arc<Transports>,
    pub(super) places: Arc<Places>,
    pub(super) counts: Arc<Counts>,
    /// How many proxies there are in front.
    pub(super) proxies: usize,
    pub(super) ping_interval: Duration,
    pub(super) ping_timeout: Duration,
}

/// Answers an Engine.IO request.
pub(super) async fn answer(
    State(front): State<Front>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
) -> Response {
    let asked = Asked::of(request.uri().query().unwrap_or_default());
    let websocket = asked.websocket && asked.version && request.method() == Method::GET;
    let Some(sid) = &asked.sid else {
        // The engine begins a session with nothing else.
        if request.method() != Method::GET {
            return front.engine(plain(request)).await;
        }
        match asked.old_client {
            Some(Carriage::Polls) => return old_client(front.untended()),
            Some(Carriage::WebSocket) => return front.tell_old_client(&peer, request).await,
            None => {}
        }
        shrink(&mut request);
        if websocket {
            return front.websocket(peer, request);
        }
        let transport = match front.places.take(front.address(&peer, &request)) {
            Ok(place) => front.transports.open(place),
            Err(full) => return turned_away(full),
        };
        request.extensions_mut().insert(transport.clone());
        return front.handshake(&transport, plain(request)).await;
    };
    let Some(transport) = front.transports.find(sid) else {
        // The engine would first promise a WebSocket, and then look for its session.
        if websocket {
            return unknown();
        }
        return front.engine(plain(request)).await;
    };
    match *request.method() {
        Method::GET if websocket => upgrade(front.service, transport, peer.line, request),
        Method::GET => front.poll(&transport, plain(request)).await,
        Method::POST => front.post(&transport, request).await,
        _ => front.engine(plain(request)).await,
    }
}

impl Front {
    async fn engine(&self, request: Request) -> Response {
        match self.service.clone().oneshot(request).await {
            Ok(response) => numbered(response.map(Body::new)).await,
            Err(never) => match never {},
        }
    }

    /// Of the client whose request this is.
    fn address(&self, peer: &Peer, request: &Request) -> IpAddr {
        client_address(peer.address.ip(), request.headers(), self.proxies)
    }

    fn untended(&self) -> Open {
        Open::untended(self.ping_interval, self.ping_timeout)
    }

    /// Opens a session that begins with a WebSocket, or has one that only says that there are too
    /// many.
    fn websocket(self, peer: Peer, mut request: Request) -> Response {
        let address = self.address(&peer, &request);
        if let Ok(place) = self.places.admit(address) {
            let transport = self.transports.open(place);
            request.extensions_mut().insert(transport.clone());
            return upgrade(self.service, transport, peer.line, request);
        }
        match self.places.room_to_tell(address) {
            Ok(slot) => {
                let open = self.untended();
                tell(Notice::TooMany(self.counts), open, slot, request)
            }
            Err(full) => {
                self.counts.turned_away.count();
                turned_away(full)
            }
        }
    }

    /// Answers a client of before Engine.IO 4 that wants a WebSocket: without room to tell it
    /// anything, as the engine does.
    async fn tell_old_client(&self, peer: &Peer, request: Request) -> Response {
        match self.places.room_to_tell(self.address(peer, &request)) {
            Ok(slot) => tell(Notice::OldClient, self.untended(), slot, request),
            Err(_) => self.engine(plain(request)).await,
        }
    }

    /// Opens a session that begins with polling.
    async fn handshake(&self, transport: &Transport, request: Request) -> Response {
        let response = self.engine(request).await;
        if !response.status().is_success() {
            return response;
        }
        let mut open = None;
        let response = read(response, |answer| open = Open::correct(answer)).await;
        let Some((packet, sid)) = open.and_then(|open| Some((open.packet()?, open.sid))) else {
            return response;
        };
        // The name by which later polls and the upgrade speak of the session.
        transport.named(sid.clone());
        if !transport.over_limit() {
            self.answer_first_ping(&sid).await;
        }
        ([(CONTENT_TYPE, TEXT)], packet).into_response()
    }

    /// The engine pings a session at once, and then when its interval has passed. Clients expect
    /// the second of these first, and may not have told anybody yet that they poll.
    async fn answer_first_ping(&self, sid: &str) {
        let session = format!("{PATH}/?EIO=4&transport=polling&sid={sid}");
        let Ok(session) = session.parse() else {
            return;
        };
        let mut poll = Request::new(Body::empty());
        *poll.uri_mut() = session;
        let pong = posting(&poll, PONG.into());
        // Nobody else knows the session, so that nothing else can be in this answer.
        self.engine(poll).await;
        self.engine(pong).await;
    }

    /// Answers a poll: as the engine does, and with the end of the session once that has come.
    async fn poll(&self, transport: &Transport, request: Request) -> Response {
        // The close packet of the client's side lets the session go.
        let close = posting(&request, CLOSE.into());
        let response = tokio::select! {
            biased;
            // First: what waits, such as a refusal, is what the end is about.
            response = self.engine(request) => response,
            () = transport.ended() => {
                self.engine(close).await;
                return ([(CONTENT_TYPE, TEXT)], CLOSE).into_response();
            }
        };
        if !response.status().is_success() {
            return response;
        }
        let mut packets = Vec::new();
        let mut is_empty = false;
        let response = read(response, |answer| {
            is_empty = answer.is_empty();
            // Only messages are in the account. Whoever polls a session that has a WebSocket gets
            // none, and with each of them would have the next one seem to be fetched.
            let messages = answer.split(|&byte| byte == SEPARATOR);
            let messages = messages.filter(|packet| packet.first() == Some(&MESSAGE));
            transport.backlog.polled(messages.count());
            if transport.is_ending() {
                packets.extend_from_slice(answer);
            }
        })
        .await;
        if is_empty {
            // The engine has given the session up, and says nothing: a client takes that for a
            // packet that it cannot read.
            return ([(CONTENT_TYPE, TEXT)], CLOSE).into_response();
        }
        if packets.is_empty() {
            return response;
        }
        self.engine(close).await;
        packets.push(SEPARATOR);
        packets.extend_from_slice(CLOSE.as_bytes());
        ([(CONTENT_TYPE, TEXT)], packets).into_response()
    }

    /// Hands what the client posts to the engine, packet by packet, as far as it may pass.
    async fn post(&self, transport: &Arc<Transport>, request: Request) -> Response {
        // A client that posts twice at once does not know in which order it is heard.
        let Some(_turn) = transport.take_turn() else {
            transport.end();
            return overlap();
        };
        let (parts, body) = request.into_parts();
        let head = Request::from_parts(parts, Body::empty());
        let body = match Limited::new(body, INBOUND_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                transport.end();
                let (status, reason) = match error.is::<LengthLimitError>() {
                    true => (StatusCode::PAYLOAD_TOO_LARGE, "the packets are too large"),
                    false => (StatusCode::BAD_REQUEST, "the packets did not come whole"),
                };
                return (status, reason).into_response();
            }
        };
        let mut deadline = Instant::now() + CONNECT_TIMEOUT;
        let mut passed = Vec::new();
        let mut leaves = false;
        let mut packets = body.split(|&byte| byte == SEPARATOR);
        while let Some(packet) = packets.next() {
            loop {
                let beginning = &packet[..packet.len().min(Inbound::PREFIX)];
                match transport.hear(beginning, false) {
                    Heard::Ignore => break,
                    Heard::Pass | Heard::Last => {
                        if matches!(Inbound::read(beginning), Inbound::Connect(_)) {
                            // Many conversations and a long way: as long as each finds its room
                            // in time, there is no end to them but their number.
                            deadline = Instant::now() + CONNECT_TIMEOUT;
                        }
                        if !passed.is_empty() {
                            passed.push(SEPARATOR);
                        }
                        passed.extend_from_slice(packet);
                        leaves |= packet == CLOSE.as_bytes();
                        break;
                    }
                    Heard::Wait if Instant::now() >= deadline => {
                        transport.end();
                        return too_much();
                    }
                    Heard::Wait => {
                        if !passed.is_empty() {
                            let batch = std::mem::take(&mut passed);
                            let response = self.engine(posting(&head, batch.into())).await;
                            if !response.status().is_success() {
                                return response;
                            }
                        }
                        let rest = iter::once(packet).chain(packets.clone());
                        match transport.held.keep(rest) {
                            Hold::Kept => return taken(),
                            Hold::TooMuch => {
                                transport.end();
                                return too_much();
                            }
                            Hold::NotNow => {}
                        }
                        sleep(super::guard::PAUSE).await;
                    }
                }
            }
        }
        if passed.is_empty() && !body.is_empty() {
            return taken();
        }
        let response = self.engine(posting(&head, passed.into())).await;
        if leaves {
            transport.left();
        }
        response
    }
}

/// What carries Engine.IO's packets in an HTTP body.
const TEXT: &str = "text/plain; charset=UTF-8";

/// Shows the engine's answer, which it has made as a whole, to `look`, and passes it on.
async fn read(response: Response, look: impl FnOnce(&[u8])) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = body.to_bytes();
    look(&body);
    Response::from_parts(parts, Body::from(body))
}

/// How a packet begins that carries a message.
const MESSAGE: u8 = b'4';

/// Engine.IO's CLOSE packet.
const CLOSE: &str = "1";

/// Its PONG packet.
const PONG: &str = "3";
