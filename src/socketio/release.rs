//! How the library is made to release a session that has joined nothing.
//!
//! The library keeps every session for as long as it might take to join, also one that has ended
//! long before: a client that opens sessions and closes them at once would have it keep any number.
//! What stops it is a CONNECT that is granted. So the last packet that it gets from such a session
//! is one, to a namespace that nobody else can name, and its answer is dropped here.

use bytes::{BufMut as _, Bytes, BytesMut};
use socketioxide::SocketIo;

use super::packet::namespace_of;

/// The namespace of sessions that are about to end.
#[derive(Debug)]
pub(super) struct Release {
    namespace: String,
    connect: Bytes,
}

impl Release {
    /// Opens the namespace.
    pub(super) fn new(io: &SocketIo) -> Self {
        let namespace = format!("/{:032x}", rand::random::<u128>());
        io.ns(namespace.clone(), async || {});
        let packet = format!("40{namespace},");
        let connect = client_frame(packet.as_bytes());
        Self { namespace, connect }
    }

    /// A client's frame with the CONNECT.
    pub(super) fn connect(&self) -> Bytes {
        self.connect.clone()
    }

    /// Whether a packet is the answer to it: the library knows the session's name by then.
    pub(super) fn is_answered_by(&self, packet: &[u8]) -> bool {
        namespace_of(packet) == Some(&self.namespace)
    }
}

/// A short text in a frame as a client sends it (RFC 6455, section 5.2), with a mask of zeros.
fn client_frame(text: &[u8]) -> Bytes {
    const FINAL_TEXT: u8 = 0x81;
    const MASKED: u8 = 0x80;
    debug_assert!(text.len() <= 125);
    let mut frame = BytesMut::new();
    frame.put_u8(FINAL_TEXT);
    frame.put_u8(MASKED | text.len() as u8);
    frame.put_u32(0);
    frame.put_slice(text);
    frame.freeze()
}
