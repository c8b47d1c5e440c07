//! WebSocket frames (RFC 6455, section 5.2).

use crate::Error;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// Goes on with the message before.
    Continuation = 0,
    /// Begins a text message.
    Text = 1,
    /// Begins a binary message.
    Binary = 2,
    /// Closes the connection.
    Close = 8,
    /// Wants a pong.
    Ping = 9,
    /// Answers a ping.
    Pong = 10,
}

impl Opcode {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }
}

/// A frame of a server, which is a message of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub opcode: Opcode,
    /// What it carries.
    pub payload: &'a [u8],
    /// How many bytes it takes up, its header included.
    pub length: usize,
}

/// The largest payload that is taken from a server, in bytes. No event is as large.
const MAX_PAYLOAD: u64 = 16 << 20;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

/// The frame at the beginning of `bytes`, unless the rest of it is still to come.
///
/// # Errors
/// When it is a fragment, compressed, masked or too large: the servers send no such frames.
pub fn decode(bytes: &[u8]) -> Result<Option<Frame<'_>>, Error> {
    let &[kind, short, ..] = bytes else {
        return Ok(None);
    };
    let opcode = Opcode::of(kind & !FINAL)
        .filter(|&opcode| kind & FINAL != 0 && opcode != Opcode::Continuation);
    let (Some(opcode), 0) = (opcode, short & MASKED) else {
        return Err(Error::protocol(format!(
            "the frame {kind:02x} {short:02x} is a fragment, compressed, masked or unknown"
        )));
    };
    let (length, header) = match short {
        126 => match bytes.get(2..4).and_then(<[u8]>::first_chunk) {
            Some(&length) => (u64::from(u16::from_be_bytes(length)), 4),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10).and_then(<[u8]>::first_chunk) {
            Some(&length) => (u64::from_be_bytes(length), 10),
            None => return Ok(None),
        },
        short => (u64::from(short), 2),
    };
    if length > MAX_PAYLOAD {
        return Err(Error::protocol(format!("a frame of {length} bytes")));
    }
    let length = header + length as usize;
    Ok(bytes.get(header..length).map(|payload| Frame {
        opcode,
        payload,
        length,
    }))
}

/// Appends a client's frame to `buffer`; `last` is the FIN bit.
///
/// Under a mask of zeros the payload is sent as it is. The server has the same work with it.
pub fn encode(buffer: &mut Vec<u8>, opcode: Opcode, last: bool, payload: &[u8], mask: [u8; 4]) {
    buffer.reserve(14 + payload.len());
    buffer.push(if last { FINAL } else { 0 } | opcode as u8);
    match payload.len() {
        length @ 0..=125 => buffer.push(MASKED | length as u8),
        length @ 126..=0xffff => {
            buffer.push(MASKED | 126);
            buffer.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            buffer.push(MASKED | 127);
            buffer.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    buffer.extend_from_slice(&mask);
    let begins = buffer.len();
    buffer.extend_from_slice(payload);
    if mask != [0; 4] {
        let masked = buffer[begins..].iter_mut().zip(mask.iter().cycle());
        masked.for_each(|(byte, mask)| *byte ^= mask);
    }
}

/// A client's text message under a mask of zeros.
#[must_use]
pub fn text(text: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(&mut frame, Opcode::Text, true, text.as_bytes(), [0; 4]);
    frame
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test, what cannot be is a failure")]
mod tests {
    use super::*;

    /// As a server would send it: without mask.
    fn served(length: usize) -> Vec<u8> {
        let mut frame = vec![FINAL | Opcode::Text as u8];
        match length {
            0..=125 => frame.push(length as u8),
            126..=0xffff => {
                frame.push(126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                frame.push(127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.extend(std::iter::repeat_n(b'x', length));
        frame
    }

    #[test]
    fn a_frame_is_decoded_when_all_of_it_is_there_and_not_before() {
        for length in [0, 1, 125, 126, 300, 65_535, 65_536, 300_000] {
            let mut bytes = served(length);
            let whole = bytes.len();
            for part in (0..whole).step_by(1 + whole / 50) {
                let decoded = decode(&bytes[..part]).unwrap();
                assert_eq!(decoded, None, "{part} of {length}");
            }
            bytes.push(0x81);
            let frame = decode(&bytes).unwrap().unwrap();
            assert_eq!((frame.length, frame.payload.len()), (whole, length));
            assert_eq!(frame.opcode, Opcode::Text);
        }
    }

    #[test]
    fn fragments_compressed_masked_unknown_and_oversized_frames_are_errors() {
        for header in [[0x01, 0], [0x80, 0], [0xc1, 0], [0x83, 0], [0x81, 0x80]] {
            assert!(decode(&header).is_err(), "{header:?}");
        }
        let oversized = [0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0];
        assert!(decode(&oversized).is_err());
    }

    #[test]
    fn a_clients_frame_is_masked() {
        assert_eq!(text("40"), b"\x81\x82\0\0\0\x0040");
        let mut frame = Vec::new();
        encode(&mut frame, Opcode::Text, false, b"hello", [1, 2, 3, 4]);
        assert_eq!(frame[..6], *b"\x01\x85\x01\x02\x03\x04");
        assert_eq!(
            frame[6..],
            [b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1]
        );
        let long = text(&"x".repeat(300));
        assert_eq!(long[..8], *b"\x81\xfe\x01\x2c\0\0\0\0");
        let longer = text(&"x".repeat(65_536));
        assert_eq!(longer[..10], *b"\x81\xff\0\0\0\0\0\x01\0\0");
    }
}
