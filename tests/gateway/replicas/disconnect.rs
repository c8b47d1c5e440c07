//! `POST /internal/disconnect` reaches members of every replica.

use serde_json::json;

use super::replica;
use crate::harness::{API_KEY, Broker, Received, answer};

#[tokio::test]
async fn members_of_every_replica_are_disconnected_and_others_stay() {
    let broker = Broker::new().await;
    let (one, other) = (replica(&broker).await, replica(&broker).await);
    let mut here = one.agent("acme", "c-1").await;
    let mut there = other.agent("acme", "c-1").await;
    let mut elsewhere = other.agent("acme", "c-2").await;
    let body = json!({"tenantId": "acme", "conversationId": "c-1", "agentId": "agent-1"});
    let request = one
        .post("/internal/disconnect")
        .header("x-internal-api-key", API_KEY)
        .header("content-type", "application/json")
        .body(body.to_string());
    // It counts its own.
    let expected = json!({"ok": true, "disconnected": 1});
    assert_eq!(answer(request).await, (200, expected));
    for agent in [&mut here, &mut there] {
        assert_eq!(agent.next().await, Received::Disconnected("/".to_owned()));
    }
    let message = crate::harness::message("acme", "c-2", "m-1");
    broker.publish("inbound_message", &message).await;
    assert_eq!(elsewhere.event().await.message_id(), "m-1");
}
