//! WebSocket frames (RFC 6455, section 5.2), as far as the two servers send them.

use anyhow::bail;

/// A frame of a server: not masked, and a message of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// How many bytes it takes up, its head included.
    pub(crate) length: usize,
}

/// The opcode of a text message.
pub(crate) const TEXT: u8 = 1;
/// The opcode by which a connection is closed.
pub(crate) const CLOSE: u8 = 8;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

/// The frame at the beginning of `bytes`, unless the rest of it is still to come.
///
/// # Errors
/// When it is a fragment, compressed or masked: neither server sends such frames.
pub(crate) fn first(bytes: &[u8]) -> anyhow::Result<Option<Frame<'_>>> {
    let &[kind, short, ..] = bytes else {
        return Ok(None);
    };
    let opcode = kind & 0x0f;
    if kind != FINAL | opcode || short & MASKED != 0 {
        bail!("the frame {kind:02x} {short:02x} is a fragment, compressed or masked");
    }
    let (length, head) = match short {
        126 => match bytes.get(2..4) {
            Some(&[a, b]) => (usize::from(u16::from_be_bytes([a, b])), 4),
            _ => return Ok(None),
        },
        127 => bail!("a frame of 64 KiB or more"),
        short => (usize::from(short), 2),
    };
    let payload = bytes.get(head..head + length);
    Ok(payload.map(|payload| Frame {
        opcode,
        payload,
        length: head + length,
    }))
}

/// A text message of a client of less than 64 KiB. Its mask is of zeros, so that the text is sent as
/// it is; the server has the same work with it.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let length = text.len();
    let mut frame = vec![FINAL | TEXT];
    match u8::try_from(length) {
        Ok(short @ 0..=125) => frame.push(MASKED | short),
        _ => {
            frame.push(MASKED | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server would send it: without mask.
    fn served(length: usize) -> Vec<u8> {
        let mut frame = vec![FINAL | TEXT];
        match length {
            0..=125 => frame.push(length as u8),
            _ => {
                frame.push(126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
        }
        frame.extend(std::iter::repeat_n(b'x', length));
        frame
    }

    #[test]
    fn a_frame_is_read_when_all_of_it_is_there_and_not_before() {
        for length in [0, 1, 125, 126, 300, 65_535] {
            let mut bytes = served(length);
            let whole = bytes.len();
            for part in (0..whole).step_by(1 + whole / 50) {
                assert_eq!(first(&bytes[..part]).unwrap(), None, "{part} of {length}");
            }
            bytes.push(0x81);
            let frame = first(&bytes).unwrap().unwrap();
            assert_eq!((frame.length, frame.payload.len()), (whole, length));
            assert_eq!(frame.opcode, TEXT);
        }
    }

    #[test]
    fn fragments_compressed_and_masked_frames_are_errors() {
        for head in [[0x01, 0], [0xc1, 0], [0x81, 0x80]] {
            assert!(first(&head).is_err(), "{head:?}");
        }
    }

    #[test]
    fn a_clients_text_is_masked_with_zeros() {
        assert_eq!(text("40"), b"\x81\x82\0\0\0\x0040");
        let long = "x".repeat(300);
        assert_eq!(text(&long)[..8], *b"\x81\xfe\x01\x2c\0\0\0\0");
    }
}
