//! The same small client over HTTP long-polling: it takes what has come when it asks, not before.

use std::collections::VecDeque;

use serde_json::Value;
use tokio::task::JoinHandle;

use super::client::{Received, parse, prefix};
use super::{DEADLINE, claims, sign};

pub(crate) struct PollingClient {
    http: reqwest::Client,
    url: String,
    waiting: VecDeque<String>,
}

impl PollingClient {
    /// An agent that has asked to join by the root door.
    pub(crate) async fn join(
        address: &str,
        tenant: &str,
        conversation: &str,
        cursor: &Value,
    ) -> Self {
        let query = format!("&tenantId={tenant}&conversationId={conversation}");
        let client = Self::open(address, &query).await;
        let auth = serde_json::json!({"token": sign(&claims(tenant)), "cursor": cursor});
        client.connect("/", &auth).await;
        client
    }

    /// Opens the session; `query` is added to that of the handshake.
    pub(crate) async fn open(address: &str, query: &str) -> Self {
        let http = super::http();
        let url = format!("http://{address}/socket.io/?EIO=4&transport=polling");
        let open = http.get(format!("{url}{query}")).send().await.unwrap();
        let open = open.text().await.unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        let sid = open["sid"].as_str().unwrap();
        Self {
            url: format!("{url}&sid={sid}"),
            http,
            waiting: VecDeque::new(),
        }
    }

    /// Asks for a namespace.
    pub(crate) async fn connect(&self, namespace: &str, auth: &Value) {
        self.send(format!("40{}{auth}", prefix(namespace))).await;
    }

    /// Asks for many in as few requests as they fit into.
    pub(crate) fn connect_all(&self, namespaces: &[String], auth: &Value) -> JoinHandle<()> {
        let packets: Vec<_> = namespaces
            .iter()
            .map(|namespace| format!("40{}{auth}", prefix(namespace)))
            .collect();
        let (http, url) = (self.http.clone(), self.url.clone());
        tokio::spawn(async move {
            for packets in packets.chunks(150) {
                let answer = http.post(&url).body(packets.join("\x1e")).send().await;
                assert!(answer.unwrap().status().is_success());
            }
        })
    }

    /// Posts anything, and answers the status.
    pub(crate) async fn post(&self, body: String) -> u16 {
        let answer = self.http.post(&self.url).body(body).send().await.unwrap();
        answer.status().as_u16()
    }

    async fn send(&self, packet: String) {
        let status = self.post(packet).await;
        assert!((200..300).contains(&status), "{status}");
    }

    /// The next packet; polls when none is left of the last answer.
    pub(crate) async fn next(&mut self) -> Received {
        loop {
            match self.waiting.pop_front() {
                Some(packet) if packet.starts_with('4') => return parse(&packet[1..]),
                Some(packet) if packet == "2" => self.send("3".to_owned()).await,
                Some(packet) if packet == "6" => {}
                Some(packet) => {
                    assert_eq!(packet, "1");
                    return Received::Closed;
                }
                None => {
                    let poll = self.http.get(&self.url).timeout(DEADLINE).send().await;
                    let answer = poll.unwrap();
                    if !answer.status().is_success() {
                        return Received::Closed;
                    }
                    let answer = answer.text().await.unwrap();
                    self.waiting = answer.split('\x1e').map(str::to_owned).collect();
                }
            }
        }
    }
}
