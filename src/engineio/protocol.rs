//! What the layer above decides about a session's packets.

use std::sync::Arc;
use std::time::Instant;

use super::session::Session;

/// What a session speaks: the state of the protocol above, for one session.
pub trait Protocol: Sized + Send + Sync + 'static {
    /// Decides whether a packet of the client's passes to the library; `beginning` is seen of it.
    fn inbound(session: &Arc<Session<Self>>, beginning: &[u8]) -> Verdict;

    /// Whether a packet that the library has written is for the client.
    fn passes(session: &Arc<Session<Self>>, packet: &[u8]) -> bool;

    /// A packet that answers a CONNECT is on its way: what is pushed from here on comes after it.
    fn answered(session: &Arc<Session<Self>>, packet: &[u8]);

    /// Whether a CONNECT has ever been granted.
    fn has_joined(session: &Session<Self>) -> bool;

    /// What a client of before Engine.IO 4 gets once it is connected: that it is too old.
    const OLD_CLIENT: [&'static str; 2];

    /// Answers such a client's CONNECT; `None` to any other packet.
    fn too_old(packet: &[u8]) -> Option<String>;

    /// Answers the CONNECT of a client over a limit; `None` to any other packet.
    fn too_many(&self, packet: &[u8]) -> Option<String>;

    /// The session has ended.
    fn closed(session: &Arc<Session<Self>>);
}

/// Whether a packet of the client's passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes to the library.
    Pass,
    /// It has no effect.
    Ignore,
    /// It has to wait until what came before it is done, or until this time.
    Wait(Option<Instant>),
}
