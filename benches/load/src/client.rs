//! One socket: Engine.IO v4 and Socket.IO v5 over a WebSocket, as far as an agent needs them.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use mio::net::TcpStream;

use crate::agent::Agent;
use crate::frames;
use crate::mark::Mark;
use crate::receipts::Receipts;

/// A socket on its way into a room, or in it.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) receipts: Receipts,
    pub(crate) agent: Agent,
    pub(crate) began: Instant,
    stage: Stage,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
}

/// What the client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The TCP connection.
    Connection,
    /// The answer to its HTTP request.
    Upgrade,
    /// Engine.IO's OPEN, then `joined`.
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
const JOINED: &[u8] = br#"42["joined","#;

impl Client {
    /// Begins to connect.
    pub(crate) fn begin(address: SocketAddr, agent: Agent) -> anyhow::Result<Self> {
        Ok(Self {
            stream: TcpStream::connect(address).context("no connection to the server")?,
            receipts: Receipts::default(),
            agent,
            began: Instant::now(),
            stage: Stage::Connection,
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
        self.stage = Stage::Upgrade;
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
            let bytes = &buffer[..kept + read];
            let taken = self.take(bytes, &mut tell)?;
            self.rest.extend_from_slice(&bytes[taken..]);
            // Less than there was room for is all that there was: epoll tells of what comes next.
            if kept + read < buffer.len() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes all whole frames, and says how many bytes they were.
    fn take(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(&mut Self, Happened) -> anyhow::Result<()>,
    ) -> anyhow::Result<usize> {
        let mut taken = 0;
        if self.stage == Stage::Upgrade {
            const END: &[u8] = b"\r\n\r\n";
            let Some(end) = bytes.windows(END.len()).position(|window| window == END) else {
                return Ok(0);
            };
            let head = String::from_utf8_lossy(&bytes[..end]);
            ensure!(
                head.starts_with("HTTP/1.1 101 "),
                "no WebSocket, but: {head}"
            );
            taken = end + END.len();
            self.stage = Stage::Joined;
        }
        while self.stage != Stage::Closed
            && let Some(frame) = frames::first(&bytes[taken..])?
        {
            taken += frame.length;
            match frame.opcode {
                frames::TEXT => self.heed(frame.payload, tell)?,
                frames::CLOSE => self.close(tell)?,
                opcode => bail!("a frame with opcode {opcode}"),
            }
        }
        Ok(taken)
    }

    /// Heeds one Engine.IO packet.
    fn heed(
        &mut self,
        packet: &[u8],
        tell: &mut impl FnMut(&mut Self, Happened) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if packet.starts_with(MESSAGE) {
            let mark = Mark::find(packet, MESSAGE.len()).context("a message without a mark")?;
            return tell(self, Happened::Message(mark));
        }
        match packet {
            // OPEN, PING, CONNECT_ERROR, DISCONNECT; what else there is, an agent needs not answer.
            [b'0', ..] => self.send(&frames::text(&self.agent.connect)),
            b"2" => self.send(&frames::text("3")),
            [b'4', b'4', ..] => bail!("refused: {}", String::from_utf8_lossy(packet)),
            [b'4', b'1', ..] => self.close(tell),
            _ if packet.starts_with(JOINED) && self.stage == Stage::Joined => {
                self.stage = Stage::Events;
                tell(self, Happened::Joined)
            }
            _ => Ok(()),
        }
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
