//! Engine.IO: from polling to a WebSocket.

use super::wire::{NOWHERE, Polling, Socket, UPGRADE, WEBSOCKET, auth, error, members};
use super::{NO_PINGS, start};
use crate::harness::raw::ask;
use crate::harness::{TestGateway, until};

/// A session whose WebSocket carries it, as it has shown.
async fn upgraded(gateway: &TestGateway) -> (Polling, Socket) {
    let polling = Polling::open(gateway).await;
    let mut socket = polling.websocket().await;
    socket.send("2probe").await;
    socket.receives("3probe").await;
    socket.send("5").await;
    socket.stays_open("the upgrade").await;
    (polling, socket)
}

#[tokio::test]
async fn a_probe_is_answered_and_the_upgrade_packet_moves_the_session() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let (_polling, mut socket) = upgraded(&gateway).await;
    socket.connect("").await;
    assert_eq!(members(&gateway, "c-1").await, 1);
}

#[tokio::test]
async fn a_pending_poll_is_answered_with_noop_when_the_probe_comes() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    let waiting = polling.waiting_get();
    let mut socket = polling.websocket().await;
    socket.send("2probe").await;
    socket.receives("3probe").await;
    // It may have come before or after the probe.
    let answer = waiting.await.unwrap();
    assert_eq!((answer.status, &*answer.body), (200, "6"));
    assert_eq!(polling.packets().await, ["6"]);
    socket.send("5").await;
    socket.stays_open("the upgrade").await;
}

#[tokio::test]
async fn packets_buffered_while_polling_are_sent_over_the_websocket() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send("40/nowhere,").await;
    let mut socket = polling.websocket().await;
    socket.send("2probe").await;
    socket.receives("3probe").await;
    socket.send("5").await;
    socket.receives(NOWHERE).await;
}

#[tokio::test]
async fn an_upgrade_keeps_the_membership() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send(&format!("40{}", auth())).await;
    let received = polling.receive(2).await;
    assert!(received[1].starts_with(r#"42["joined","#), "{received:?}");
    let mut socket = polling.websocket().await;
    socket.send("2probe").await;
    socket.receives("3probe").await;
    socket.send("5").await;
    let emit = serde_json::json!({"tenantId": "acme", "conversationId": "c-1", "event": "note",
        "payload": {}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
    let event = socket.text().await.unwrap();
    assert!(event.starts_with(r#"42["note",{},"#), "{event}");
    assert_eq!(members(&gateway, "c-1").await, 1);
}

#[tokio::test]
async fn polling_is_rejected_after_the_upgrade() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let (polling, mut socket) = upgraded(&gateway).await;
    for answer in [polling.get().await, polling.post("40/nowhere,").await] {
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json(), error(3, "Bad request"));
    }
    socket.stays_open("polling beside it").await;
}

#[tokio::test]
async fn a_second_websocket_is_closed_and_the_first_stays_open() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let (polling, mut socket) = upgraded(&gateway).await;
    socket.connect("").await;
    for _ in 0..3 {
        let mut second = polling.websocket().await;
        assert!(second.is_closed().await);
        let mut probing = polling.websocket().await;
        probing.send("2probe").await;
        assert!(probing.is_closed().await);
        socket.stays_open("a second WebSocket").await;
    }
    assert_eq!(members(&gateway, "c-1").await, 1);
}

#[tokio::test]
async fn a_second_websocket_during_the_upgrade_is_closed_and_the_first_stays_open() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    let mut socket = polling.websocket().await;
    assert!(polling.websocket().await.is_closed().await);
    socket.send("2probe").await;
    socket.receives("3probe").await;
    assert!(polling.websocket().await.is_closed().await);
    socket.send("5").await;
    socket.stays_open("a second WebSocket").await;
}

#[tokio::test]
async fn a_session_opened_by_websocket_rejects_another_websocket() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let (mut socket, open) = Socket::open_with(&gateway, "").await;
    let sid = open["sid"].as_str().unwrap();
    let line = format!("GET {WEBSOCKET}&sid={sid}");
    assert_eq!(ask(gateway.address(), &line, &UPGRADE).await.status, 400);
    let line = line.replace("websocket", "polling");
    let polled = ask(gateway.address(), &line, &[]).await;
    assert_eq!(
        (polled.status, polled.json()),
        (400, error(3, "Bad request"))
    );
    socket.stays_open("a second WebSocket").await;
}

#[tokio::test]
async fn a_websocket_that_does_not_begin_with_a_probe_is_closed() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in ["5", "2", "2prob", "3probe", "40", "1", "6", "abc", ""] {
        let polling = Polling::open(&gateway).await;
        let mut socket = polling.websocket().await;
        socket.send(packet).await;
        assert_eq!(socket.ended().await, [""; 0], "{packet:?}");
    }
}

#[tokio::test]
async fn a_probe_without_an_upgrade_packet_does_not_upgrade() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in ["40/nowhere,", "2", "2probe", "1", "abc"] {
        let polling = Polling::open(&gateway).await;
        let mut socket = polling.websocket().await;
        socket.send("2probe").await;
        socket.receives("3probe").await;
        socket.send(packet).await;
        assert_eq!(socket.ended().await, [""; 0], "{packet:?}");
    }
}

#[tokio::test]
async fn a_session_whose_upgrade_fails_is_removed() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send(&format!("40{}", auth())).await;
    until("it has joined", async || {
        members(&gateway, "c-1").await == 1
    })
    .await;
    let mut socket = polling.websocket().await;
    socket.send("2probe").await;
    socket.receives("3probe").await;
    drop(socket);
    // Polls go on, or are told that the session ends: then its member has left.
    until("it polls or is gone", async || {
        let answer = polling.get().await;
        answer.status == 400 || answer.body != "6"
    })
    .await;
    polling.post("1").await;
    until("it has left", async || members(&gateway, "c-1").await == 0).await;
}
