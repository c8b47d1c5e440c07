//! Socket.IO: the end of the connection to a namespace.

use serde_json::json;

use super::wire::{Polling, Socket, auth, members};
use super::{NO_PINGS, start};
use crate::harness::{TestGateway, until};

async fn has_left(gateway: &TestGateway, conversation: &str) {
    until("it has left", async || {
        members(gateway, conversation).await == 0
    })
    .await;
}

#[tokio::test]
async fn disconnect_from_the_root_namespace_is_not_answered_and_keeps_the_connection() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in ["41", "41/,", "41/"] {
        let mut socket = Socket::joined(&gateway).await;
        socket.send(packet).await;
        has_left(&gateway, "c-1").await;
        socket.stays_open(packet).await;
    }
}

#[tokio::test]
async fn disconnect_from_one_namespace_keeps_the_others() {
    // With the comma, and without, which nothing has to be kept from.
    for packet in ["41/tenant/acme/conv/c-2,", "41/tenant/acme/conv/c-2"] {
        // Of what happened in the conversation before, nothing is to be told.
        let (_broker, gateway) = start(&NO_PINGS).await;
        let mut socket = Socket::joined(&gateway).await;
        socket.connect("/tenant/acme/conv/c-2,").await;
        socket.send(packet).await;
        has_left(&gateway, "c-2").await;
        assert_eq!(members(&gateway, "c-1").await, 1, "{packet}");
        for conversation in ["c-2", "c-1"] {
            let emit = json!({"tenantId": "acme", "conversationId": conversation,
                "event": "note", "payload": {"in": conversation}});
            assert_eq!(gateway.emit(&emit).await.0, 200);
        }
        let event = socket.text().await.unwrap();
        assert!(event.starts_with(r#"42["note",{"in":"c-1"},"#), "{event}");
    }
}

#[tokio::test]
async fn a_client_may_connect_again_after_a_disconnect() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    for _ in 0..3 {
        socket.send("41").await;
        socket.connect("").await;
    }
    until("it is there once", async || {
        members(&gateway, "c-1").await == 1
    })
    .await;
}

#[tokio::test]
async fn disconnect_over_polling_ends_the_membership() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send(&format!("40{}", auth())).await;
    until("it has joined", async || {
        members(&gateway, "c-1").await == 1
    })
    .await;
    polling.send("41").await;
    has_left(&gateway, "c-1").await;
}

#[tokio::test]
async fn disconnect_from_a_namespace_not_joined_is_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut stranger = Socket::open(&gateway).await;
    let mut member = Socket::joined(&gateway).await;
    for packet in [
        "41/tenant/acme/conv/c-1,",
        "41/nowhere",
        "41/tenant/acme/conv/c-9",
    ] {
        stranger.send(packet).await;
        member.send(packet).await;
    }
    stranger.stays_open("leaving nothing").await;
    member.stays_open("leaving nothing").await;
    assert_eq!(members(&gateway, "c-1").await, 1);
}

#[tokio::test]
async fn a_server_disconnect_is_a_disconnect_packet_of_the_namespace() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    socket.connect("/tenant/acme/conv/c-2,").await;
    for (conversation, packet) in [("c-2", "41/tenant/acme/conv/c-2,"), ("c-1", "41")] {
        let request = gateway
            .post("/internal/disconnect")
            .header("x-internal-api-key", crate::harness::API_KEY)
            .json(&json!({"tenantId": "acme", "conversationId": conversation}));
        assert_eq!(crate::harness::answer(request).await.0, 200);
        socket.receives(packet).await;
    }
    socket.stays_open("the ends").await;
}
