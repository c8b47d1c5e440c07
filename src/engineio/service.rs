//! Engine.IO requests: each session is registered here before the library knows it, and its polls,
//! posts and upgrades pass through here.

mod answers;
mod post;
mod request;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use socketioxide::service::SocketIoService;
use tower::ServiceExt as _;

use super::PATH;
use super::notice::{self, Notice};
use super::open::Open;
use super::protocol::Protocol;
use super::registration::{Registration, Registrations};
use super::session::Session;
use super::sessions::Sessions;
use super::upgrade::upgrade;
use crate::net::{Peer, client_address};
use answers::{limit_exceeded, numbered, old_client, unknown};
pub(super) use request::handshake;
use request::{Asked, TransportKind, plain, posting};

/// The Engine.IO server: the library, and what is known of sessions before it knows them.
pub struct EngineIoService<P: Protocol> {
    /// The library.
    pub service: SocketIoService<Router>,
    /// All sessions.
    pub sessions: Arc<Sessions<P>>,
    /// How many there may be.
    pub registrations: Registrations,
    /// How many proxies there are in front.
    pub proxies: usize,
    /// What clients are promised.
    pub ping_interval: Duration,
    /// The same.
    pub ping_timeout: Duration,
    /// Makes the state of the protocol above for a new session.
    pub protocol: Box<dyn Fn() -> P + Send + Sync>,
}

impl<P: Protocol> EngineIoService<P> {
    /// Answers a request of the client at `peer`.
    pub async fn answer(&self, peer: Peer, request: Request) -> Response {
        let asked = Asked::of(request.uri().query().unwrap_or_default());
        let websocket = asked.websocket && asked.version && request.method() == Method::GET;
        let Some(sid) = &asked.sid else {
            // The library begins a session with nothing else.
            if request.method() != Method::GET {
                return self.library(plain(request)).await;
            }
            match asked.old_client {
                Some(TransportKind::Polling) => return old_client::<P>(self.without_session()),
                Some(TransportKind::WebSocket) => {
                    return self.reject_old_client(peer, request).await;
                }
                None => {}
            }
            let address = client_address(peer.address.ip(), request.headers(), self.proxies);
            if websocket {
                return self.websocket(address, request);
            }
            let session = match self.registrations.register(address) {
                Ok(registration) => self.open(registration),
                Err(exceeded) => return limit_exceeded(exceeded),
            };
            let request = handshake(&request, Body::empty(), session.clone());
            return self.handshake(&session, request).await;
        };
        let Some(session) = self.sessions.find(sid) else {
            // The library would first promise a WebSocket, and then look for its session.
            if websocket {
                return unknown();
            }
            return self.library(plain(request)).await;
        };
        match *request.method() {
            Method::GET if websocket => upgrade(self.service.clone(), session, true, request),
            Method::GET => self.poll(&session, plain(request)).await,
            Method::POST => self.post(&session, request).await,
            _ => self.library(plain(request)).await,
        }
    }

    async fn library(&self, request: Request) -> Response {
        match self.service.clone().oneshot(request).await {
            Ok(response) => numbered(response.map(Body::new)).await,
            Err(never) => match never {},
        }
    }

    fn open(&self, registration: Registration) -> Arc<Session<P>> {
        self.sessions.open(registration, (self.protocol)())
    }

    fn without_session(&self) -> Open {
        Open::without_session(self.ping_interval, self.ping_timeout)
    }

    /// Opens a session that begins with a WebSocket, or sends the notice that there are too many over
    /// it.
    fn websocket(&self, address: IpAddr, request: Request) -> Response {
        if let Ok(registration) = self.registrations.admit(address) {
            let session = self.open(registration);
            return upgrade(self.service.clone(), session, false, request);
        }
        match self.registrations.permit_notice(address) {
            Ok(permit) => {
                let notice = Notice::TooMany((self.protocol)());
                notice::send(notice, self.without_session(), permit, request)
            }
            Err(exceeded) => {
                self.registrations.turned_away();
                limit_exceeded(exceeded)
            }
        }
    }

    /// Answers a client of before Engine.IO 4 that wants a WebSocket: without a permit for the
    /// notice, as the library does.
    async fn reject_old_client(&self, peer: Peer, request: Request) -> Response {
        let address = client_address(peer.address.ip(), request.headers(), self.proxies);
        match self.registrations.permit_notice(address) {
            Ok(permit) => notice::send(
                Notice::<P>::OldClient,
                self.without_session(),
                permit,
                request,
            ),
            Err(_) => self.library(plain(request)).await,
        }
    }

    /// Opens a session that begins with polling.
    async fn handshake(&self, session: &Session<P>, request: Request) -> Response {
        let response = self.library(request).await;
        if !response.status().is_success() {
            return response;
        }
        let (response, answer) = read(response).await;
        let open = Open::correct(&answer);
        let Some((packet, sid)) = open.and_then(|open| Some((open.packet()?, open.sid))) else {
            return response;
        };
        // The name by which later polls and the upgrade speak of the session.
        session.named(sid.clone());
        if !session.is_over_limit() {
            self.answer_first_ping(&sid).await;
        }
        ([(CONTENT_TYPE, TEXT)], packet).into_response()
    }

    /// The library pings a session at once, and then when its interval has passed. Clients expect
    /// the second of these first, and may not be ready for the first yet.
    async fn answer_first_ping(&self, sid: &str) {
        let session = format!("{PATH}/?EIO=4&transport=polling&sid={sid}");
        let Ok(session) = session.parse() else {
            return;
        };
        let mut poll = Request::new(Body::empty());
        *poll.uri_mut() = session;
        let pong = posting(&poll, PONG.into());
        // Nobody else knows the session, so that nothing else can be in this answer.
        self.library(poll).await;
        self.library(pong).await;
    }

    /// Answers a poll: as the library does, and with the end of the session once that has come.
    async fn poll(&self, session: &Arc<Session<P>>, request: Request) -> Response {
        // The close packet of the client's side lets the session go.
        let close = posting(&request, CLOSE.into());
        let response = tokio::select! {
            biased;
            // First: what waits, such as a refusal, is what the end is about.
            response = self.library(request) => response,
            () = session.wait_for(|| session.is_ending()) => {
                self.library(close).await;
                return ([(CONTENT_TYPE, TEXT)], CLOSE).into_response();
            }
        };
        if !response.status().is_success() {
            return response;
        }
        let (response, answer) = read(response).await;
        if answer.is_empty() {
            // The library has given the session up, and says nothing: a client takes that for a
            // packet that it cannot read.
            return ([(CONTENT_TYPE, TEXT)], CLOSE).into_response();
        }
        for packet in answer.split(|&byte| byte == SEPARATOR) {
            session.outbound(packet);
        }
        if !session.is_ending() {
            return response;
        }
        self.library(close).await;
        let mut packets = answer.to_vec();
        packets.push(SEPARATOR);
        packets.extend_from_slice(CLOSE.as_bytes());
        ([(CONTENT_TYPE, TEXT)], packets).into_response()
    }
}

/// What carries Engine.IO's packets in an HTTP body.
const TEXT: &str = "text/plain; charset=UTF-8";

/// Between the packets of a payload
/// (<https://socket.io/docs/v4/engine-io-protocol/#http-long-polling-1>).
const SEPARATOR: u8 = 0x1e;

/// The library's answer, which it has made as a whole, and its body.
async fn read(response: Response) -> (Response, Bytes) {
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    (Response::from_parts(parts, Body::from(body.clone())), body)
}

/// Engine.IO's CLOSE packet.
const CLOSE: &str = "1";

/// Its PONG packet.
const PONG: &str = "3";
