//! How a session that has joined nothing is let go when it ends.
//!
//! The library keeps every session for as long as it might take to join, also one that has ended
//! long before: whoever opens sessions and closes them at once would have it keep as many as he
//! likes. What stops it is a CONNECT that is granted. So the last that it hears of such a session
//! is one, to a namespace that nobody else can name, and the answer stays here.

use bytes::BytesMut;
use socketioxide::SocketIo;

use super::frames::push_text;

/// The namespace of sessions that are about to end.
#[derive(Debug)]
pub(super) struct Release {
    namespace: String,
    connect: BytesMut,
}

impl Release {
    /// Opens the namespace.
    pub(super) fn new(io: &SocketIo) -> Self {
        let namespace = format!("/{:032x}", rand::random::<u128>());
        io.ns(namespace.clone(), async || {});
        let mut connect = BytesMut::new();
        push_text(&mut connect, format!("40{namespace},").as_bytes());
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
