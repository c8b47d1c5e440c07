//! Engine.IO's OPEN packet, the first of a session.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::INBOUND_LIMIT;

/// What is in it (<https://socket.io/docs/v4/engine-io-protocol/#handshake>).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Open {
    pub(super) sid: String,
    upgrades: Vec<String>,
    /// In milliseconds.
    ping_interval: u64,
    /// In milliseconds.
    ping_timeout: u64,
    /// In bytes: of what a client may post at once.
    max_payload: usize,
}

/// How much earlier than promised the library pings, in milliseconds. Its timers are late by a
/// millisecond each, and a client that gets nothing for as long as was promised closes the connection.
const EARLY: u64 = 5;

/// How often the library has to ping, if clients are promised this interval of 100 ms at least.
pub fn library_interval(promised: Duration) -> Duration {
    promised.saturating_sub(Duration::from_millis(EARLY))
}

impl Open {
    /// Of a connection that carries a notice and no session.
    pub(super) fn without_session(ping_interval: Duration, ping_timeout: Duration) -> Self {
        Self {
            sid: format!("{:032x}", rand::random::<u128>()),
            upgrades: Vec::new(),
            ping_interval: ping_interval.as_millis() as u64,
            ping_timeout: ping_timeout.as_millis() as u64,
            max_payload: INBOUND_LIMIT,
        }
    }

    /// Reads the library's packet, `0{"sid":"…",…}`, and has it say what is true of clients: the
    /// library knows another interval, and names the limit of its own answers. A client that
    /// believes that puts more into a post than is taken.
    pub(super) fn correct(packet: &[u8]) -> Option<Self> {
        let open = packet.strip_prefix(b"0")?;
        let mut open: Self = serde_json::from_slice(open).ok()?;
        open.ping_interval += EARLY;
        open.max_payload = INBOUND_LIMIT;
        Some(open)
    }

    /// The packet.
    pub(super) fn packet(&self) -> Option<String> {
        let open = serde_json::to_string(self).ok()?;
        Some(format!("0{open}"))
    }
}
