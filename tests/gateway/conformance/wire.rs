//! Sessions as packets on the wire: nothing is answered, skipped or interpreted that a test has not asked for.

use engineio_client::frame::Opcode;
use engineio_client::packet::split;
use engineio_client::{Message, WebSocket};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::raw::{Answer, Raw, ask};
use crate::harness::{DEADLINE, TestGateway, claims, sign};

pub(super) use engineio_client::packet::SEPARATOR;
pub(super) use engineio_client::{POLLING, UPGRADE, WEBSOCKET};

/// A CONNECT's payload, with which acme's conversation c-1 is joined through the root namespace, and
/// any of acme's through its own.
pub(super) fn auth() -> Value {
    json!({"token": sign(&claims("acme")), "tenantId": "acme", "conversationId": "c-1"})
}

/// A session that polls.
#[derive(Clone)]
pub(super) struct Polling {
    address: String,
    pub(super) sid: String,
}

impl Polling {
    pub(super) async fn open(gateway: &TestGateway) -> Self {
        let open = ask(gateway.address(), &format!("GET {POLLING}"), &[]).await;
        assert_eq!(open.status, 200, "{open:?}");
        assert!(open.body.starts_with('0'), "{open:?}");
        Self {
            address: gateway.address().to_owned(),
            sid: open.json()["sid"].as_str().unwrap().to_owned(),
        }
    }

    fn target(&self) -> String {
        format!("{POLLING}&sid={}", self.sid)
    }

    pub(super) async fn get(&self) -> Answer {
        ask(&self.address, &format!("GET {}", self.target()), &[]).await
    }

    /// A poll that is answered when there is something.
    pub(super) fn waiting_get(&self) -> JoinHandle<Answer> {
        let session = self.clone();
        tokio::spawn(async move { session.get().await })
    }

    pub(super) async fn post(&self, payload: &str) -> Answer {
        let mut raw = self.begin_post(payload.len()).await;
        raw.send(payload).await;
        raw.answer().await
    }

    /// A post of which the body is still to come.
    pub(super) async fn begin_post(&self, length: usize) -> Raw {
        let mut raw = Raw::open(&self.address).await;
        raw.begin_post(&self.target(), length).await;
        raw
    }

    /// Posts what is to be taken.
    pub(super) async fn send(&self, payload: &str) {
        let answer = self.post(payload).await;
        assert_eq!((answer.status, &*answer.body), (200, "ok"), "{payload}");
    }

    /// The packets of the next answer.
    pub(super) async fn packets(&self) -> Vec<String> {
        let answer = self.get().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=UTF-8")
        );
        split(&answer.body).map(str::to_owned).collect()
    }

    /// The next packets, as many as this at least.
    pub(super) async fn receive(&self, count: usize) -> Vec<String> {
        let mut packets = Vec::new();
        while packets.len() < count {
            packets.extend(self.packets().await);
        }
        packets
    }

    /// Waits until the session is not known any more. Whatever its polls are answered with before
    /// is told.
    pub(super) async fn ended(&self) -> Vec<String> {
        let mut packets = Vec::new();
        loop {
            let answer = self.get().await;
            if answer.status == 400 {
                assert_eq!(answer.json(), error(1, "Session ID unknown"));
                return packets;
            }
            packets.extend(split(&answer.body).map(str::to_owned));
        }
    }

    /// The WebSocket of an upgrade that has just begun.
    pub(super) async fn websocket(&self) -> Socket {
        let path = format!("{WEBSOCKET}&sid={}", self.sid);
        Socket::at(&self.address, &path).await
    }
}

/// A WebSocket.
pub(super) struct Socket(WebSocket);

impl Socket {
    /// Whatever it is the beginning of.
    pub(super) async fn at(address: &str, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self(WebSocket::connect(stream, address, path).await.unwrap())
    }

    /// A session, and its OPEN packet's payload.
    pub(super) async fn open_with(gateway: &TestGateway, query: &str) -> (Self, Value) {
        let mut socket = Self::at(gateway.address(), &format!("{WEBSOCKET}{query}")).await;
        let open = socket.text().await.unwrap();
        let open = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        (socket, open)
    }

    pub(super) async fn open(gateway: &TestGateway) -> Self {
        Self::open_with(gateway, "").await.0
    }

    /// A session that has joined acme's conversation c-1.
    pub(super) async fn joined(gateway: &TestGateway) -> Self {
        let mut socket = Self::open(gateway).await;
        socket.connect("").await;
        socket
    }

    /// Joins; `namespace` is empty for the root, else it has its comma.
    pub(super) async fn connect(&mut self, namespace: &str) {
        self.send(&format!("40{namespace}{}", auth())).await;
        let answer = self.text().await.unwrap();
        assert!(
            answer.starts_with(&format!("40{namespace}{{\"sid\":")),
            "{answer}"
        );
        let joined = self.text().await.unwrap();
        let event = format!("42{namespace}[\"joined\",");
        assert!(joined.starts_with(&event), "{joined}");
    }

    pub(super) async fn send(&mut self, packet: &str) {
        self.0.send(packet).await.unwrap();
    }

    /// The same, to a server that may have hung up.
    pub(super) async fn try_send(&mut self, packet: &str) {
        self.0.send(packet).await.ok();
    }

    /// Sends a ping of the WebSocket protocol's own, and reads the next message, whatever it is.
    pub(super) async fn ping(&mut self, payload: &[u8]) -> Message {
        let sent = self.0.send_frame(Opcode::Ping, true, payload);
        sent.await.unwrap();
        self.0.next().await.unwrap().unwrap()
    }

    pub(super) async fn send_binary(&mut self, bytes: &[u8]) {
        let sent = self.0.send_frame(Opcode::Binary, true, bytes);
        sent.await.unwrap();
    }

    /// The next packet; none: the server has closed the WebSocket.
    pub(super) async fn text(&mut self) -> Option<String> {
        loop {
            let next = timeout(DEADLINE, self.0.next()).await;
            match next.expect("nothing comes any more") {
                Ok(Some(Message::Text(text))) => return Some(text),
                Ok(Some(Message::Close) | None) | Err(_) => return None,
                Ok(Some(Message::Binary(bytes))) => panic!("{bytes:?}"),
                Ok(Some(Message::Pong(_))) => {}
            }
        }
    }

    /// The next packet is this one.
    pub(super) async fn receives(&mut self, packet: &str) {
        assert_eq!(self.text().await.as_deref(), Some(packet));
    }

    /// Whether the server says that it closes the WebSocket, and with nothing before.
    pub(super) async fn is_closed(&mut self) -> bool {
        let next = timeout(DEADLINE, self.0.next()).await;
        matches!(next, Ok(Ok(Some(Message::Close))))
    }

    /// Waits until the server has closed the WebSocket, and tells what came before.
    pub(super) async fn ended(&mut self) -> Vec<String> {
        let mut packets = Vec::new();
        while let Some(packet) = self.text().await {
            packets.push(packet);
        }
        packets
    }

    /// The session is served as before: it asks for what there is not, and nothing comes before the
    /// answer.
    pub(super) async fn stays_open(&mut self, after: &str) {
        self.send("40/nowhere,").await;
        let answer = self.text().await;
        assert_eq!(answer.as_deref(), Some(NOWHERE), "{after}");
    }

    /// Closes it as browsers do.
    pub(super) async fn close(self) {
        self.0.close().await.unwrap();
    }
}

pub(super) const NOWHERE: &str = r#"44/nowhere,{"message":"Invalid namespace"}"#;

/// What Engine.IO answers to a request that it cannot serve.
pub(super) fn error(code: u8, message: &str) -> Value {
    json!({"code": code, "message": message})
}

/// What is answered to a request for a WebSocket.
pub(super) async fn ask_for_websocket(gateway: &TestGateway, path: &str) -> Answer {
    ask(gateway.address(), &format!("GET {path}"), &UPGRADE).await
}

/// The members of a conversation of acme's.
pub(super) async fn members(gateway: &TestGateway, conversation: &str) -> usize {
    let path = format!("/internal/conversations/acme/{conversation}");
    let (_, body) = gateway.get_with_key(&path).await;
    body["members"].as_array().unwrap().len()
}
