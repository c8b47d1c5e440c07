//! Engine.IO: how a client closes a session.

use super::wire::{Polling, Socket, auth, error, members};
use super::{NO_PINGS, start};
use crate::harness::until;

#[tokio::test]
async fn a_pending_poll_is_answered_at_once_when_the_client_closes_the_session() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    // A poll that comes after the close finds no session: then it is tried again.
    until("a poll waits when its session is closed", async || {
        let polling = Polling::open(&gateway).await;
        let waiting = polling.waiting_get();
        let closed = polling.post("1").await;
        assert_eq!((closed.status, &*closed.body), (200, "ok"));
        let answer = waiting.await.unwrap();
        let next = polling.get().await;
        assert_eq!(next.status, 400);
        assert_eq!(next.json(), error(1, "Session ID unknown"));
        if answer.status == 400 {
            assert_eq!(answer.json(), error(1, "Session ID unknown"));
            return false;
        }
        assert_eq!((answer.status, &*answer.body), (200, "6"));
        true
    })
    .await;
}

#[tokio::test]
async fn a_closed_session_rejects_polls_and_posts() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send("1").await;
    for answer in [polling.get().await, polling.post("40").await] {
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json(), error(1, "Session ID unknown"));
    }
}

#[tokio::test]
async fn packets_posted_before_the_close_are_processed_and_the_member_leaves() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send(&format!("40{}", auth())).await;
    until("it has joined", async || {
        members(&gateway, "c-1").await == 1
    })
    .await;
    polling.send("1").await;
    until("it has left", async || members(&gateway, "c-1").await == 0).await;
}

#[tokio::test]
async fn a_websocket_is_closed_when_its_client_closes_the_session() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut stranger = Socket::open(&gateway).await;
    stranger.send("1").await;
    assert!(stranger.is_closed().await);
    let mut member = Socket::joined(&gateway).await;
    member.send("1").await;
    assert!(member.is_closed().await);
    until("it has left", async || members(&gateway, "c-1").await == 0).await;
}

#[tokio::test]
async fn a_closed_websocket_ends_the_membership() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    Socket::joined(&gateway).await.close().await;
    until("it has left", async || members(&gateway, "c-1").await == 0).await;
    // Without a word, as a network that fails.
    drop(Socket::joined(&gateway).await);
    until("it has left", async || members(&gateway, "c-1").await == 0).await;
}
