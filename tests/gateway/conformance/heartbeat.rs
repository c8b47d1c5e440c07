//! Engine.IO: pings at the interval, and the timeout of clients that do not answer.

use super::wire::{NOWHERE, Polling, Socket, members};
use super::{LONG_PING_TIMEOUT, NO_PINGS, SHORT_HEARTBEAT, start};
use crate::harness::until;

#[tokio::test]
async fn pings_come_one_by_one_over_a_websocket_that_answers_them() {
    let (_broker, gateway) = start(&LONG_PING_TIMEOUT).await;
    let mut socket = Socket::open(&gateway).await;
    for _ in 0..4 {
        socket.receives("2").await;
        socket.send("3").await;
    }
    // No ping is sent before the one before it is answered.
    socket.receives("2").await;
    socket.stays_open("a ping").await;
}

#[tokio::test]
async fn pings_come_one_by_one_to_a_client_that_polls_and_answers_them() {
    let (_broker, gateway) = start(&LONG_PING_TIMEOUT).await;
    let polling = Polling::open(&gateway).await;
    for _ in 0..4 {
        assert_eq!(polling.packets().await, ["2"]);
        polling.send("3").await;
    }
    assert_eq!(polling.packets().await, ["2"]);
    polling.send("40/nowhere,").await;
    assert_eq!(polling.packets().await, [NOWHERE]);
}

#[tokio::test]
async fn the_first_ping_comes_when_the_interval_has_passed_and_not_before() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    socket.stays_open("its beginning").await;
    let polling = Polling::open(&gateway).await;
    polling.send("40/nowhere,").await;
    assert_eq!(polling.packets().await, [NOWHERE]);
}

#[tokio::test]
async fn unsolicited_pongs_are_ignored() {
    let (_broker, gateway) = start(&LONG_PING_TIMEOUT).await;
    let mut socket = Socket::open(&gateway).await;
    for _ in 0..5 {
        socket.send("3").await;
    }
    for _ in 0..3 {
        socket.receives("2").await;
        socket.send("3").await;
    }
}

#[tokio::test]
async fn a_websocket_without_pongs_is_closed_after_one_ping() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let mut socket = Socket::open(&gateway).await;
    let mut received = socket.ended().await;
    // The server may say that the session ends.
    received.retain(|packet| packet != "1");
    assert_eq!(received, ["2"]);
}

#[tokio::test]
async fn a_session_that_polls_without_pongs_is_closed_after_one_ping() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let polling = Polling::open(&gateway).await;
    assert_eq!(polling.packets().await, ["2"]);
    // The poll that waits when the time is over is told so; one that comes later finds nothing.
    let received = polling.ended().await;
    assert!(received.is_empty() || received == ["1"], "{received:?}");
}

#[tokio::test]
async fn a_session_without_polls_and_pongs_is_removed() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let polling = Polling::open(&gateway).await;
    let auth = super::wire::auth();
    polling.send(&format!("40{auth}")).await;
    until("the member is gone", async || {
        members(&gateway, "c-1").await == 0
    })
    .await;
    polling.ended().await;
}

#[tokio::test]
async fn a_ping_timeout_ends_the_membership() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let _silent = Socket::joined(&gateway).await;
    until("the member is gone", async || {
        members(&gateway, "c-1").await == 0
    })
    .await;
}
