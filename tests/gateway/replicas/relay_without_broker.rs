//! The relay while a replica is without the broker.

use serde_json::json;

use super::{note, replica, replica_at};
use crate::harness::{Broker, Proxy, TestGateway, until};

async fn is_away(gateway: &TestGateway) {
    until("it has noticed", async || {
        let ready = gateway.get("/readyz").await.1;
        let check = ready["checks"]["journal"].as_str().unwrap_or_default();
        check.contains("is not read")
    })
    .await;
}

#[tokio::test]
async fn events_reach_this_replicas_members_at_once_and_the_others_when_the_broker_is_back() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    let cut_off = replica_at(&broker, &proxy.broker_url()).await;
    let other = replica(&broker).await;
    let mut here = cut_off.agent("acme", "c-1").await;
    let mut there = other.agent("acme", "c-1").await;
    assert_eq!(cut_off.emit(&note("e-1")).await.1.get("scope"), None);
    let first = here.event().await.cursor();
    proxy.cut();
    is_away(&cut_off).await;
    for id in ["e-2", "e-3", "e-2"] {
        let (code, answer) = cut_off.emit(&note(id)).await;
        assert_eq!(
            (code, &answer["scope"]),
            (200, &json!("replica")),
            "{answer}"
        );
        assert_eq!(answer["cursor"], first);
    }
    // An event of its own, which nothing is known by.
    let bare = json!({
        "tenantId": "acme", "conversationId": "c-1", "event": "note",
        "payload": {"messageId": "bare"},
    });
    assert_eq!(cut_off.emit(&bare).await.1["scope"], "replica");
    let (_, known) = cut_off.emit(&note("e-1")).await;
    assert_eq!(
        (&known["duplicate"], known.get("scope")),
        (&json!(true), None)
    );
    let expected = ["e-2", "e-3", "bare"];
    for id in expected {
        let event = here.event().await;
        assert_eq!((event.message_id(), event.cursor()), (id, first.clone()));
    }
    assert_eq!(other.emit(&note("between")).await.1.get("scope"), None);
    assert_eq!(there.message_ids(2).await, ["e-1", "between"]);

    proxy.restore();
    assert_eq!(there.message_ids(3).await, expected);
    cut_off.ready().await;
    assert_eq!(cut_off.emit(&note("e-4")).await.1.get("scope"), None);
    // What came meanwhile, and not again what had come before.
    assert_eq!(here.message_ids(2).await, ["between", "e-4"]);
    assert_eq!(there.message_ids(1).await, ["e-4"]);
    // Who comes later sees all, in the journal's order.
    let mut late = cut_off.agent("acme", "c-1").await;
    let all = late.message_ids(6).await;
    assert_eq!(all, ["e-1", "between", "e-2", "e-3", "bare", "e-4"]);
}

#[tokio::test]
async fn a_replica_that_has_never_reached_the_broker_serves_the_relay() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    proxy.cut();
    let url = proxy.broker_url();
    let variables = [super::STREAM, ("AMQP_URL", &*url)];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    is_away(&gateway).await;
    assert_eq!(gateway.get("/readyz").await.0, 200);
    let mut agent = gateway.agent("acme", "c-1").await;
    assert_eq!(gateway.emit(&note("e-1")).await.1["scope"], "replica");
    assert_eq!(agent.event().await.message_id(), "e-1");
    proxy.restore();
    // Nothing is known of what was before the stream: the window follows.
    assert_eq!(agent.event().await.name(), "reset");
    gateway.ready().await;
    broker
        .publish(
            "inbound_message",
            &crate::harness::message("acme", "c-1", "m-1"),
        )
        .await;
    while agent.event().await.message_id() != "m-1" {}
    let mut late = gateway.agent("acme", "c-1").await;
    assert_eq!(late.message_ids(2).await, ["e-1", "m-1"]);
}
