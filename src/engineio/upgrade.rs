//! From an HTTP request to a WebSocket (RFC 6455, section 4.2).
//!
//! The library would do this by itself, but then nothing could come between it and the connection.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use socketioxide::service::SocketIoService;
use tower::Service as _;
use tracing::debug;
use tungstenite::handshake::derive_accept_key;

use super::frame_filter::FrameFilter;
use super::notice;
use super::protocol::Protocol;
use super::service::handshake;
use super::session::Session;
use crate::net::{Connection, Corked};

/// Answers the request, and has `service` serve the session over what becomes of its connection.
/// `is_upgrade`: the session polls until now.
pub(super) fn upgrade<P: Protocol>(
    mut service: SocketIoService<Router>,
    session: Arc<Session<P>>,
    is_upgrade: bool,
    mut request: Request,
) -> Response {
    let (upgrade, mut response) = match switch(&mut request) {
        Ok(switched) => switched,
        Err(error) => return error.into_response(),
    };
    if !session.attach() {
        // As the protocol has it (<https://socket.io/docs/v4/engine-io-protocol/#websocket>).
        tokio::spawn(notice::close(upgrade));
        return response;
    }
    if !is_upgrade {
        // The library's OPEN packet follows at once.
        response.extensions_mut().insert(Corked);
    }
    let request = handshake(&request, (), session.clone());
    tokio::spawn(async move {
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => {
                debug!(%error, "a WebSocket did not come about");
                return session.over();
            }
        };
        // It is what the server has put there.
        let Ok(parts) = upgraded.downcast::<TokioIo<Connection>>() else {
            return session.over();
        };
        let (connection, answer) = parts.io.into_inner().upgrade();
        let connection = Arc::new(connection);
        session.connect(connection.clone(), is_upgrade, &answer);
        // The library's task has room for several of it, one for each step that it takes.
        let stream = Box::new(FrameFilter::new(session, connection, parts.read_buf));
        if let Err(error) = service.call((stream, request)).await {
            debug!(%error, "not a session");
        }
    });
    response
}

/// Has a request's connection become a WebSocket, if that is what it asks for, and how to answer.
pub(super) fn switch(request: &mut Request) -> Result<(OnUpgrade, Response), UpgradeError> {
    // Below HTTP/1.1 there is no upgrade (RFC 6455, section 4.2.1): nginx speaks 1.0 unless
    // configured otherwise, and a session that polls through it is to go on polling.
    if request.version() < Version::HTTP_11 {
        return Err(no_websocket());
    }
    let accept = accept(request.headers())?;
    let headers = [
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ];
    let response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
    Ok((hyper::upgrade::on(request), response))
}

/// Why a request's connection does not become a WebSocket.
pub(super) type UpgradeError = (StatusCode, [(HeaderName, &'static str); 1], &'static str);

fn no_websocket() -> UpgradeError {
    let upgrade = [(UPGRADE, "websocket")];
    let reason = "this transport needs a WebSocket";
    (StatusCode::UPGRADE_REQUIRED, upgrade, reason)
}

/// The answer to the client's key.
fn accept(headers: &HeaderMap) -> Result<HeaderValue, UpgradeError> {
    let named = |name, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    if !named(UPGRADE, "websocket") || !named(CONNECTION, "upgrade") {
        return Err(no_websocket());
    }
    if !named(SEC_WEBSOCKET_VERSION, "13") {
        let version = [(SEC_WEBSOCKET_VERSION, "13")];
        let reason = "sec-websocket-version must be 13";
        return Err((StatusCode::UPGRADE_REQUIRED, version, reason));
    }
    headers
        .get(SEC_WEBSOCKET_KEY)
        .and_then(|key| derive_accept_key(key.as_bytes()).parse().ok())
        .ok_or((
            StatusCode::BAD_REQUEST,
            [(SEC_WEBSOCKET_VERSION, "13")],
            "sec-websocket-key is missing",
        ))
}
