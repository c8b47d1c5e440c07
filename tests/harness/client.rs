//! A Socket.IO client over either transport that shows every packet as it comes, which the official
//! one does not.

use engineio_client::frame::Opcode;
use engineio_client::packet::{self, EngineType, PONG, SEPARATOR};
use engineio_client::{Error, Session, WEBSOCKET};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use super::{DEADLINE, Received, claims, sign};

pub(crate) struct Client {
    session: Session,
}

impl Client {
    /// Opens a session over a WebSocket; `query` is added to that of the handshake.
    pub(crate) async fn open(address: &str, query: &str) -> Self {
        let client = Self::try_open(address, query).await;
        client.expect("no session for a client")
    }

    /// The same, where there may be no room.
    pub(crate) async fn try_open(address: &str, query: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::over(stream, address, &format!("{WEBSOCKET}{query}")).await
    }

    /// The same, with a path in front of Socket.IO's.
    pub(crate) async fn open_below(address: &str, path: &str, query: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let client = Self::over(stream, address, &format!("{path}{WEBSOCKET}{query}")).await;
        client.expect("no session for a client")
    }

    /// The same, for who is not going to read: the kernel takes little for it meanwhile. Left
    /// alone, that is up to as much as the machine is configured for, which may be all there is.
    pub(crate) async fn open_narrow(address: &str, query: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 << 10).unwrap();
        let stream = socket.connect(address.parse().unwrap()).await.unwrap();
        let client = Self::over(stream, address, &format!("{WEBSOCKET}{query}")).await;
        client.expect("no session for a client")
    }

    async fn over(stream: TcpStream, address: &str, target: &str) -> Option<Self> {
        let session = Session::websocket(stream, address, target).await.ok()?;
        Some(Self { session })
    }

    /// Opens a session over HTTP long-polling. It takes what has come when it asks, not before.
    pub(crate) async fn open_polling(address: &str, query: &str) -> Self {
        let session = Session::polling(address, query).await.unwrap();
        Self { session }
    }

    /// An agent that has asked to join over HTTP long-polling, by the root namespace.
    pub(crate) async fn join_polling(address: &str, tenant: &str, conversation: &str) -> Self {
        let query = format!("&tenantId={tenant}&conversationId={conversation}");
        let mut client = Self::open_polling(address, &query).await;
        let auth = json!({"token": sign(&claims(tenant))});
        client.connect("/", &auth).await;
        client
    }

    /// Asks for a namespace.
    pub(crate) async fn connect(&mut self, namespace: &str, auth: &Value) {
        self.send(&packet::connect(namespace, auth)).await;
    }

    /// Asks for many, over HTTP long-polling in as few posts as they fit into. The posts are sent
    /// while the client goes on.
    pub(crate) fn connect_all(&self, namespaces: &[String], auth: &Value) -> JoinHandle<()> {
        let Session::Polling(polling) = &self.session else {
            panic!("a WebSocket has no posts");
        };
        let mut poster = polling.poster();
        let packets = namespaces.iter().map(|name| packet::connect(name, auth));
        let packets: Vec<_> = packets.collect();
        tokio::spawn(async move {
            for packets in packets.chunks(150) {
                let payload = packets.join(&SEPARATOR.to_string());
                let status = poster.post(&payload).await.unwrap();
                assert!((200..300).contains(&status), "{status}");
            }
        })
    }

    /// Emits an event.
    pub(crate) async fn emit(&mut self, namespace: &str, args: &Value) {
        self.send(&packet::event(namespace, None, args)).await;
    }

    /// Emits an event that wants to be acknowledged.
    pub(crate) async fn ask(&mut self, namespace: &str, id: u64, args: &Value) {
        self.send(&packet::event(namespace, Some(id), args)).await;
    }

    /// Leaves a namespace.
    pub(crate) async fn leave(&mut self, namespace: &str) {
        self.send(&packet::disconnect(namespace)).await;
    }

    pub(crate) async fn send(&mut self, packet: &str) {
        match &mut self.session {
            Session::WebSocket(socket) => socket.send(packet).await.unwrap(),
            Session::Polling(_) => {
                let status = self.post(packet).await;
                assert!((200..300).contains(&status), "{status}");
            }
        }
    }

    /// The same, to a server that may have hung up.
    pub(crate) async fn try_send(&mut self, packet: &str) {
        self.session.send(packet).await.ok();
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        match &mut self.session {
            Session::WebSocket(socket) => {
                let sent = socket.send_frame(Opcode::Binary, true, bytes);
                sent.await.unwrap();
            }
            Session::Polling(_) => panic!("a payload has no binary messages"),
        }
    }

    /// Posts anything over HTTP long-polling, and answers the status.
    pub(crate) async fn post(&mut self, payload: &str) -> u16 {
        match &mut self.session {
            Session::Polling(polling) => polling.post(payload).await.unwrap(),
            Session::WebSocket(_) => panic!("a WebSocket has no posts"),
        }
    }

    /// The next packet. Heartbeats are answered on the way.
    pub(crate) async fn next(&mut self) -> Received {
        match tokio::time::timeout(DEADLINE, self.packet()).await {
            Ok(received) => received,
            Err(_) => panic!("nothing comes any more"),
        }
    }

    async fn packet(&mut self) -> Received {
        loop {
            let packet = match &mut self.session {
                Session::WebSocket(socket) => socket.text().await,
                Session::Polling(polling) => match polling.next().await {
                    Err(error @ (Error::Io(_) | Error::Protocol(_))) => panic!("a poll: {error}"),
                    packet => packet.ok(),
                },
            };
            let Some(packet) = packet else {
                return Received::Closed;
            };
            match EngineType::of(packet.as_bytes()) {
                Some(EngineType::Ping) => match &mut self.session {
                    // The server may be gone by now, with more of what it sent still to be read.
                    Session::WebSocket(socket) => socket.send(PONG).await.unwrap_or_default(),
                    Session::Polling(_) => self.send(PONG).await,
                },
                Some(EngineType::Message) => return Received::parse(&packet),
                Some(EngineType::Close) => return Received::Closed,
                Some(EngineType::Noop) => {}
                _ => panic!("unexpected packet: {packet}"),
            }
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
}
