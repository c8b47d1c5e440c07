//! Packets of Engine.IO 4 (<https://socket.io/docs/v4/engine-io-protocol/>) and of Socket.IO 5
//! (<https://socket.io/docs/v4/socket-io-protocol/>).

use std::fmt::Display;

/// The type of an Engine.IO packet, which is its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineType {
    /// The session's id and settings.
    Open,
    /// The session ends.
    Close,
    /// Wants a pong.
    Ping,
    /// Answers a ping.
    Pong,
    /// Carries a Socket.IO packet.
    Message,
    /// The session goes on over this WebSocket.
    Upgrade,
    /// Nothing: answers a poll.
    Noop,
}

impl EngineType {
    /// Of this packet, unless it is none.
    #[must_use]
    pub fn of(packet: &[u8]) -> Option<Self> {
        Some(match packet.first()? {
            b'0' => Self::Open,
            b'1' => Self::Close,
            b'2' => Self::Ping,
            b'3' => Self::Pong,
            b'4' => Self::Message,
            b'5' => Self::Upgrade,
            b'6' => Self::Noop,
            _ => return None,
        })
    }
}

/// An Engine.IO packet that ends the session.
pub const CLOSE: &str = "1";
/// An Engine.IO packet that answers a ping.
pub const PONG: &str = "3";
/// The first packet over the WebSocket of an upgrade.
pub const PROBE: &str = "2probe";
/// The answer to it.
pub const PROBE_ANSWER: &str = "3probe";
/// The packet with which the session goes on over the WebSocket.
pub const UPGRADE: &str = "5";

/// Between the packets of a payload.
pub const SEPARATOR: char = '\u{1e}';

/// The packets of a payload.
pub fn split(payload: &str) -> impl Iterator<Item = &str> {
    payload.split(SEPARATOR)
}

/// The type of a Socket.IO packet that a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketType {
    /// The namespace is open.
    Connect,
    /// The namespace is closed.
    Disconnect,
    /// An event.
    Event,
    /// An acknowledgement of an event.
    Ack,
    /// The namespace is not opened.
    ConnectError,
}

/// A Socket.IO packet without attachments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is.
    pub kind: SocketType,
    /// With its slash.
    pub namespace: &'a str,
    /// Of an acknowledgement, or of an event that wants one.
    pub id: Option<u64>,
    /// The JSON that is left.
    pub data: &'a str,
}

impl<'a> Packet<'a> {
    /// The packet in an Engine.IO packet, unless that is another one.
    #[must_use]
    pub fn parse(packet: &'a str) -> Option<Self> {
        let (kind, rest) = packet.strip_prefix('4')?.split_at_checked(1)?;
        let kind = match kind {
            "0" => SocketType::Connect,
            "1" => SocketType::Disconnect,
            "2" => SocketType::Event,
            "3" => SocketType::Ack,
            "4" => SocketType::ConnectError,
            _ => return None,
        };
        let (namespace, rest) = match rest.starts_with('/') {
            true => rest.split_once(',').unwrap_or((rest, "")),
            false => ("/", rest),
        };
        let digits = rest.find(|c: char| !c.is_ascii_digit());
        let (id, data) = rest.split_at(digits.unwrap_or(0));
        Some(Self {
            kind,
            namespace,
            id: id.parse().ok(),
            data,
        })
    }
}

/// An Engine.IO packet with a Socket.IO CONNECT.
#[must_use]
pub fn connect(namespace: &str, auth: impl Display) -> String {
    format!("40{}{auth}", prefix(namespace))
}

/// An Engine.IO packet with a Socket.IO DISCONNECT.
#[must_use]
pub fn disconnect(namespace: &str) -> String {
    format!("41{}", prefix(namespace))
}

/// An Engine.IO packet with a Socket.IO EVENT; with an `id`, it wants to be acknowledged.
#[must_use]
pub fn event(namespace: &str, id: Option<u64>, args: impl Display) -> String {
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    format!("42{}{id}{args}", prefix(namespace))
}

fn prefix(namespace: &str) -> String {
    match namespace {
        "/" => String::new(),
        namespace => format!("{namespace},"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test, what cannot be is a failure")]
mod tests {
    use super::*;

    #[test]
    fn packets_are_split_into_type_namespace_id_and_data() {
        for (packet, kind, namespace, id, data) in [
            ("40", SocketType::Connect, "/", None, ""),
            (
                r#"40{"sid":"x"}"#,
                SocketType::Connect,
                "/",
                None,
                r#"{"sid":"x"}"#,
            ),
            ("40/a,{}", SocketType::Connect, "/a", None, "{}"),
            ("41/a", SocketType::Disconnect, "/a", None, ""),
            (r#"42["x",1]"#, SocketType::Event, "/", None, r#"["x",1]"#),
            (
                r#"42/a/b,7["x,y"]"#,
                SocketType::Event,
                "/a/b",
                Some(7),
                r#"["x,y"]"#,
            ),
            ("4312[]", SocketType::Ack, "/", Some(12), "[]"),
            ("44/a,{}", SocketType::ConnectError, "/a", None, "{}"),
        ] {
            let expected = Packet {
                kind,
                namespace,
                id,
                data,
            };
            assert_eq!(Packet::parse(packet), Some(expected), "{packet}");
        }
    }

    #[test]
    fn other_packets_are_none() {
        for packet in ["", "2", "4", "4x", "45-/a,[]", "30", "4é"] {
            assert_eq!(Packet::parse(packet), None, "{packet}");
        }
    }

    #[test]
    fn what_is_composed_is_parsed_again() {
        let event = event("/a", Some(3), "[1]");
        let parsed = Packet::parse(&event).unwrap();
        assert_eq!(
            (parsed.namespace, parsed.id, parsed.data),
            ("/a", Some(3), "[1]")
        );
        assert_eq!(connect("/", "{}"), "40{}");
        assert_eq!(disconnect("/a"), "41/a,");
    }
}
