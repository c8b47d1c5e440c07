//! An Engine.IO session, by WebSocket or by HTTP polling, whose reader decides when it reads
//! (<https://socket.io/docs/v4/engine-io-protocol/>).

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::plan::{PING_INTERVAL, PING_TIMEOUT};

/// A client that hears nothing for so long takes the connection for lost.
pub(crate) const SILENCE: Duration = PING_INTERVAL.saturating_add(PING_TIMEOUT);

pub(crate) enum Session {
    WebSocket(Box<WebSocketStream<TcpStream>>),
    Polling(Polling),
}

/// The connection is lost, or was never made.
#[derive(Debug)]
pub(crate) struct Lost;

impl Session {
    /// Opens a WebSocket. With a `small_buffer` the kernel takes hardly anything that is not read.
    pub(crate) async fn websocket(
        address: &str,
        query: &str,
        small_buffer: bool,
    ) -> Result<Self, Lost> {
        let socket = TcpSocket::new_v4().map_err(lost)?;
        if small_buffer {
            socket.set_recv_buffer_size(4096).map_err(lost)?;
        }
        let address_of = address.parse().map_err(lost)?;
        let stream = socket.connect(address_of).await.map_err(lost)?;
        stream.set_nodelay(true).map_err(lost)?;
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket{query}");
        let opening = tokio_tungstenite::client_async(url, stream);
        let (stream, _) = opening.await.map_err(lost)?;
        let mut session = Self::WebSocket(Box::new(stream));
        match session.next().await {
            Some(open) if open.starts_with('0') => Ok(session),
            _ => Err(Lost),
        }
    }

    pub(crate) async fn polling(address: &str, query: &str) -> Result<Self, Lost> {
        let url = format!("http://{address}/socket.io/?EIO=4&transport=polling");
        let open = get(format!("{url}{query}")).await?;
        let open = open.strip_prefix('0').ok_or(Lost)?;
        let open: Open = serde_json::from_str(open).map_err(lost)?;
        Ok(Self::Polling(Polling {
            url: format!("{url}&sid={}", open.sid),
            poll: None,
            packets: VecDeque::new(),
        }))
    }

    /// The next packet; `None` when the session has ended. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) -> Option<String> {
        match self {
            Self::WebSocket(stream) => loop {
                match stream.next().await? {
                    Ok(Message::Text(text)) => return Some(text.to_string()),
                    Ok(Message::Close(_)) | Err(_) => return None,
                    Ok(_) => {}
                }
            },
            Self::Polling(polling) => polling.next().await,
        }
    }

    pub(crate) async fn send(&mut self, packet: String) -> Result<(), Lost> {
        match self {
            Self::WebSocket(stream) => stream.send(Message::text(packet)).await.map_err(lost),
            Self::Polling(polling) => {
                let request = HTTP.post(&polling.url).body(packet).timeout(SILENCE);
                let mut response = pin!(request.send());
                loop {
                    // A client polls all the time: what is asked for may have to wait for that.
                    let response = tokio::select! {
                        response = &mut response => response.map_err(lost)?,
                        polled = polling.poll() => {
                            polled?;
                            continue;
                        }
                    };
                    return match response.status().is_success() {
                        true => Ok(()),
                        false => Err(Lost),
                    };
                }
            }
        }
    }
}

/// A session by HTTP polling.
pub(crate) struct Polling {
    url: String,
    /// The request that is waiting. It outlives a reader that turns to something else.
    poll: Option<BoxFuture<'static, Result<String, Lost>>>,
    packets: VecDeque<String>,
}

#[derive(Deserialize)]
struct Open {
    sid: String,
}

impl Polling {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(packet) = self.packets.pop_front() {
                return Some(packet);
            }
            self.poll().await.ok()?;
        }
    }

    /// Waits for the answer to a poll. Nothing is lost when this is dropped.
    async fn poll(&mut self) -> Result<(), Lost> {
        let url = &self.url;
        let poll = self.poll.get_or_insert_with(|| get(url.clone()).boxed());
        let payload = poll.await;
        self.poll = None;
        let packets = payload?;
        self.packets
            .extend(packets.split('\x1e').map(str::to_owned));
        Ok(())
    }
}

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(crate::harness::http);

async fn get(url: String) -> Result<String, Lost> {
    // The heartbeat ends a poll long before.
    let request = HTTP.get(url).timeout(2 * SILENCE);
    let response = request.send().await.map_err(lost)?;
    if !response.status().is_success() {
        return Err(Lost);
    }
    response.text().await.map_err(lost)
}

fn lost<E>(_: E) -> Lost {
    Lost
}
