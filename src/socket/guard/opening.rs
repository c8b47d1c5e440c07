//! The beginning of what the library writes over a session's first WebSocket, put right.
//!
//! Its OPEN packet names a limit that is not that of clients, and its first ping comes at once,
//! where a client expects its own message to be answered first, and a ping when the interval has
//! passed. So the packet is rewritten, and the ping answered here.

use std::io::Cursor;

use bytes::{BufMut as _, BytesMut};
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};

use crate::socket::open::Open;

/// Engine.IO's PING packet.
const PING: &[u8] = b"2";

/// What is left of the beginning.
#[derive(Default)]
pub(super) struct Opening {
    /// What is to go out instead of what the library has written.
    pub(super) out: BytesMut,
    /// How many frames have been looked at.
    looked_at: usize,
    /// The rest goes out as it is, after what is to go out instead.
    pub(super) over: bool,
}

/// What becomes of something that the library writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many bytes are taken over.
    Frame(usize),
    /// So many bytes are taken over, and were the ping: the beginning is over.
    Ping(usize),
    /// Nothing is: the beginning is over.
    Over,
}

impl Opening {
    /// Among so many frames there has to be the ping: there is one before a client has its answer.
    const MOST: usize = 64;

    /// Takes over the first frame of `written`, which begins with a frame's beginning, and holds it
    /// whole.
    pub(super) fn take(&mut self, written: &[u8]) -> Taken {
        if self.over {
            return Taken::Over;
        }
        let mut cursor = Cursor::new(written);
        let header = FrameHeader::parse(&mut cursor);
        let start = cursor.position() as usize;
        self.looked_at += 1;
        let Ok(Some((header, length))) = header else {
            return Taken::Over;
        };
        let end = start.saturating_add(length as usize);
        if written.len() < end || self.looked_at > Self::MOST {
            return Taken::Over;
        }
        let text = &written[start..end];
        match header.opcode {
            OpCode::Data(Data::Text) if text == PING => return Taken::Ping(end),
            OpCode::Data(Data::Text) if let Some(open) = corrected(text) => {
                let frame = Frame::message(open, OpCode::Data(Data::Text), true);
                // Memory takes whatever there is.
                frame.format(&mut (&mut self.out).writer()).ok();
            }
            _ => self.out.extend_from_slice(&written[..end]),
        }
        Taken::Frame(end)
    }
}

fn corrected(packet: &[u8]) -> Option<String> {
    Open::correct(packet)?.packet()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let frame = Frame::message(text.to_owned(), OpCode::Data(Data::Text), true);
        frame.format(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_open_packet_is_rewritten_and_the_first_ping_taken_out() {
        let open =
            r#"0{"sid":"x","upgrades":[],"pingInterval":295,"pingTimeout":200,"maxPayload":9}"#;
        let (open, answer, ping) = (frame(open), frame(r#"40{"sid":"2"}"#), frame("2"));
        let mut opening = Opening::default();
        // Whatever has been gathered comes as a whole; frames are taken one by one.
        let together = [&*open, &answer, &ping].concat();
        assert_eq!(opening.take(&together), Taken::Frame(open.len()));
        let together = &together[open.len()..];
        assert_eq!(opening.take(together), Taken::Frame(answer.len()));
        assert_eq!(opening.take(&ping), Taken::Ping(ping.len()));
        let corrected =
            r#"0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":65536}"#;
        assert_eq!(opening.out, [frame(corrected), answer].concat());
    }

    #[test]
    fn without_a_ping_or_with_half_a_frame_the_beginning_is_over() {
        let answer = frame("40");
        let mut opening = Opening::default();
        for _ in 0..Opening::MOST {
            assert_eq!(opening.take(&answer), Taken::Frame(answer.len()));
        }
        assert_eq!(opening.take(&answer), Taken::Over);
        let mut opening = Opening::default();
        assert_eq!(opening.take(&answer[..3]), Taken::Over);
        assert_eq!(opening.take(&[]), Taken::Over);
    }
}
