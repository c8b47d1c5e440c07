//! WebSocket frames (RFC 6455, section 5.2) as a server writes them: final, and not masked.

use bytes::{BufMut as _, Bytes, BytesMut};

/// A final frame with a text (FIN, opcode 1).
const FINAL_TEXT: u8 = 0x81;

/// A text frame, whose payload is made of `parts`.
pub(crate) fn text(parts: &[&[u8]]) -> Bytes {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = BytesMut::with_capacity(header_length(length) + length);
    push_header(&mut frame, length);
    for part in parts {
        frame.put_slice(part);
    }
    frame.freeze()
}

/// Appends the header of a text frame whose payload has `length` bytes.
fn push_header(frame: &mut BytesMut, length: usize) {
    frame.put_u8(FINAL_TEXT);
    match length {
        0..=125 => frame.put_u8(length as u8),
        126..=65_535 => {
            frame.put_u8(126);
            frame.put_u16(length as u16);
        }
        _ => {
            frame.put_u8(127);
            frame.put_u64(length as u64);
        }
    }
}

/// The length of a frame's header, in bytes, for a payload of `length` bytes.
pub(crate) const fn header_length(length: usize) -> usize {
    match length {
        0..=125 => 2,
        126..=65_535 => 4,
        _ => 10,
    }
}

/// A frame among several.
pub(crate) struct Frame<'a> {
    /// Header and payload.
    pub(crate) whole: &'a [u8],
    /// The payload of a text frame; `None` for every other.
    pub(crate) text: Option<&'a [u8]>,
}

/// Splits whole frames that follow each other. Ends early where a frame is not whole.
pub(crate) fn split(mut frames: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    std::iter::from_fn(move || {
        let &[first, short, ..] = frames else {
            return None;
        };
        let length = match short {
            0..=125 => usize::from(short),
            126 => usize::from(u16::from_be_bytes(frames.get(2..4)?.try_into().ok()?)),
            _ => u64::from_be_bytes(frames.get(2..10)?.try_into().ok()?) as usize,
        };
        let header = header_length(length);
        let whole = frames.get(..header.checked_add(length)?)?;
        frames = &frames[whole.len()..];
        let text = (first == FINAL_TEXT).then(|| &whole[header..]);
        Some(Frame { whole, text })
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use tungstenite::protocol::frame::FrameHeader;
    use tungstenite::protocol::frame::coding::{Data, OpCode};

    use super::*;

    const LENGTHS: [usize; 7] = [0, 1, 125, 126, 65_535, 65_536, 100_000];

    #[test]
    fn a_frame_is_read_by_a_websocket_library_as_it_was_written() {
        for length in LENGTHS {
            let payload = vec![b'x'; length];
            let (one, other) = payload.split_at(length / 2);
            let frame = text(&[one, other]);
            let mut cursor = Cursor::new(&frame[..]);
            let (header, read) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
            assert!(header.is_final && header.mask.is_none());
            assert_eq!(header.opcode, OpCode::Data(Data::Text));
            assert_eq!(read, length as u64);
            assert_eq!(&frame[cursor.position() as usize..], payload);
        }
    }

    #[test]
    fn frames_that_follow_each_other_are_told_apart() {
        let mut frames = Vec::new();
        for length in LENGTHS {
            frames.extend_from_slice(&text(&[&vec![b'x'; length]]));
        }
        // A close frame with its code.
        frames.extend_from_slice(&[0x88, 2, 3, 0xe8]);
        let texts: Vec<_> = split(&frames)
            .map(|frame| frame.text.map(<[u8]>::len))
            .collect();
        let mut expected = LENGTHS.map(Some).to_vec();
        expected.push(None);
        assert_eq!(texts, expected);
        let whole: usize = split(&frames).map(|frame| frame.whole.len()).sum();
        assert_eq!(whole, frames.len());
        assert_eq!(split(&frames[..frames.len() - 1]).count(), LENGTHS.len());
    }
}
