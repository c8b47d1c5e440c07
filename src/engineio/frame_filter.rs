//! A WebSocket's stream as the library reads it: without what the client should not have said.
//!
//! Frames that may pass are passed on as they came, byte for byte; others are left out. What the
//! library writes goes to the session, which sends it.

mod stream;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::time::{Instant, Sleep};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::INBOUND_LIMIT;
use super::protocol::{Protocol, Verdict};
use super::session::Session;
use crate::net::UpgradedConnection;

/// A stream of WebSocket frames (RFC 6455, section 5) from a client of the session.
pub(super) struct FrameFilter<P: Protocol> {
    session: Arc<Session<P>>,
    connection: Arc<UpgradedConnection>,
    /// What has come and was not looked at.
    came: BytesMut,
    /// What the library may read.
    passed: BytesMut,
    message: Message,
    /// Until when a packet waits for its turn, at most.
    pause: Option<Pin<Box<Sleep>>>,
    /// Nothing is looked at any more.
    over: bool,
    releasing: Option<Releasing>,
}

/// The library is told to let go of the session, and has not done so.
struct Releasing {
    /// What it is to read after that.
    last: BytesMut,
    until: Instant,
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

/// What there is to do before more can be read.
enum Next {
    /// The library has something to read, or the next frame can be looked at.
    Go,
    /// A whole frame has not come yet.
    Read,
    /// A packet has to wait for its turn, or until this time.
    Wait(Option<Instant>),
}

/// How much of a message is seen before it is decided about, in bytes: its packet's head, and more
/// than the longest namespace has.
pub const PREFIX: usize = 1024;

/// Engine.IO's CLOSE packet as a client sends it: a masked text frame (RFC 6455, section 5.2), with
/// a mask of zeros. To read the end of the stream instead would have the library throw away what
/// it has not written yet, as would a WebSocket's own close frame.
const GOODBYE: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, b'1'];

/// Its PONG packet as a client sends it.
const PONG: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, b'3'];

/// Its UPGRADE packet: from here on, the WebSocket carries the session.
const UPGRADE: &[u8] = b"5";

/// How long the library may take to answer its release. A session whose end cannot wait longer is
/// kept for a while.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(1);

/// The largest frame header, in bytes.
const HEADER: usize = 14;

impl<P: Protocol> FrameFilter<P> {
    /// `came`: what HTTP has read of it.
    pub(super) fn new(
        session: Arc<Session<P>>,
        connection: Arc<UpgradedConnection>,
        came: Bytes,
    ) -> Self {
        Self {
            session,
            connection,
            came: came.into(),
            passed: BytesMut::new(),
            message: Message::None,
            pause: None,
            over: false,
            releasing: None,
        }
    }

    /// Looks at the next frame.
    fn look(&mut self) -> Next {
        let mut cursor = Cursor::new(&self.came[..]);
        let (header, length) = match FrameHeader::parse(&mut cursor) {
            Ok(Some((header, length))) if length <= INBOUND_LIMIT as u64 => (header, length),
            Ok(None) => return Next::Read,
            // The library says what is wrong with it, and ends the session.
            Ok(Some(_)) | Err(_) => return self.give_over(),
        };
        let start = cursor.position() as usize;
        let end = start + length as usize;
        if self.came.len() < end {
            return Next::Read;
        }
        match header.opcode {
            OpCode::Control(Control::Close) => {
                let close = self.came.split_to(end);
                self.hand_over(true, close);
            }
            OpCode::Data(Data::Text | Data::Binary) if !matches!(self.message, Message::None) => {
                return self.give_over();
            }
            OpCode::Data(Data::Text) => {
                let text = beginning(&self.came[start..end], header.mask);
                return self.text(&text, end, header.is_final);
            }
            OpCode::Data(Data::Binary) => {
                self.came.advance(end);
                if !header.is_final {
                    self.message = Message::Binary;
                }
            }
            OpCode::Data(Data::Continue) => return self.go_on(start, end, &header),
            _ => self.passed.unsplit(self.came.split_to(end)),
        }
        Next::Go
    }

    /// The first frame of a text message, or the only one.
    fn text(&mut self, text: &[u8], end: usize, is_final: bool) -> Next {
        if !is_final {
            self.message = Message::Text(self.came.split_to(end), text.to_vec());
            return Next::Go;
        }
        match self.session.inbound(text) {
            Verdict::Wait(until) => return Next::Wait(until.map(Into::into)),
            Verdict::Ignore => self.came.advance(end),
            Verdict::Pass => {
                let frame = self.came.split_to(end);
                self.pass(text, frame);
            }
        }
        Next::Go
    }

    /// Lets the library have a whole message.
    fn pass(&mut self, text: &[u8], frames: BytesMut) {
        self.hand_over(P::ends_session(text), frames);
        if text == UPGRADE {
            self.session.upgraded();
        }
    }

    /// Lets the library have a whole message, or the client's closing.
    fn hand_over(&mut self, ends: bool, frames: BytesMut) {
        if ends && P::release(&self.session).is_some() {
            self.finish(frames);
        } else {
            self.passed.unsplit(frames);
        }
    }

    /// Lets the library have something that ends the session, and nothing after it.
    fn finish(&mut self, last: BytesMut) {
        self.came = BytesMut::new();
        self.over = true;
        match P::release(&self.session) {
            Some(connect) => {
                self.passed.extend_from_slice(&connect);
                self.releasing = Some(Releasing {
                    last,
                    until: Instant::now() + RELEASE_TIMEOUT,
                });
            }
            None => self.passed.unsplit(last),
        }
    }

    /// A frame that continues a message.
    fn go_on(&mut self, start: usize, end: usize, header: &FrameHeader) -> Next {
        match &mut self.message {
            // A continuation of nothing, says the library.
            Message::None => return self.give_over(),
            Message::Binary => {
                self.came.advance(end);
                if header.is_final {
                    self.message = Message::None;
                }
                return Next::Go;
            }
            Message::Text(frames, text) => {
                let more = beginning(&self.came[start..end], header.mask);
                if frames.len() + end > INBOUND_LIMIT {
                    return self.give_over();
                }
                let mut whole = text.clone();
                whole.extend_from_slice(&more);
                whole.truncate(PREFIX);
                if !header.is_final {
                    frames.unsplit(self.came.split_to(end));
                    *text = whole;
                    return Next::Go;
                }
                match self.session.inbound(&whole) {
                    Verdict::Wait(until) => return Next::Wait(until.map(Into::into)),
                    Verdict::Ignore => self.came.advance(end),
                    Verdict::Pass => {
                        let mut frames = std::mem::take(frames);
                        frames.unsplit(self.came.split_to(end));
                        self.pass(&whole, frames);
                    }
                }
                self.message = Message::None;
            }
        }
        Next::Go
    }

    /// Lets the library have what is wrong, and nothing after it.
    fn give_over(&mut self) -> Next {
        let mut wrong = match std::mem::take(&mut self.message) {
            Message::Text(frames, _) => frames,
            Message::None | Message::Binary => BytesMut::new(),
        };
        let all = self.came.len().min(HEADER);
        wrong.unsplit(self.came.split_to(all));
        self.finish(wrong);
        Next::Go
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
