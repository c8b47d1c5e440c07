//! A WebSocket's stream as the library reads it: without what the client should not have said.
//!
//! Frames that may pass are passed on as they came, byte for byte; others are left out. What the
//! server writes goes through untouched, but for the answer to a session's [`Release`], and its
//! [`Opening`].

use std::io::Cursor;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::time::{Instant, Sleep};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::INBOUND_LIMIT;
use super::connects::Heard;
use super::inbound::Inbound;
use super::release::Release;
use super::transport::Transport;
use opening::Opening;

/// A stream of WebSocket frames (RFC 6455, section 5) from a client of the session.
pub(super) struct Guard<S> {
    stream: S,
    transport: Arc<Transport>,
    /// What has come and was not looked at.
    came: BytesMut,
    /// What the library may read.
    passed: BytesMut,
    message: Message,
    pause: Option<Pin<Box<Sleep>>>,
    /// Nothing is looked at any more.
    over: bool,
    releasing: Option<Releasing>,
    /// What the library writes first, if the session begins with this WebSocket.
    opening: Option<Opening>,
    /// Who waits for more to read, while what is to be read next may be made here.
    reader: Option<Waker>,
}

/// The library is told to let go of the session, and has not done so.
struct Releasing {
    release: Arc<Release>,
    /// What it is to read after that, or has read already because that took too long.
    last: Option<BytesMut>,
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
    /// What the client wants takes its time.
    Pause,
}

/// Engine.IO's CLOSE packet as a client sends it: a masked text frame (RFC 6455, section 5.2), with
/// a mask of zeros. To read the end of the stream instead would have the library throw away what
/// it has not written yet, as would a WebSocket's own close frame.
const GOODBYE: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, b'1'];

/// Its PONG packet as a client sends it.
const PONG: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, b'3'];

/// Engine.IO's PING packet with which a client tries a WebSocket.
const PROBE: &[u8] = b"2probe";

/// Its UPGRADE packet: from here on, the WebSocket carries the session.
const UPGRADE: &[u8] = b"5";

/// How soon a client that has to wait is looked at again.
pub(super) const PAUSE: Duration = Duration::from_millis(5);

/// How long the library may take to answer its release. A session whose end cannot wait longer is
/// kept for a while.
const PATIENCE: Duration = Duration::from_secs(1);

/// The largest frame header, in bytes.
const HEADER: usize = 14;

impl<S> Guard<S> {
    pub(super) fn new(stream: S, transport: Arc<Transport>) -> Self {
        let opens = transport.begins_with_websocket();
        Self {
            stream,
            transport,
            came: BytesMut::new(),
            passed: BytesMut::new(),
            message: Message::None,
            pause: None,
            over: false,
            releasing: None,
            opening: opens.then(Opening::default),
            reader: None,
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
        match self.transport.hear(text, true) {
            Heard::Wait => return Next::Pause,
            Heard::Ignore => self.came.advance(end),
            Heard::Pass | Heard::Last => {
                let frame = self.came.split_to(end);
                self.hand_over(Inbound::ends_session(text), frame);
                self.catch_up(text);
            }
        }
        Next::Go
    }

    /// Lets the library have a whole message, or the client's closing.
    fn hand_over(&mut self, ends: bool, frames: BytesMut) {
        if ends && self.transport.release().is_some() {
            self.finish(frames);
        } else {
            self.passed.unsplit(frames);
        }
    }

    /// Lets the library have something that ends the session, and nothing after it.
    fn finish(&mut self, last: BytesMut) {
        self.came = BytesMut::new();
        self.over = true;
        match self.transport.release() {
            Some(release) => {
                self.passed.extend_from_slice(release.connect());
                self.releasing = Some(Releasing {
                    release: release.clone(),
                    last: Some(last),
                    until: Instant::now() + PATIENCE,
                });
            }
            None => self.passed.unsplit(last),
        }
    }

    /// After a packet of an upgrade: when that is done, what the client has posted comes next.
    fn catch_up(&mut self, text: &[u8]) {
        match text {
            PROBE => self.transport.held.probed(),
            UPGRADE => {
                let mut held = self.transport.held.take();
                held.unsplit(std::mem::take(&mut self.came));
                self.came = held;
            }
            _ => {}
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
                if header.is_final {
                    let mut whole = text.clone();
                    whole.extend_from_slice(&more);
                    whole.truncate(Inbound::PREFIX);
                    match self.transport.hear(&whole, true) {
                        Heard::Wait => return Next::Pause,
                        Heard::Ignore => self.came.advance(end),
                        Heard::Pass | Heard::Last => {
                            let mut frames = std::mem::take(frames);
                            frames.unsplit(self.came.split_to(end));
                            self.message = Message::None;
                            self.hand_over(Inbound::ends_session(&whole), frames);
                            self.catch_up(&whole);
                        }
                    }
                    self.message = Message::None;
                } else {
                    frames.unsplit(self.came.split_to(end));
                    text.extend_from_slice(&more);
                    text.truncate(Inbound::PREFIX);
                }
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

    /// Answers the library's first ping in the client's place, which is not to see it.
    fn pong(&mut self) {
        if !self.over {
            self.passed.extend_from_slice(PONG);
        }
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Keeps the answer to the release from the client. Whether it was in what is written: little else
    /// can be, since nothing has been joined.
    fn keeps_back(&mut self, written: &[u8]) -> bool {
        let answered = |releasing: &mut Releasing| releasing.release.is_answered(written);
        let Some(releasing) = self.releasing.take_if(answered) else {
            return false;
        };
        self.passed.unsplit(releasing.last.unwrap_or_default());
        true
    }
}

impl Releasing {
    /// What the library is to read although it has not answered.
    fn overdue(&mut self) -> Option<BytesMut> {
        self.last.take_if(|_| Instant::now() >= self.until)
    }

    fn waits(&self) -> bool {
        self.last.is_some()
    }
}

/// The beginning of a frame's payload, in clear.
fn beginning(payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mask = mask.unwrap_or_default();
    let bytes = payload.iter().zip(mask.iter().cycle());
    bytes
        .take(Inbound::PREFIX)
        .map(|(byte, mask)| byte ^ mask)
        .collect()
}

impl<S> Drop for Guard<S> {
    // The library does not notice when an upgrade from polling has failed.
    fn drop(&mut self) {
        self.transport.gone();
    }
}

mod opening;
mod stream;
#[cfg(test)]
mod tests;
