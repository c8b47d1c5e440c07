//! An Engine.IO session over either transport.

use tokio::net::TcpStream;

use crate::packet::EngineType;
use crate::{Error, Polling, WebSocket};

/// A session. It answers no pings: that is up to whoever reads its packets.
#[derive(Debug)]
pub enum Session {
    /// Over a WebSocket.
    WebSocket(WebSocket),
    /// Over HTTP long-polling.
    Polling(Box<Polling>),
}

impl Session {
    /// Opens a session over a WebSocket.
    ///
    /// # Errors
    /// When the server opens none.
    pub async fn websocket(stream: TcpStream, host: &str, target: &str) -> Result<Self, Error> {
        let mut socket = WebSocket::connect(stream, host, target).await?;
        let open = socket.text().await.ok_or_else(Error::ended)?;
        match EngineType::of(open.as_bytes()) {
            Some(EngineType::Open) => Ok(Self::WebSocket(socket)),
            _ => Err(Error::protocol(format!("no OPEN packet: {open}"))),
        }
    }

    /// Opens a session over HTTP long-polling.
    ///
    /// # Errors
    /// When the server opens none.
    pub async fn polling(address: &str, query: &str) -> Result<Self, Error> {
        Ok(Self::Polling(Box::new(
            Polling::open(address, query).await?,
        )))
    }

    /// The next packet; none: the session has ended, or is lost. Nothing is lost when this is dropped.
    pub async fn next(&mut self) -> Option<String> {
        match self {
            Self::WebSocket(socket) => socket.text().await,
            Self::Polling(polling) => polling.next().await.ok(),
        }
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn send(&mut self, packet: &str) -> Result<(), Error> {
        match self {
            Self::WebSocket(socket) => Ok(socket.send(packet).await?),
            Self::Polling(polling) => polling.send(packet).await,
        }
    }
}
