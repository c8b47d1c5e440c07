//! Engine.IO v4: what carries a session, over polls or a WebSocket.
//!
//! ```text
//!  EngineIoService ── polls, posts ─────────────────────── library
//!        └ upgrade ── FrameFilter ── what may pass ──────── library
//!                        └ Session ◄── frames of the library, and of events
//! ```
//!
//! The library (socketioxide) is the control plane: handshakes, polls, heartbeats, and everything
//! that Socket.IO says but events. Over a WebSocket, events are frames that a [`Session`] writes
//! between the library's. What a packet means is for the [`Protocol`] above to say.

mod counts;
mod frame_filter;
mod notice;
mod open;
mod outbound;
mod protocol;
mod registration;
mod service;
mod session;
mod sessions;
mod upgrade;

use std::time::Duration;

pub use counts::SessionCounts;
pub use frame_filter::PREFIX;
pub use open::library_interval;
pub use protocol::{Protocol, Verdict};
pub use registration::{Registration, Registrations};
pub use service::EngineIoService;
pub use session::{OutboundEvent, Pushed, Session};
pub use sessions::Sessions;

/// The path of Engine.IO requests.
pub const PATH: &str = "/socket.io";

/// Whether requests of this path are Engine.IO's: of its own, and of those below.
pub fn serves(path: &str) -> bool {
    path.strip_prefix(PATH)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The largest packet that a client may send, in bytes. Agents send their token and little else.
pub const INBOUND_LIMIT: usize = 64 * 1024;

/// The largest answer to a poll, in bytes: more than can wait for one. The library sets a packet
/// aside that would exceed it, and forgets that one when the session is upgraded.
pub const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;

/// How many packets have room in the library's channel: more than there are answers to CONNECTs and
/// events for one that polls. It costs nothing until it is used.
pub const CHANNEL: usize = 512;

/// How long a packet in a post may wait until it may pass.
const POST_TIMEOUT: Duration = Duration::from_secs(10);
