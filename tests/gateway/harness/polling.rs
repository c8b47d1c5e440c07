//! The same small client over HTTP long-polling: it takes what has come when it asks, not before.

use std::collections::VecDeque;

use serde_json::Value;

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
        let http = reqwest::Client::new();
        let url = format!(
            "http://{address}/socket.io/?EIO=4&transport=polling&tenantId={tenant}&conversationId={conversation}"
        );
        let open = http.get(&url).send().await.unwrap().text().await.unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        let sid = open["sid"].as_str().unwrap();
        let client = Self {
            url: format!("http://{address}/socket.io/?EIO=4&transport=polling&sid={sid}"),
            http,
            waiting: VecDeque::new(),
        };
        let auth = serde_json::json!({"token": sign(&claims(tenant)), "cursor": cursor});
        client.send(format!("40{}{auth}", prefix("/"))).await;
        client
    }

    async fn send(&self, packet: String) {
        let answer = self.http.post(&self.url).body(packet).send().await.unwrap();
        assert!(answer.status().is_success());
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
