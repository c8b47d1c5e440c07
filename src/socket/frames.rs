//! WebSocket frames as a client sends them.

use bytes::{BufMut as _, BytesMut};

/// Appends a whole text message in a masked frame (RFC 6455, section 5.2), with a mask of zeros.
pub(super) fn push_text(frames: &mut BytesMut, text: &[u8]) {
    const FINAL_TEXT: u8 = 0x81;
    const MASKED: u8 = 0x80;
    frames.put_u8(FINAL_TEXT);
    match text.len() {
        length @ 0..=125 => frames.put_u8(MASKED | length as u8),
        length @ 126..=65_535 => {
            frames.put_u8(MASKED | 126);
            frames.put_u16(length as u16);
        }
        length => {
            frames.put_u8(MASKED | 127);
            frames.put_u64(length as u64);
        }
    }
    frames.put_u32(0);
    frames.put_slice(text);
}
