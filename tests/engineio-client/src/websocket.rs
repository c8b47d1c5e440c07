//! A WebSocket over Tokio.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::frame::{self, Opcode};
use crate::{Decoder, Error, WEBSOCKET, packet};

/// A WebSocket, whatever goes over it. It reads when it is asked for the next message, and not before.
#[derive(Debug)]
pub struct WebSocket {
    stream: TcpStream,
    decoder: Decoder,
    received: Vec<u8>,
    /// How many of the received bytes have been used.
    used: usize,
    unsent: Vec<u8>,
    /// How many frames have been sent.
    frames: u32,
    closed: bool,
}

/// A message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// The answer to a ping, with its payload.
    Pong(Vec<u8>),
    /// The server closes the WebSocket.
    Close,
}

/// How much is read at once, in bytes.
const READ: usize = 16 << 10;

impl WebSocket {
    /// Asks for a WebSocket over `stream`.
    ///
    /// # Errors
    /// When the server refuses it, or the connection is lost.
    pub async fn connect(stream: TcpStream, host: &str, target: &str) -> Result<Self, Error> {
        stream.set_nodelay(true)?;
        let mut socket = Self {
            stream,
            decoder: Decoder::default(),
            received: Vec::new(),
            used: 0,
            unsent: Decoder::request(host, target).into_bytes(),
            frames: 0,
            closed: false,
        };
        socket.flush().await?;
        loop {
            let mut rest = &socket.received[..];
            let accepted = socket.decoder.accept(&mut rest)?;
            socket.used = socket.received.len() - rest.len();
            if accepted {
                return Ok(socket);
            }
            socket.read().await?;
        }
    }

    /// Has a session that polls go on over a WebSocket: probes it, and sends the upgrade packet.
    ///
    /// # Errors
    /// When the server refuses it, or the connection is lost.
    pub async fn upgrade(stream: TcpStream, host: &str, sid: &str) -> Result<Self, Error> {
        let target = format!("{WEBSOCKET}&sid={sid}");
        let mut socket = Self::connect(stream, host, &target).await?;
        socket.send(packet::PROBE).await?;
        match socket.text().await {
            Some(answer) if answer == packet::PROBE_ANSWER => {}
            answer => return Err(Error::protocol(format!("not probed: {answer:?}"))),
        }
        socket.send(packet::UPGRADE).await?;
        Ok(socket)
    }

    /// The next message; none: the server has hung up after its close. Its pings are answered on
    /// the way, and so is its close. Nothing is lost when this is dropped.
    ///
    /// # Errors
    /// When the connection is lost, or the server sends what is no message.
    pub async fn next(&mut self) -> Result<Option<Message>, Error> {
        loop {
            if self.closed {
                while self.read().await.is_ok() {}
                return Ok(None);
            }
            match self.take_message()? {
                Some((Opcode::Text, payload)) => {
                    let text = String::from_utf8(payload);
                    let text = text.map_err(|_| Error::protocol("text that is not UTF-8"))?;
                    return Ok(Some(Message::Text(text)));
                }
                Some((Opcode::Ping, payload)) => {
                    self.feed(Opcode::Pong, true, &payload);
                    self.flush().await?;
                }
                Some((Opcode::Pong, payload)) => return Ok(Some(Message::Pong(payload))),
                Some((Opcode::Close, _)) => {
                    self.feed(Opcode::Close, true, &[]);
                    self.closed = true;
                    self.used = self.received.len();
                    // The server may not wait for the answer.
                    self.flush().await.ok();
                    return Ok(Some(Message::Close));
                }
                Some((_, payload)) => return Ok(Some(Message::Binary(payload))),
                None => self.read().await?,
            }
        }
    }

    fn take_message(&mut self) -> Result<Option<(Opcode, Vec<u8>)>, Error> {
        let mut rest = &self.received[self.used..];
        let frame = self.decoder.next(&mut rest)?;
        let message = frame.map(|frame| (frame.opcode, frame.payload.to_vec()));
        self.used = self.received.len() - rest.len();
        Ok(message)
    }

    async fn read(&mut self) -> Result<(), Error> {
        self.received.drain(..self.used);
        self.used = 0;
        self.received.reserve(READ);
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(Error::ended()),
            _ => Ok(()),
        }
    }

    /// The next text; none: the WebSocket is closed, or lost. Other messages are skipped.
    pub async fn text(&mut self) -> Option<String> {
        loop {
            match self.next().await {
                Ok(Some(Message::Text(text))) => return Some(text),
                Ok(Some(Message::Binary(_) | Message::Pong(_))) => {}
                Ok(Some(Message::Close) | None) | Err(_) => return None,
            }
        }
    }

    /// Sends a text message.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        self.feed(Opcode::Text, true, text.as_bytes());
        self.flush().await
    }

    /// Sends a frame, which need not be one that the protocol allows; `last` is the FIN bit.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send_frame(&mut self, opcode: Opcode, last: bool, bytes: &[u8]) -> io::Result<()> {
        self.feed(opcode, last, bytes);
        self.flush().await
    }

    /// Has a frame sent by the next `flush`.
    pub fn feed(&mut self, opcode: Opcode, last: bool, payload: &[u8]) {
        // Any mask will do, so long as the server has to undo it: nobody is to be protected here.
        self.frames = self.frames.wrapping_add(1);
        let mask = self.frames.wrapping_mul(0x9e37_79b9).to_be_bytes();
        frame::encode(&mut self.unsent, opcode, last, payload, mask);
    }

    /// Sends what has been fed. Dropped, it is continued by the next call.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let sent = self.stream.write(&self.unsent).await?;
            self.unsent.drain(..sent);
        }
        Ok(())
    }

    /// Closes the WebSocket as browsers do.
    ///
    /// # Errors
    /// When the connection is lost before.
    pub async fn close(mut self) -> io::Result<()> {
        self.send_frame(Opcode::Close, true, &[]).await
    }
}
