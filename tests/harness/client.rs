//! A small Socket.IO v5 client over WebSocket (<https://socket.io/docs/v4/socket-io-protocol/>):
//! it shows every packet as it comes, which the official one does not.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async};

use super::DEADLINE;

pub(crate) struct Client {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

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

impl Client {
    /// Opens the Engine.IO connection; `query` is added to that of the handshake.
    pub(crate) async fn open(address: &str, query: &str) -> Self {
        let client = Self::try_open(address, query).await;
        client.expect("no connection for a client")
    }

    /// The same, where there may be no room.
    pub(crate) async fn try_open(address: &str, query: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::over(stream, address, query).await
    }

    /// The same, with a path in front of Socket.IO's.
    pub(crate) async fn open_below(address: &str, path: &str, query: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let client = Self::over(stream, &format!("{address}{path}"), query).await;
        client.expect("no connection for a client")
    }

    /// The same, for who is not going to read: the kernel takes little for it meanwhile. Left
    /// alone, that is up to as much as the machine is configured for, which may be all there is.
    pub(crate) async fn open_narrow(address: &str, query: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 << 10).unwrap();
        let stream = socket.connect(address.parse().unwrap()).await.unwrap();
        let client = Self::over(stream, address, query).await;
        client.expect("no connection for a client")
    }

    async fn over(stream: TcpStream, address: &str, query: &str) -> Option<Self> {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket{query}");
        let stream = MaybeTlsStream::Plain(stream);
        let (stream, _) = client_async(url, stream).await.ok()?;
        let mut client = Self { stream };
        let open = client.text().await.unwrap();
        assert!(open.starts_with('0'), "{open}");
        Some(client)
    }

    /// Asks for a namespace.
    pub(crate) async fn connect(&mut self, namespace: &str, auth: &Value) {
        self.send(&format!("40{}{auth}", prefix(namespace))).await;
    }

    /// Emits an event.
    pub(crate) async fn emit(&mut self, namespace: &str, args: &Value) {
        self.send(&format!("42{}{args}", prefix(namespace))).await;
    }

    /// Emits an event that wants an answer.
    pub(crate) async fn ask(&mut self, namespace: &str, id: u64, args: &Value) {
        self.send(&format!("42{}{id}{args}", prefix(namespace)))
            .await;
    }

    /// Leaves a namespace.
    pub(crate) async fn leave(&mut self, namespace: &str) {
        self.send(&format!("41{}", prefix(namespace))).await;
    }

    pub(crate) async fn send(&mut self, packet: &str) {
        self.stream.send(Message::text(packet)).await.unwrap();
    }

    /// The same, to a server that may have hung up.
    pub(crate) async fn try_send(&mut self, packet: &str) {
        self.stream.send(Message::text(packet)).await.ok();
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        let message = Message::binary(bytes.to_vec());
        self.stream.send(message).await.unwrap();
    }

    /// The next packet. Heartbeats are answered on the way.
    pub(crate) async fn next(&mut self) -> Received {
        match tokio::time::timeout(DEADLINE, self.packet()).await {
            Ok(received) => received,
            Err(_) => panic!("nothing comes any more"),
        }
    }

    /// The next event's name and arguments; anything else is a failure.
    pub(crate) async fn event(&mut self) -> Received {
        match self.next().await {
            event @ Received::Event { .. } => event,
            other => panic!("not an event: {other:?}"),
        }
    }

    /// The arguments of `joined`, which come after the CONNECT and before anything else.
    pub(crate) async fn joined(&mut self) -> Value {
        match self.next().await {
            Received::Connected(_) => {}
            other => panic!("not connected: {other:?}"),
        }
        let joined = self.event().await;
        assert_eq!(joined.name(), "joined");
        joined.data().clone()
    }

    /// The messageIds of the next `count` events.
    pub(crate) async fn message_ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            ids.push(self.event().await.message_id().to_owned());
        }
        ids
    }

    async fn packet(&mut self) -> Received {
        loop {
            let Some(text) = self.text().await else {
                return Received::Closed;
            };
            match text.as_bytes()[0] {
                // The server may be gone by now, with more of what it sent still to be read.
                b'2' => drop(self.stream.send(Message::text("3")).await),
                b'4' => return parse(&text[1..]),
                b'1' => return Received::Closed,
                b'6' => {}
                _ => panic!("unexpected packet: {text}"),
            }
        }
    }

    async fn text(&mut self) -> Option<String> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}

pub(super) fn prefix(namespace: &str) -> String {
    match namespace {
        "/" => String::new(),
        namespace => format!("{namespace},"),
    }
}

pub(super) fn parse(packet: &str) -> Received {
    let (kind, rest) = packet.split_at(1);
    let (namespace, data) = match rest.strip_prefix('/') {
        Some(path) => {
            let (path, data) = path.split_once(',').unwrap_or((path, ""));
            (format!("/{path}"), data)
        }
        None => ("/".to_owned(), rest),
    };
    let (id, data) = data.split_at(data.find(|c: char| !c.is_ascii_digit()).unwrap_or(0));
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    match kind {
        "0" => Received::Connected(namespace),
        "1" => Received::Disconnected(namespace),
        "2" => {
            let mut args = data.as_array().unwrap().clone();
            let name = args.remove(0).as_str().unwrap().to_owned();
            Received::Event {
                namespace,
                name,
                args,
            }
        }
        "3" => Received::Ack {
            namespace,
            id: id.parse().unwrap(),
            args: data.as_array().unwrap().clone(),
        },
        "4" => Received::Refused(data["message"].as_str().unwrap().to_owned()),
        _ => panic!("unexpected packet: {packet}"),
    }
}
