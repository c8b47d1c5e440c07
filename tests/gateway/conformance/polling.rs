//! Engine.IO over HTTP: payloads, and one request of a kind at a time.

use serde_json::json;

use super::wire::{NOWHERE, POLLING, Polling, SEPARATOR, auth, error};
use super::{NO_PINGS, start};
use crate::harness::raw::ask;
use crate::harness::until;

#[tokio::test]
async fn a_payload_of_several_packets_is_processed_in_order_and_answered_in_one() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    let connects = ["40/a,", "40/b", "40/c,{}"].join(&SEPARATOR.to_string());
    polling.send(&connects).await;
    let refused = |name| format!(r#"44/{name},{{"message":"Invalid namespace"}}"#);
    assert_eq!(polling.packets().await, ["a", "b", "c"].map(refused));
}

#[tokio::test]
async fn a_poll_waits_until_there_is_something() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    let waiting = polling.waiting_get();
    polling.send("40/nowhere,").await;
    let answer = waiting.await.unwrap();
    assert_eq!((answer.status, &*answer.body), (200, NOWHERE));
}

#[tokio::test]
async fn a_connect_that_waits_for_room_passes_when_events_have_been_fetched() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send(&format!("40{}", auth())).await;
    polling.receive(2).await;
    // As many as one answer may have: nobody waits for room but the CONNECT.
    for number in 0..14 {
        let emit = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note",
            "payload": {"number": number}});
        assert_eq!(gateway.emit(&emit).await.0, 200);
    }
    let connect = format!("40/tenant/acme/conv/c-2,{}", auth());
    let mut post = polling.begin_post(connect.len()).await;
    post.send(&connect).await;
    // The gateway has read the post by the time that it has answered somebody else.
    gateway.metrics().await;
    let events = polling.packets().await;
    assert_eq!(events.len(), 14, "{events:?}");
    let answer = post.answer().await;
    assert_eq!((answer.status, &*answer.body), (200, "ok"));
    let answers = polling.packets().await;
    assert!(
        answers[0].starts_with("40/tenant/acme/conv/c-2,"),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_malformed_packet_closes_the_session() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for payload in ["abc", "9", "0{}", "\u{1f600}"] {
        let polling = Polling::open(&gateway).await;
        let answer = polling.post(payload).await;
        assert_eq!(answer.status, 400, "{payload}");
        let received = polling.ended().await;
        assert!(
            received.is_empty() || received == ["1"],
            "{payload}: {received:?}"
        );
    }
}

#[tokio::test]
async fn base64_binary_packets_are_accepted_and_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send("bAQIDBA==").await;
    let mixed = format!("40/nowhere,{SEPARATOR}bAQIDBA==");
    polling.send(&mixed).await;
    assert_eq!(polling.packets().await, [NOWHERE]);
}

#[tokio::test]
async fn two_polls_at_once_close_the_session() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    // Either of them may come first.
    let (one, other) = tokio::join!(polling.get(), polling.get());
    let (received, refused) = match one.status {
        200 => (one, other),
        _ => (other, one),
    };
    assert_eq!((received.status, &*received.body), (200, "1"));
    assert_eq!(refused.status, 400);
    assert_eq!(polling.ended().await, [""; 0]);
}

#[tokio::test]
async fn two_posts_at_once_close_the_session() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    // The first may not have been seen when the second comes: then it is tried again.
    until("a post comes while another is under way", async || {
        let polling = Polling::open(&gateway).await;
        let mut first = polling.begin_post(2).await;
        first.send("3").await;
        let second = polling.post("40/nowhere,").await;
        if second.status == 200 {
            return false;
        }
        assert_eq!(second.status, 400);
        assert_eq!(second.json(), error(3, "Bad request"));
        let received = polling.ended().await;
        assert!(received.is_empty() || received == ["1"], "{received:?}");
        true
    })
    .await;
}

#[tokio::test]
async fn an_incomplete_post_closes_the_session() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    let mut post = polling.begin_post(2).await;
    post.send("3").await;
    drop(post);
    until("the session is closed", async || {
        polling.get().await.status == 400
    })
    .await;
}

#[tokio::test]
async fn other_methods_are_rejected_and_the_session_stays_open() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    for method in ["PUT", "PATCH", "DELETE"] {
        let line = format!("{method} {POLLING}&sid={}", polling.sid);
        assert_eq!(ask(gateway.address(), &line, &[]).await.status, 400);
    }
    polling.send("40/nowhere,").await;
    assert_eq!(polling.packets().await, [NOWHERE]);
}
