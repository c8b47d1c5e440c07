//! WebSockets that carry no session: a client is told something where it listens, and sent away.
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
use crate::net::Slot;

/// What there is to be told.
pub(super) enum Notice<P> {
    /// That there are too many, to each CONNECT.
    TooMany(P),
    /// That the client is too old.
    OldClient,
}

/// How long a client may take to ask for something.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long it may go on once it has been told.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How long it may take to hang up when it has been sent away.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How many of its namespaces' CONNECTs are answered.
const MOST: usize = 16;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Answers the request, and has its WebSocket tell the client, for which it has the slot.
pub(super) fn tell<P: Protocol>(
    notice: Notice<P>,
    open: Open,
    slot: Slot,
    mut request: Request,
) -> Response {
    let (upgrade, response) = match switch(&mut request) {
        Ok(switched) => switched,
        Err(refusal) => return refusal.into_response(),
    };
    tokio::spawn(async move {
        let Some(mut socket) = websocket(upgrade).await else {
            return;
        };
        // Whoever does not hear it is gone.
        timeout(2 * TIMEOUT, notice.say(&mut socket, &open))
            .await
            .ok();
        hang_up(socket).await;
        drop(slot);
    });
    response
}

/// Closes a WebSocket that is one too many for its session.
pub(super) async fn close(upgrade: OnUpgrade) {
    if let Some(socket) = websocket(upgrade).await {
        hang_up(socket).await;
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

/// Says that the WebSocket is closed, and waits a little for the client to say so too: what it was
/// told before would be lost with a connection that is closed on what it still sends.
async fn hang_up(mut socket: Socket) {
    let closing = async {
        socket.close(None).await?;
        while socket.next().await.transpose()?.is_some() {}
        Ok::<_, tungstenite::Error>(())
    };
    timeout(CLOSE_TIMEOUT, closing).await.ok();
}

impl<P: Protocol> Notice<P> {
    /// Opens what looks like a session, and answers CONNECTs until the client has heard it.
    async fn say(&self, socket: &mut Socket, open: &Open) -> Result<(), tungstenite::Error> {
        if let Some(open) = open.packet() {
            socket.send(Message::text(open)).await?;
        }
        let mut until = Instant::now() + TIMEOUT;
        if let Self::OldClient = self {
            // The root namespace is open without being asked for.
            for packet in P::OLD_CLIENT {
                socket.send(Message::text(packet)).await?;
            }
            until = Instant::now() + LAST_WORDS;
        }
        let mut said = 0;
        while said < MOST
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
                said += 1;
                until = until.min(Instant::now() + LAST_WORDS);
            } else if text.as_str() == "1" {
                break;
            }
        }
        Ok(())
    }
}
