//! How a session that has joined nothing is let go when it ends.
//!
//! The library keeps every session for as long as it might take to join, also one that has ended
//! long before: whoever opens sessions and closes them at once would have it keep as many as he
//! likes. What stops it is a CONNECT that is granted. So the last that it hears of such a session
//! is one, to a namespace that nobody else can name, and the answer stays here.

use socketioxide::SocketIo;

/// The namespace of sessions that are about to end.
#[derive(Debug)]
pub(super) struct Release {
    namespace: String,
    connect: Vec<u8>,
}

impl Release {
    /// Opens the namespace.
    pub(super) fn new(io: &SocketIo) -> Self {
        let namespace = format!("/{:032x}", rand::random::<u128>());
        io.ns(namespace.clone(), async || {});
        let connect = masked(format!("40{namespace},").as_bytes());
        Self { namespace, connect }
    }

    /// A client's frame with the CONNECT.
    pub(super) fn connect(&self) -> &[u8] {
        &self.connect
    }

    /// Whether the answer to it is in what the library writes: it knows the session's name by then.
    pub(super) fn is_answered(&self, written: &[u8]) -> bool {
        let name = self.namespace.as_bytes();
        written.windows(name.len()).any(|part| part == name)
    }
}

/// A short text frame as a client sends it (RFC 6455, section 5.2), with a mask of zeros.
fn masked(text: &[u8]) -> Vec<u8> {
    const FINAL_TEXT: u8 = 0x81;
    const MASKED: u8 = 0x80;
    let mut frame = vec![FINAL_TEXT, MASKED | text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text);
    frame
}
