//! Requests to the library: how they are read, and how they are rewritten for it.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method};
use hyper::upgrade::OnUpgrade;

use super::TEXT;

/// What a request asks of Engine.IO.
pub(super) struct Asked {
    pub(super) sid: Option<String>,
    pub(super) websocket: bool,
    /// Whether it speaks the protocol's version 4, the only one that is served.
    pub(super) version: bool,
    /// How a client of before that version would have its session carried.
    pub(super) old_client: Option<TransportKind>,
}

/// What carries a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransportKind {
    Polling,
    WebSocket,
}

impl Asked {
    /// Reads the query as the library does, so that nothing passes for one here and for another
    /// there: the first of its name counts, and nothing is unescaped.
    pub(super) fn of(query: &str) -> Self {
        let value = |name: &str| {
            let part = query.split('&').find(|part| part.starts_with(name))?;
            part.split('=').nth(1)
        };
        let sid = query.split('&').find_map(|part| part.strip_prefix("sid="));
        let version = value("EIO=");
        let old_client = match (version, value("transport=")) {
            // Its polls have a time in them. Another client reads the library's answer.
            (Some("3"), Some("polling")) => value("t=").map(|_| TransportKind::Polling),
            (Some("3"), Some("websocket")) => Some(TransportKind::WebSocket),
            _ => None,
        };
        Self {
            sid: sid.map(str::to_owned),
            websocket: value("transport=") == Some("websocket"),
            version: version == Some("4"),
            old_client,
        }
    }
}

/// Without the means for the library to make it a WebSocket past the filter.
pub(super) fn plain(mut request: Request) -> Request {
    request.extensions_mut().remove::<OnUpgrade>();
    request
}

/// A request that posts packets to the session that `request` speaks of.
pub(super) fn posting(request: &Request, packets: Body) -> Request {
    let mut post = Request::new(packets);
    *post.method_mut() = Method::POST;
    *post.uri_mut() = request.uri().clone();
    post.headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    post
}

/// As which the library gets the request of a handshake, or of an upgrade, and keeps it for as long as
/// the session: each part of a request keeps all of the 16 KiB buffer that it was read into, and
/// nothing but the query and what is `kept` is asked for later.
pub(in crate::engineio) fn handshake<T, K>(
    request: &Request,
    body: T,
    kept: K,
) -> axum::http::Request<T>
where
    K: Clone + Send + Sync + 'static,
{
    let mut handshake = axum::http::Request::new(body);
    // It was read from there.
    if let Ok(uri) = request.uri().to_string().parse() {
        *handshake.uri_mut() = uri;
    }
    handshake.extensions_mut().insert(kept);
    handshake
}
