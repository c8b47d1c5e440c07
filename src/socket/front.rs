//! What stands in front of Engine.IO: it gives each session its place, keeps account of what carries
//! which session, of what polls have fetched, and answers the polls of sessions that are to end.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;

use super::places::Places;
use super::transport::{Transport, Transports};
use crate::net::{Full, Peer, client_address};

/// What is known of sessions before the engine knows them.
pub(super) struct Front {
    pub(super) transports: Arc<Transports>,
    pub(super) places: Places,
    /// How many proxies there are in front.
    pub(super) proxies: usize,
}

/// Stands in front of Engine.IO.
pub(super) async fn watch(
    State(front): State<Arc<Front>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if !super::serves(request.uri().path()) {
        return next.run(request).await;
    }
    let asked = Asked::of(request.uri().query().unwrap_or_default());
    let Some(sid) = asked.sid else {
        // The engine begins a session with nothing else.
        if request.method() != Method::GET {
            return next.run(request).await;
        }
        return handshake(&front, asked.websocket, peer, request, next).await;
    };
    let Some(transport) = front.transports.find(&sid) else {
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
    read(response, |answer| {
        let separators = answer.iter().filter(|&&byte| byte == SEPARATOR).count();
        transport.backlog.polled(separators + 1);
    })
    .await
}

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

/// Between the packets of an answer.
const SEPARATOR: u8 = 0x1e;

/// The engine's own limit is that of its answers as well, and those may be larger.
fn limited(request: Request) -> Request {
    request.map(|body| Body::new(Limited::new(body, super::INBOUND_LIMIT)))
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
    front: &Front,
    websocket: bool,
    peer: Peer,
    mut request: Request,
    next: Next,
) -> Response {
    let address = client_address(peer.address.ip(), request.headers(), front.proxies);
    let place = match front.places.take(address) {
        Ok(place) => place,
        Err(full) => return turned_away(full),
    };
    let transport = front.transports.open(place);
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
    read(response, |answer| {
        let open = answer.get(1..).map(serde_json::from_slice::<Open>);
        if let Some(Ok(open)) = open {
            transport.named(open.sid);
        }
    })
    .await
}

/// When to try again, in seconds: by then those who were told have left.
const AGAIN_IN: &str = "10";

/// Answers whom there is no room for, in the form of the engine's own errors; their code of a
/// request that is forbidden is the nearest.
fn turned_away(full: Full) -> Response {
    let status = match full {
        Full::All => StatusCode::SERVICE_UNAVAILABLE,
        Full::Address | Full::Rate => StatusCode::TOO_MANY_REQUESTS,
    };
    let headers = [(CONTENT_TYPE, "application/json"), (RETRY_AFTER, AGAIN_IN)];
    let body = r#"{"code":4,"message":"Too many connections"}"#;
    (status, headers, body).into_response()
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
