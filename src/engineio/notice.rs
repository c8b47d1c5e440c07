//! WebSockets without a session: a client gets a notice where it listens, and is disconnected.
//!
//! The official client does not show what an HTTP error says, only that there was one. What it
//! shows takes an Engine.IO handshake before it, but no session: that would cost what the limits
//! are there to save.

use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tungstenite::Message;
use tungstenite::protocol::{Role, WebSocketConfig};

use super::INBOUND_LIMIT;
use super::open::Open;
use super::protocol::Protocol;
use super::upgrade::switch;
use crate::net::Permit;

/// What the client has to know.
pub(super) enum Notice<P> {
    /// There are too many sessions; the answer to each CONNECT.
    TooMany(P),
    /// The client is too old.
    OldClient,
}

/// How long a client may take to ask for something.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long its other CONNECTs are awaited once it has the notice.
const GRACE: Duration = Duration::from_millis(100);

/// How long it may take to close in turn.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How many of its namespaces' CONNECTs are answered.
const MAX_CONNECTS: usize = 16;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Answers the request, and sends the notice over its WebSocket, which holds the permit.
pub(super) fn send<P: Protocol>(
    notice: Notice<P>,
    open: Open,
    permit: Permit,
    mut request: Request,
) -> Response {
    let (upgrade, response) = match switch(&mut request) {
        Ok(switched) => switched,
        Err(error) => return error.into_response(),
    };
    tokio::spawn(async move {
        let Some(mut socket) = websocket(upgrade).await else {
            return;
        };
        // A client that does not read it is gone.
        timeout(2 * TIMEOUT, notice.write(&mut socket, &open))
            .await
            .ok();
        finish(socket).await;
        drop(permit);
    });
    response
}

/// Closes a second WebSocket of a session.
pub(super) async fn close(upgrade: OnUpgrade) {
    if let Some(socket) = websocket(upgrade).await {
        finish(socket).await;
    }
}

async fn websocket(upgrade: OnUpgrade) -> Option<Socket> {
    let stream = TokioIo::new(upgrade.await.ok()?);
    let config = WebSocketConfig::default()
        .read_buffer_size(256)
        .max_message_size(Some(INBOUND_LIMIT))
        .max_frame_size(Some(INBOUND_LIMIT));
    Some(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
}

/// Closes the WebSocket, and waits a little for the client to close in turn: what was sent before
/// would be lost with a connection that is closed while data from the client is unread.
async fn finish(mut socket: Socket) {
    let closing = async {
        socket.close(None).await?;
        while socket.next().await.transpose()?.is_some() {}
        Ok::<_, tungstenite::Error>(())
    };
    timeout(CLOSE_TIMEOUT, closing).await.ok();
}

impl<P: Protocol> Notice<P> {
    /// Opens what looks like a session, and answers CONNECTs until the client has the notice.
    async fn write(&self, socket: &mut Socket, open: &Open) -> Result<(), tungstenite::Error> {
        if let Some(open) = open.packet() {
            socket.send(Message::text(open)).await?;
        }
        let mut until = Instant::now() + TIMEOUT;
        if let Self::OldClient = self {
            // The root namespace is open without being asked for.
            for packet in P::OLD_CLIENT {
                socket.send(Message::text(packet)).await?;
            }
            until = Instant::now() + GRACE;
        }
        let mut answered = 0;
        while answered < MAX_CONNECTS
            && let Ok(Some(message)) = timeout_at(until, socket.next()).await
        {
            let Message::Text(text) = message? else {
                continue;
            };
            let answer = match self {
                Self::TooMany(protocol) => protocol.too_many(text.as_bytes()),
                Self::OldClient => P::too_old(text.as_bytes()),
            };
            if let Some(answer) = answer {
                socket.send(Message::text(answer)).await?;
                answered += 1;
                until = until.min(Instant::now() + GRACE);
            } else if text.as_str() == "1" {
                break;
            }
        }
        Ok(())
    }
}
