//! A WebSocket's stream as the library reads it: without the packets that do not pass.
//!
//! Frames that may pass are passed on as they came, byte for byte; others are left out. What the
//! library writes goes to the session, which sends it.

mod stream;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::time::{Instant, Sleep};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::INBOUND_LIMIT;
use super::protocol::{Protocol, Verdict};
use super::session::Session;
use crate::net::UpgradedConnection;

/// A stream of WebSocket frames (RFC 6455, section 5) from a client of the session.
pub(super) struct FrameFilter<P: Protocol> {
    session: Arc<Session<P>>,
    connection: Arc<UpgradedConnection>,
    /// What has come and was not looked at.
    received: BytesMut,
    /// What the library may read.
    passed: BytesMut,
    message: Message,
    /// Until when a packet waits, at most.
    pause: Option<Pin<Box<Sleep>>>,
    /// Nothing more is parsed.
    is_finished: bool,
}

/// A message in several frames, of which the last has not come.
#[derive(Default)]
enum Message {
    #[default]
    None,
    /// Its frames as they came, and the beginning of its text.
    Text(BytesMut, Vec<u8>),
    Binary,
}

/// The result of parsing a frame.
enum NextFrame {
    /// The library has something to read, or the next frame can be parsed.
    Continue,
    /// A whole frame has not come yet.
    Read,
    /// A packet has to wait, or until this time.
    Wait(Option<Instant>),
}

/// How much of a message is seen before it is decided about, in bytes: its packet's head, and more
/// than the longest namespace has.
pub const PREFIX: usize = 1024;

/// Engine.IO's CLOSE packet as a client sends it: a masked text frame (RFC 6455, section 5.2), with
/// a mask of zeros. To read the end of the stream instead would have the library throw away what
/// it has not written yet, as would a WebSocket's own close frame.
const CLOSE: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, b'1'];

/// Its PONG packet as a client sends it.
const PONG: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, b'3'];

/// Its UPGRADE packet: from here on, the WebSocket carries the session.
const UPGRADE: &[u8] = b"5";

/// The largest frame header, in bytes.
const HEADER: usize = 14;

impl<P: Protocol> FrameFilter<P> {
    /// `received`: what HTTP has read of it.
    pub(super) fn new(
        session: Arc<Session<P>>,
        connection: Arc<UpgradedConnection>,
        received: Bytes,
    ) -> Self {
        Self {
            session,
            connection,
            received: received.into(),
            passed: BytesMut::new(),
            message: Message::None,
            pause: None,
            is_finished: false,
        }
    }

    /// Parses the next frame, and passes it on or drops it.
    fn next_frame(&mut self) -> NextFrame {
        let mut cursor = Cursor::new(&self.received[..]);
        let (header, length) = match FrameHeader::parse(&mut cursor) {
            Ok(Some((header, length))) if length <= INBOUND_LIMIT as u64 => (header, length),
            Ok(None) => return NextFrame::Read,
            // The library says what is wrong with it, and ends the session.
            Ok(Some(_)) | Err(_) => return self.reject(),
        };
        let start = cursor.position() as usize;
        let end = start + length as usize;
        if self.received.len() < end {
            return NextFrame::Read;
        }
        match header.opcode {
            OpCode::Data(Data::Text | Data::Binary) if !matches!(self.message, Message::None) => {
                return self.reject();
            }
            OpCode::Data(Data::Text) => {
                let text = beginning(&self.received[start..end], header.mask);
                return self.text(&text, end, header.is_final);
            }
            OpCode::Data(Data::Binary) => {
                self.received.advance(end);
                if !header.is_final {
                    self.message = Message::Binary;
                }
            }
            OpCode::Data(Data::Continue) => return self.continue_message(start, end, &header),
            _ => self.passed.unsplit(self.received.split_to(end)),
        }
        NextFrame::Continue
    }

    /// The first frame of a text message, or the only one.
    fn text(&mut self, text: &[u8], end: usize, is_final: bool) -> NextFrame {
        if !is_final {
            self.message = Message::Text(self.received.split_to(end), text.to_vec());
            return NextFrame::Continue;
        }
        match self.session.inbound(text) {
            Verdict::Wait(until) => return NextFrame::Wait(until.map(Into::into)),
            Verdict::Ignore => self.received.advance(end),
            Verdict::Pass => {
                let frame = self.received.split_to(end);
                self.pass(text, frame);
            }
        }
        NextFrame::Continue
    }

    /// Passes a whole message on.
    fn pass(&mut self, text: &[u8], frames: BytesMut) {
        self.passed.unsplit(frames);
        if text == UPGRADE {
            self.session.upgraded();
        }
    }

    /// Passes on what ends the session, and nothing after it.
    fn finish(&mut self, last: BytesMut) {
        self.received = BytesMut::new();
        self.is_finished = true;
        self.passed.unsplit(last);
    }

    /// A frame that continues a message.
    fn continue_message(&mut self, start: usize, end: usize, header: &FrameHeader) -> NextFrame {
        match &mut self.message {
            // A continuation of nothing, says the library.
            Message::None => return self.reject(),
            Message::Binary => {
                self.received.advance(end);
                if header.is_final {
                    self.message = Message::None;
                }
                return NextFrame::Continue;
            }
            Message::Text(frames, text) => {
                let more = beginning(&self.received[start..end], header.mask);
                if frames.len() + end > INBOUND_LIMIT {
                    return self.reject();
                }
                let mut whole = text.clone();
                whole.extend_from_slice(&more);
                whole.truncate(PREFIX);
                if !header.is_final {
                    frames.unsplit(self.received.split_to(end));
                    *text = whole;
                    return NextFrame::Continue;
                }
                match self.session.inbound(&whole) {
                    Verdict::Wait(until) => return NextFrame::Wait(until.map(Into::into)),
                    Verdict::Ignore => self.received.advance(end),
                    Verdict::Pass => {
                        let mut frames = std::mem::take(frames);
                        frames.unsplit(self.received.split_to(end));
                        self.pass(&whole, frames);
                    }
                }
                self.message = Message::None;
            }
        }
        NextFrame::Continue
    }

    /// Passes on what breaks the protocol, and nothing after it: the library ends the session.
    fn reject(&mut self) -> NextFrame {
        let mut wrong = match std::mem::take(&mut self.message) {
            Message::Text(frames, _) => frames,
            Message::None | Message::Binary => BytesMut::new(),
        };
        let all = self.received.len().min(HEADER);
        wrong.unsplit(self.received.split_to(all));
        self.finish(wrong);
        NextFrame::Continue
    }
}

/// The beginning of a frame's payload, in clear.
fn beginning(payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mask = mask.unwrap_or_default();
    let bytes = payload.iter().zip(mask.iter().cycle());
    bytes.take(PREFIX).map(|(byte, mask)| byte ^ mask).collect()
}

impl<P: Protocol> Drop for FrameFilter<P> {
    // The library does not notice when an upgrade from polling has failed.
    fn drop(&mut self) {
        self.session.detach();
    }
}
