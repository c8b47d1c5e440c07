//! One socket: Engine.IO v4 and Socket.IO v5 over a WebSocket, as far as an agent needs them.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use engineio_client::Decoder;
use engineio_client::frame::{self, Opcode};
use engineio_client::packet::{EngineType, PONG, Packet, SocketType};
use mio::net::TcpStream;

use crate::agent::Agent;
use crate::mark::Mark;
use crate::receipts::Receipts;

/// A socket on its way into a room, or in it.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) receipts: Receipts,
    pub(crate) agent: Agent,
    pub(crate) began: Instant,
    stage: Stage,
    decoder: Decoder,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
}

/// What the client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The TCP connection.
    Connection,
    /// The answer to its HTTP request, Engine.IO's OPEN, then `joined`.
    Joined,
    /// Events.
    Events,
    /// Nothing: the server has closed the connection.
    Closed,
}

/// What has happened to a client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happened {
    /// It is in its room.
    Joined,
    /// It has this message.
    Message(Mark),
    /// The server has closed the connection.
    Closed,
}

/// Begins every message of a room; the payload follows.
const MESSAGE: &[u8] = br#"42["inbound_message","#;
/// Begins what an event of this name carries.
const JOINED: &str = r#"["joined","#;

impl Client {
    /// Begins to connect.
    pub(crate) fn begin(address: SocketAddr, agent: Agent) -> anyhow::Result<Self> {
        Ok(Self {
            stream: TcpStream::connect(address).context("no connection to the server")?,
            receipts: Receipts::default(),
            agent,
            began: Instant::now(),
            stage: Stage::Connection,
            decoder: Decoder::default(),
            rest: Vec::new(),
        })
    }

    /// Sends its request if the TCP connection has come about: `true` once.
    pub(crate) fn connected(&mut self) -> anyhow::Result<bool> {
        if self.stage != Stage::Connection {
            return Ok(false);
        }
        if let Some(error) = self.stream.take_error()? {
            return Err(error).context("the server refuses a connection");
        }
        self.stream.set_nodelay(true)?;
        self.send(self.agent.request.as_bytes())?;
        self.stage = Stage::Joined;
        Ok(true)
    }

    /// Reads what there is, by way of `buffer`, which all clients share.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        mut tell: impl FnMut(&mut Self, Happened) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        while self.stage != Stage::Closed {
            let kept = self.rest.len();
            let read = match self.stream.read(&mut buffer[kept..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            if read == 0 {
                return self.close(&mut tell);
            }
            buffer[..kept].copy_from_slice(&self.rest);
            self.rest.clear();
            let mut bytes = &buffer[..kept + read];
            self.take(&mut bytes, &mut tell)?;
            self.rest.extend_from_slice(bytes);
            // Less than there was room for is all that there was: epoll tells of what comes next.
            if kept + read < buffer.len() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes all whole frames off the beginning of `bytes`.
    fn take(
        &mut self,
        bytes: &mut &[u8],
        tell: &mut impl FnMut(&mut Self, Happened) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        while self.stage != Stage::Closed
            && let Some(frame) = self.decoder.next(bytes)?
        {
            match frame.opcode {
                Opcode::Text => self.handle(frame.payload, tell)?,
                Opcode::Close => self.close(tell)?,
                opcode => bail!("a frame of the kind {opcode:?}"),
            }
        }
        Ok(())
    }

    /// Handles one Engine.IO packet.
    fn handle(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(&mut Self, Happened) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        // Nearly all are messages, which are not looked at any further.
        if bytes.starts_with(MESSAGE) {
            let mark = Mark::find(bytes, MESSAGE.len()).context("a message without a mark")?;
            return tell(self, Happened::Message(mark));
        }
        match EngineType::of(bytes) {
            Some(EngineType::Open) => self.send(&frame::text(&self.agent.connect)),
            Some(EngineType::Ping) => self.send(&frame::text(PONG)),
            Some(EngineType::Close) => self.close(tell),
            Some(EngineType::Message) => {
                let packet = Packet::parse(str::from_utf8(bytes)?).context("an unknown packet")?;
                match packet.kind {
                    SocketType::ConnectError => bail!("refused: {}", packet.data),
                    SocketType::Disconnect => self.close(tell),
                    SocketType::Event if packet.data.starts_with(JOINED) => self.joined(tell),
                    _ => Ok(()),
                }
            }
            // What else there is, an agent needs not answer.
            _ => Ok(()),
        }
    }

    fn joined(
        &mut self,
        tell: &mut impl FnMut(&mut Self, Happened) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.stage != Stage::Joined {
            return Ok(());
        }
        self.stage = Stage::Events;
        tell(self, Happened::Joined)
    }

    fn close(
        &mut self,
        tell: &mut impl FnMut(&mut Self, Happened) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        ensure!(
            self.stage == Stage::Events,
            "the server has closed a connection before its agent had joined"
        );
        self.stage = Stage::Closed;
        tell(self, Happened::Closed)
    }

    /// Sends a few bytes; there is always room for them.
    fn send(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let sent = (&self.stream)
            .write(bytes)
            .context("the server takes nothing")?;
        ensure!(sent == bytes.len(), "the server takes only a part");
        Ok(())
    }
}
