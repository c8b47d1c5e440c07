//! HTTP long-polling: late and slow clients, and polls beside a WebSocket.

use std::time::Duration;

use engineio_client::packet::split;
use engineio_client::{POLLING, UPGRADE, WebSocket};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::harness::{API_KEY, Broker, Client, DEADLINE, Raw, Received, TestGateway, claims, sign};

const IDS: &str = "&tenantId=acme&conversationId=c-1";

fn auth() -> Value {
    json!({"token": sign(&claims("acme")), "replay": false})
}

/// A session that polls over this connection, at this path.
async fn poll(gateway: &TestGateway) -> (Raw, String) {
    let mut raw = Raw::open(gateway.address()).await;
    let open = raw.ask(&format!("GET {POLLING}{IDS}"), &[]).await.json();
    let sid = open["sid"].as_str().unwrap();
    (raw, format!("{POLLING}&sid={sid}"))
}

#[tokio::test]
async fn a_connect_error_is_kept_for_a_late_poll() {
    let broker = Broker::new().await;
    let limits = [("MAX_CONNECTIONS", "1")];
    let gateway = TestGateway::ready_with(&broker, &limits).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let http = crate::harness::http();
    let (mut late, path) = poll(&gateway).await;
    let url = format!("http://{}{path}", gateway.address());
    let connect = http.post(url).body(format!("40{}", auth()));
    assert_eq!(connect.send().await.unwrap().status(), 200);
    // Longer than the gateway waits with the end of the session.
    sleep(Duration::from_millis(300)).await;
    let refusal = r#"44{"message":"Too many connections"}"#;
    let mut packets = Vec::new();
    // All in one answer, unless the machine is so busy that the end comes later still.
    while !packets.iter().any(|packet| packet == "1") {
        let answer = late.ask(&format!("GET {path}"), &[]).await;
        assert_eq!(answer.status, 200, "{answer:?} after {packets:?}");
        packets.extend(split(&answer.body).map(str::to_owned));
    }
    packets.sort();
    // The first ping is among them.
    assert_eq!(packets, ["1", "2", refusal]);
    let after = late.ask(&format!("GET {path}"), &[]).await;
    assert_eq!(after.json()["message"], "Session ID unknown");
    agent.ask("/", 1, &json!(["refresh_token", {}])).await;
    assert!(matches!(agent.next().await, Received::Ack { .. }));
}

#[tokio::test]
async fn polls_of_an_upgraded_session_are_rejected_and_buffer_nothing() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let http = crate::harness::http();
    for number in 0..120 {
        let event = json!({
            "tenantId": "acme", "conversationId": "c-1", "event": "note",
            "payload": {"number": number, "text": "x".repeat(250_000)},
        });
        let url = format!("http://{}/internal/emit", gateway.address());
        let call = http.post(url).bearer_auth(API_KEY).json(&event);
        assert_eq!(call.send().await.unwrap().status(), 200);
    }
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let address = gateway.address();
        let url = format!("http://{address}{POLLING}{IDS}");
        let open = http.get(&url).send().await;
        let open = open.unwrap().text().await.unwrap();
        let open: Value = serde_json::from_str(&open[1..]).unwrap();
        let sid = open["sid"].as_str().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let socket = WebSocket::upgrade(stream, address, sid).await;
        let mut socket = socket.unwrap();
        let connect = format!("40{}", json!({"token": sign(&claims("acme"))}));
        socket.send(&connect).await.unwrap();
        // The answer; of what follows nothing is read.
        let answer = loop {
            match socket.text().await.unwrap() {
                ping if ping.starts_with('2') => {}
                answer => break answer,
            }
        };
        assert!(answer.starts_with("40"), "{answer}");
        sessions.push((socket, format!("{url}&sid={sid}")));
    }
    let before = gateway.memory();
    for _ in 0..150 {
        for (_, poll) in &sessions {
            let answer = http.get(poll).timeout(DEADLINE).send().await.unwrap();
            assert_eq!(answer.status(), 400);
        }
    }
    let more = gateway.memory().saturating_sub(before);
    assert!(more < 40 << 20, "{} MiB more", more >> 20);
}

#[tokio::test]
async fn a_slow_polling_client_opens_150_namespaces_in_one_post() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut polling = Client::open_polling(gateway.address(), "").await;
    // As many as fit into one request.
    let namespaces: Vec<_> = (0..150)
        .map(|number| format!("/tenant/acme/conv/{number}"))
        .collect();
    let poster = polling.connect_all(&namespaces, &auth());
    let mut joined = 0;
    while joined < 150 {
        match polling.next().await {
            Received::Connected(_) => {}
            event => joined += usize::from(event.name() == "joined"),
        }
        // The better part of a second for an answer to a poll.
        sleep(Duration::from_millis(60)).await;
    }
    poster.await.unwrap();
}

#[tokio::test]
async fn an_upgrade_request_over_http_1_0_is_rejected_and_the_session_keeps_polling() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("PING_INTERVAL_MS", "1000")]).await;
    let (mut raw, path) = poll(&gateway).await;
    let upgrade = path.replace("polling", "websocket");
    let mut old = Raw::open(gateway.address()).await;
    let headers = UPGRADE.join("\r\n");
    old.send(format!(
        "GET {upgrade} HTTP/1.0\r\nhost: x\r\n{headers}\r\n\r\n"
    ))
    .await;
    assert_eq!(old.answer().await.status, 426);
    // The first ping.
    assert_eq!(raw.ask(&format!("GET {path}"), &[]).await.body, "2");
}
