//! Resuming from a cursor: what is replayed, and when it is `reset`.

use serde_json::{Value, json};

use crate::harness::{Broker, Client, Signal, TestGateway, message, until};

async fn publish(broker: &Broker, conversation: &str, ids: &[&str]) {
    for id in ids {
        broker
            .publish("inbound_message", &message("acme", conversation, id))
            .await;
    }
}

async fn joined(member: &mut Client) -> (String, u64, Value) {
    let joined = member.joined().await;
    (
        joined["resume"].as_str().unwrap().to_owned(),
        joined["replaying"].as_u64().unwrap(),
        joined["cursor"].clone(),
    )
}

#[tokio::test]
async fn a_cursor_replays_exactly_the_missed_events() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut member = gateway.agent("acme", "c-1").await;
    publish(&broker, "c-1", &["m-1", "m-2"]).await;
    member.event().await;
    let seen = member.event().await.cursor();
    drop(member);
    publish(&broker, "c-1", &["m-3", "m-4"]).await;
    // Another conversation's events do not stand between.
    publish(&broker, "c-2", &["x"]).await;
    until("both have come", async || {
        let mut probe = gateway.join("acme", "c-1").await;
        joined(&mut probe).await.1 == 4
    })
    .await;

    let mut member = gateway.resume("acme", "c-1", json!({"cursor": seen})).await;
    let (resume, replaying, cursor) = joined(&mut member).await;
    assert_eq!((&*resume, replaying), ("resumed", 2));
    let third = member.event().await;
    assert_eq!(third.meta()["replayed"], true);
    let fourth = member.event().await;
    assert_eq!((third.message_id(), fourth.message_id()), ("m-3", "m-4"));
    assert_eq!(fourth.cursor(), cursor);
    publish(&broker, "c-1", &["m-5"]).await;
    let fifth = member.event().await;
    assert_eq!(fifth.message_id(), "m-5");
    assert_eq!(fifth.meta().get("replayed"), None);

    let mut member = gateway
        .resume("acme", "c-1", json!({"cursor": fifth.cursor()}))
        .await;
    assert_eq!(joined(&mut member).await.0, "resumed");
}

#[tokio::test]
async fn the_cursor_of_an_empty_conversation_stays_valid_while_others_advance() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    publish(&broker, "c-2", &["x-1"]).await;
    let mut member = gateway.join("acme", "c-1").await;
    let (resume, replaying, cursor) = joined(&mut member).await;
    assert_eq!((&*resume, replaying), ("fresh", 0));
    drop(member);
    publish(&broker, "c-2", &["x-2"]).await;
    let mut member = gateway
        .resume("acme", "c-1", json!({"cursor": cursor}))
        .await;
    assert_eq!(joined(&mut member).await.0, "resumed");
    drop(member);
    publish(&broker, "c-1", &["m-1"]).await;
    until("the message has come", async || {
        let mut member = gateway
            .resume("acme", "c-1", json!({"cursor": cursor}))
            .await;
        let (resume, replaying, _) = joined(&mut member).await;
        assert_eq!(resume, "resumed");
        replaying == 1
    })
    .await;
}

#[tokio::test]
async fn a_cursor_of_another_conversation_or_epoch_is_reset_with_the_window() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut other = gateway.join("acme", "c-2").await;
    let (_, _, others) = joined(&mut other).await;
    let mut member = gateway.agent("acme", "c-1").await;
    publish(&broker, "c-1", &["m-1", "m-2"]).await;
    member.message_ids(2).await;
    for cursor in [
        others,
        json!("garbage"),
        json!(""),
        json!(7),
        json!("A".repeat(32)),
        json!("x".repeat(5_000)),
    ] {
        let mut member = gateway
            .resume("acme", "c-1", json!({"cursor": cursor}))
            .await;
        let (resume, replaying, _) = joined(&mut member).await;
        assert_eq!((&*resume, replaying), ("reset", 2), "{cursor}");
        assert_eq!(member.message_ids(2).await, ["m-1", "m-2"]);
    }
    for (reason, resets) in [("unknown_cursor", 5.0), ("another_journal", 1.0)] {
        let sample = format!("agent_gateway_resets_total{{reason=\"{reason}\"}}");
        until(reason, async || gateway.metric(&sample).await == resets).await;
    }
}

#[tokio::test]
async fn a_cursor_older_than_the_window_is_reset_with_the_window() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("REPLAY_MAX_EVENTS", "3")]).await;
    let mut member = gateway.agent("acme", "c-1").await;
    publish(&broker, "c-1", &["m-1", "m-2", "m-3", "m-4", "m-5"]).await;
    let mut cursors = Vec::new();
    for _ in 0..5 {
        cursors.push(member.event().await.cursor());
    }
    let mut old = gateway
        .resume("acme", "c-1", json!({"cursor": cursors[0]}))
        .await;
    let (resume, replaying, _) = joined(&mut old).await;
    assert_eq!((&*resume, replaying), ("reset", 3));
    assert_eq!(old.message_ids(3).await, ["m-3", "m-4", "m-5"]);
    // The last that was dropped is the first that can be resumed from.
    let mut young = gateway
        .resume("acme", "c-1", json!({"cursor": cursors[1]}))
        .await;
    let (resume, replaying, _) = joined(&mut young).await;
    assert_eq!((&*resume, replaying), ("resumed", 3));
    for (sample, count) in [
        ("agent_gateway_resets_total{reason=\"cursor_expired\"}", 1.0),
        ("agent_gateway_joins_total{resume=\"fresh\"}", 1.0),
        ("agent_gateway_joins_total{resume=\"resumed\"}", 1.0),
        ("agent_gateway_joins_total{resume=\"reset\"}", 1.0),
    ] {
        until(sample, async || gateway.metric(sample).await == count).await;
    }
}

#[tokio::test]
async fn events_leave_the_window_by_age_and_their_cursors_are_reset() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("REPLAY_WINDOW_SECONDS", "1")]).await;
    let mut member = gateway.join("acme", "c-1").await;
    let (_, _, before) = joined(&mut member).await;
    publish(&broker, "c-1", &["m-1"]).await;
    let after = member.event().await.cursor();
    drop(member);
    until(
        "the event has expired and the conversation with it",
        async || {
            let mut probe = gateway.join("acme", "c-1").await;
            joined(&mut probe).await.1 == 0
        },
    )
    .await;
    let mut old = gateway
        .resume("acme", "c-1", json!({"cursor": before}))
        .await;
    let (resume, replaying, _) = joined(&mut old).await;
    assert_eq!((&*resume, replaying), ("reset", 0));
    let mut current = gateway
        .resume("acme", "c-1", json!({"cursor": after}))
        .await;
    assert_eq!(joined(&mut current).await.0, "resumed");
}

#[tokio::test]
async fn without_replay_a_fresh_member_gets_only_live_events() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut member = gateway.agent("acme", "c-1").await;
    publish(&broker, "c-1", &["m-1"]).await;
    let first = member.event().await.cursor();
    let mut silent = gateway
        .resume("acme", "c-1", json!({"replay": false}))
        .await;
    let (resume, replaying, cursor) = joined(&mut silent).await;
    assert_eq!((&*resume, replaying, cursor), ("fresh", 0, first));
    publish(&broker, "c-1", &["m-2"]).await;
    assert_eq!(silent.event().await.message_id(), "m-2");
}

#[tokio::test]
async fn a_restarted_gateway_resets_cursors_of_its_former_epoch() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut member = gateway.agent("acme", "c-1").await;
    publish(&broker, "c-1", &["m-1"]).await;
    let cursor = member.event().await.cursor();
    gateway.signal(Signal::KILL);
    gateway.ended().await;
    let gateway = TestGateway::start(&broker).await;
    let mut member = gateway
        .resume("acme", "c-1", json!({"cursor": cursor}))
        .await;
    assert_eq!(joined(&mut member).await.0, "reset");
}
