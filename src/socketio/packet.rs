//! Packets, understood as far as it takes to decide what becomes of them.
//!
//! Sources: <https://socket.io/docs/v4/engine-io-protocol/#packets> and
//! <https://socket.io/docs/v4/socket-io-protocol/#packet-encoding>.

/// An Engine.IO message from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientPacket<'a> {
    /// Socket.IO's CONNECT to a namespace.
    Connect(&'a str),
    /// DISCONNECT from one.
    Disconnect(&'a str),
    /// EVENT in one.
    Event(&'a str),
    /// What no agent has a use for: acknowledgements of nothing, and everything binary.
    Unwanted,
    /// What the library knows best: pings, closes, upgrades, and what it cannot read.
    Engine,
}

impl<'a> ClientPacket<'a> {
    /// Reads the beginning of a message.
    pub(super) fn read(message: &'a [u8]) -> Self {
        let (kind, rest) = match message {
            [b'4', kind, rest @ ..] => (kind, rest),
            // `b`: binary, in a polling payload.
            [b'b', ..] => return Self::Unwanted,
            _ => return Self::Engine,
        };
        let Some(namespace) = namespace(rest) else {
            return Self::Engine;
        };
        match kind {
            b'0' => Self::Connect(namespace),
            b'1' => Self::Disconnect(namespace),
            b'2' => Self::Event(namespace),
            // ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK
            b'3'..=b'6' => Self::Unwanted,
            _ => Self::Engine,
        }
    }
}

/// The namespace of a packet that the library has written, whose type is one digit.
pub(super) fn namespace_of(packet: &[u8]) -> Option<&str> {
    namespace(packet.get(2..)?)
}

/// The namespace at the head of a packet: as the library reads it, up to a comma or the end. Of one
/// that is longer than what is seen, the beginning.
fn namespace(packet: &[u8]) -> Option<&str> {
    if packet.first() != Some(&b'/') {
        return Some("/");
    }
    let path = packet.split(|&byte| byte == b',').next()?;
    match std::str::from_utf8(path) {
        Ok(path) => Some(path),
        // The cut went through a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&path[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_recognised_with_their_namespaces() {
        use ClientPacket::*;
        for (message, expected) in [
            ("40", Connect("/")),
            (r#"40{"token":"/x,"}"#, Connect("/")),
            ("40/a", Connect("/a")),
            (r#"40/tenant/a/conv/b,{"t":1}"#, Connect("/tenant/a/conv/b")),
            ("41", Disconnect("/")),
            ("41/a,", Disconnect("/a")),
            (r#"42["x"]"#, Event("/")),
            (r#"42/a,7["x"]"#, Event("/a")),
            ("43/a,1[]", Unwanted),
            ("44/a,{}", Unwanted),
            (r#"451-["x",{"_placeholder":true}]"#, Unwanted),
            ("461-1[]", Unwanted),
            ("bAAAA", Unwanted),
            ("2", Engine),
            ("3probe", Engine),
            ("1", Engine),
            ("4", Engine),
            ("47", Engine),
            ("", Engine),
            ("é", Engine),
        ] {
            assert_eq!(
                ClientPacket::read(message.as_bytes()),
                expected,
                "{message}"
            );
        }
        assert_eq!(ClientPacket::read(b"40/\xff,"), Engine);
        // A namespace that goes on beyond what is seen, in the middle of a character.
        assert_eq!(ClientPacket::read(b"40/a\xc3"), Connect("/a"));
    }
}
