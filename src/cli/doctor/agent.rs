//! An agent in one conversation: as much of Socket.IO 5 over Engine.IO 4 as that takes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Upgraded;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tungstenite::Message;

use super::http::Gateway;
use crate::conversation::ConversationKey;

/// How long `joined` may take.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The types of Engine.IO's packets, and of those of Socket.IO within a message.
const OPEN: char = '0';
const PING: &str = "2";
const PONG: &str = "3";
const CONNECTED: &str = "40";
const DISCONNECTED: &str = "41";
const EVENT: &str = "42";
const REFUSED: &str = "44";

/// An agent.
pub(super) struct Agent {
    socket: WebSocketStream<Upgraded>,
}

impl Agent {
    /// Opens a session.
    pub(super) async fn open(gateway: &Gateway, key: &ConversationKey) -> anyhow::Result<Self> {
        let query = [
            ("tenantId", key.tenant.as_str()),
            ("conversationId", key.conversation.as_str()),
        ];
        let socket = gateway.websocket(&query).await?;
        let mut agent = Self { socket };
        let open = timeout(JOIN_TIMEOUT, agent.packet()).await;
        let open = open.context("Engine.IO does not open a session in time")??;
        match open.starts_with(OPEN) {
            true => Ok(agent),
            false => bail!("what answers does not speak Engine.IO 4"),
        }
    }

    /// Joins the conversation, without what is in its window; with what `joined` calls that.
    pub(super) async fn join(&mut self, token: &str) -> anyhow::Result<String> {
        let auth = json!({"token": token, "replay": false});
        let joining = async {
            self.send(format!("{CONNECTED}{auth}")).await?;
            let (name, data) = self.event().await?;
            match (&*name, data["resume"].as_str()) {
                ("joined", Some(resume)) => Ok(resume.to_owned()),
                _ => Err(anyhow!("the first event is {name}, not joined")),
            }
        };
        let joined = timeout(JOIN_TIMEOUT, joining).await;
        joined.context("the gateway does not say joined in time")?
    }

    /// Waits for a message, and tells when it came.
    pub(super) async fn receives(&mut self, message_id: &str) -> anyhow::Result<Instant> {
        loop {
            let (name, data) = self.event().await?;
            if name == "inbound_message" && data["messageId"] == message_id {
                return Ok(Instant::now());
            }
        }
    }

    /// Leaves.
    pub(super) async fn close(mut self) {
        self.socket.close(None).await.ok();
    }

    /// The next event's name and first argument.
    async fn event(&mut self) -> anyhow::Result<(String, Value)> {
        loop {
            let packet = self.packet().await?;
            if let Some(arguments) = packet.strip_prefix(EVENT) {
                let arguments: Vec<Value> = serde_json::from_str(arguments).context("an event")?;
                let mut arguments = arguments.into_iter();
                let name = arguments.next().unwrap_or_default();
                let name = name.as_str().unwrap_or_default().to_owned();
                return Ok((name, arguments.next().unwrap_or_default()));
            }
            if let Some(refusal) = packet.strip_prefix(REFUSED) {
                let refusal: Value = serde_json::from_str(refusal).unwrap_or_default();
                let message = refusal["message"].as_str().unwrap_or("no reason");
                bail!("refused with \"{message}\": {}", remedy(message));
            }
            if packet.starts_with(DISCONNECTED) {
                bail!("the gateway has ended the agent's session");
            }
        }
    }

    /// The next packet that is no ping.
    async fn packet(&mut self) -> anyhow::Result<String> {
        loop {
            let message = self
                .socket
                .next()
                .await
                .context("the gateway has hung up")?;
            match message.context("the WebSocket was lost")? {
                Message::Text(text) if text.as_str() == PING => self.send(PONG.to_owned()).await?,
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(_) => bail!("the gateway has closed the WebSocket"),
                _ => {}
            }
        }
    }

    async fn send(&mut self, packet: String) -> anyhow::Result<()> {
        let sent = self.socket.send(Message::text(packet)).await;
        sent.context("the WebSocket was lost")
    }
}

/// What to do about a refused connect.
fn remedy(message: &str) -> &'static str {
    match message {
        "Invalid token" => {
            "the gateway checks tokens otherwise than JWT_SECRET, JWT_ISSUER, JWT_AUDIENCE and \
             JWT_TENANT_CLAIM say here, and its log says how; --token takes one of its own"
        }
        "Token expired" => "get a new one, and compare the clocks of the two machines",
        "Forbidden" => "--tenant must be the token's, which must grant this conversation",
        "Too many connections" => "a limit, MAX_CONNECTIONS and those like it",
        "Service unavailable" => "its auth service or key set cannot be reached, or it shuts down",
        _ => "what answers may be another program",
    }
}
