//! What a server says in Socket.IO packets.

use engineio_client::packet::{Packet, SocketType};
use serde_json::Value;

/// A packet from the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Received {
    /// CONNECT: the namespace is open.
    Connected(String),
    /// CONNECT_ERROR, with its message.
    Refused(String),
    /// EVENT.
    Event {
        namespace: String,
        name: String,
        args: Vec<Value>,
    },
    /// ACK.
    Ack {
        namespace: String,
        id: u64,
        args: Vec<Value>,
    },
    /// DISCONNECT: "io server disconnect".
    Disconnected(String),
    /// The connection is closed.
    Closed,
}

impl Received {
    /// Of an Engine.IO packet with a Socket.IO packet in it.
    pub(super) fn parse(packet: &str) -> Self {
        let Some(parsed) = Packet::parse(packet) else {
            panic!("unexpected packet: {packet}");
        };
        let namespace = parsed.namespace.to_owned();
        let data: Value = serde_json::from_str(parsed.data).unwrap_or_default();
        let args = || data.as_array().unwrap().clone();
        match parsed.kind {
            SocketType::Connect => Self::Connected(namespace),
            SocketType::Disconnect => Self::Disconnected(namespace),
            SocketType::Event => {
                let mut args = args();
                let name = args.remove(0).as_str().unwrap().to_owned();
                Self::Event {
                    namespace,
                    name,
                    args,
                }
            }
            SocketType::Ack => Self::Ack {
                namespace,
                id: parsed.id.unwrap(),
                args: args(),
            },
            SocketType::ConnectError => Self::Refused(data["message"].as_str().unwrap().to_owned()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Event { name, .. } => name,
            other => panic!("not an event: {other:?}"),
        }
    }

    /// The first argument.
    pub(crate) fn data(&self) -> &Value {
        match self {
            Self::Event { args, .. } => &args[0],
            other => panic!("not an event: {other:?}"),
        }
    }

    /// The second argument.
    pub(crate) fn meta(&self) -> &Value {
        match self {
            Self::Event { args, .. } => &args[1],
            other => panic!("not an event: {other:?}"),
        }
    }

    pub(crate) fn message_id(&self) -> &str {
        self.data()["messageId"].as_str().unwrap()
    }

    pub(crate) fn cursor(&self) -> Value {
        self.meta()["cursor"].clone()
    }
}
