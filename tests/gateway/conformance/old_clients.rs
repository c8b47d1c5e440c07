//! Clients of Socket.IO 2, which speak Engine.IO 3: they are not served, and are told so in their
//! own protocol, as it was at that version
//! (<https://github.com/socketio/engine.io-protocol/tree/v3>).

use serde_json::{Value, json};

use super::wire::Socket;
use super::{SHORT_HEARTBEAT, start};
use crate::harness::raw::ask;
use crate::harness::{Client, TestGateway};

const WEBSOCKET: &str = "/socket.io/?EIO=3&transport=websocket";
const ERROR: &str =
    r#"44"Unsupported protocol version: this server needs socket.io-client 3 or newer""#;

fn is_open(packet: &str) {
    let open: Value = serde_json::from_str(packet.strip_prefix('0').unwrap()).unwrap();
    assert!(!open["sid"].as_str().unwrap().is_empty());
    assert_eq!(open["upgrades"], json!([]));
    assert_eq!(open["pingInterval"], 300);
    assert_eq!(open["pingTimeout"], 200);
}

/// The packets of a payload of version 3, each of which has its length before it.
fn packets(mut payload: &str) -> Vec<&str> {
    let mut packets = Vec::new();
    while let Some((length, rest)) = payload.split_once(':') {
        let (packet, rest) = rest.split_at(length.parse().unwrap());
        packets.push(packet);
        payload = rest;
    }
    assert_eq!(payload, "");
    packets
}

#[tokio::test]
async fn over_a_websocket_an_eio_3_client_gets_an_error_and_is_closed() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let mut socket = Socket::at(gateway.address(), WEBSOCKET).await;
    is_open(&socket.text().await.unwrap());
    socket.receives(ERROR).await;
    socket.receives("41").await;
    // Its own namespaces are closed too, so that it does not come back.
    let mut with_namespace = Socket::at(gateway.address(), WEBSOCKET).await;
    with_namespace.send("40/admin?token=1234").await;
    is_open(&with_namespace.text().await.unwrap());
    with_namespace.receives(ERROR).await;
    with_namespace.receives("41").await;
    with_namespace.receives("41/admin,").await;
    for mut socket in [socket, with_namespace] {
        assert!(socket.is_closed().await);
    }
}

#[tokio::test]
async fn over_polling_an_eio_3_client_gets_an_error_in_one_answer() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let line = "GET /socket.io/?EIO=3&transport=polling&t=N8hyd6w&b64=1";
    let answer = ask(gateway.address(), line, &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=UTF-8")
    );
    let packets = packets(&answer.body);
    is_open(packets[0]);
    assert_eq!(packets[1..], [ERROR, "41", "1"]);
    // There is no such session.
    let open: Value = serde_json::from_str(&packets[0][1..]).unwrap();
    let next = format!("{line}&sid={}", open["sid"].as_str().unwrap());
    assert_eq!(ask(gateway.address(), &next, &[]).await.status, 400);
}

/// How many sessions there are.
async fn sessions(gateway: &TestGateway) -> usize {
    let url = format!("http://{}/metrics", gateway.address());
    let page = crate::harness::http()
        .get(url)
        .bearer_auth(crate::harness::API_KEY);
    let page = page.send().await.unwrap().text().await.unwrap();
    let lines = page
        .lines()
        .filter(|line| line.starts_with("agent_gateway_sessions{"));
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as usize)
        .sum()
}

#[tokio::test]
async fn an_eio_3_client_takes_no_connection_permit() {
    let (_broker, gateway) = start(&[("MAX_CONNECTIONS", "1")]).await;
    let mut old = Socket::at(gateway.address(), WEBSOCKET).await;
    assert!(old.text().await.unwrap().starts_with('0'));
    assert_eq!(sessions(&gateway).await, 0);
    let mut agent = Client::open(gateway.address(), "").await;
    agent.connect("/", &super::wire::auth()).await;
    agent.joined().await;
    // And there is room to be told so when all places are taken.
    let mut late = Socket::at(gateway.address(), WEBSOCKET).await;
    assert!(late.text().await.unwrap().starts_with('0'));
    late.receives(ERROR).await;
}
