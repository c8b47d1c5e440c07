//! All replicas see the same entries at the same positions.

use serde_json::Value;

use super::{note, replica};
use crate::harness::{Broker, Client, deliveries, message, status};

/// The names, messageIds and cursors of the next events.
async fn seen(agent: &mut Client, count: usize) -> Vec<(String, String, Value)> {
    let mut seen = Vec::new();
    for _ in 0..count {
        let event = agent.event().await;
        let id = event.message_id().to_owned();
        seen.push((event.name().to_owned(), id, event.cursor()));
    }
    seen
}

#[tokio::test]
async fn entries_their_cursors_and_what_is_a_repeat_are_the_same_on_two_replicas() {
    let broker = Broker::new().await;
    let (one, other) = (replica(&broker).await, replica(&broker).await);
    let mut agents = [
        one.agent("acme", "c-1").await,
        other.agent("acme", "c-1").await,
    ];
    let ids: Vec<_> = (0..500).map(|number| format!("m-{number}")).collect();
    broker
        .publish_all("inbound_message", deliveries(&ids))
        .await;
    // All of them come again, and a status that is stale.
    broker
        .publish_all("inbound_message", deliveries(&ids))
        .await;
    for name in ["read", "sent"] {
        let update = status("acme", "c-1", "m-7", name);
        broker.publish("status_update", &update).await;
    }
    let mut answers = Vec::new();
    for (gateway, id) in [
        (&one, "e-1"),
        (&other, "e-2"),
        (&other, "e-1"),
        (&one, "e-2"),
    ] {
        let (code, answer) = gateway.emit(&note(id)).await;
        assert_eq!(code, 200, "{answer}");
        assert_eq!(answer.get("scope"), None);
        answers.push((answer["cursor"].clone(), answer["duplicate"] == true));
    }
    broker
        .publish("inbound_message", &message("acme", "c-1", "last"))
        .await;
    let mut all = Vec::new();
    for agent in &mut agents {
        // The messages, one status, two notes and the last.
        all.push(seen(agent, ids.len() + 4).await);
    }
    assert_eq!(all[0], all[1]);
    let messages = all[0].iter().filter(|(name, ..)| name == "inbound_message");
    let messages: Vec<_> = messages.map(|(_, id, _)| id.clone()).collect();
    assert_eq!(messages, [ids, vec!["last".to_owned()]].concat());
    let cursor = |id: &str| {
        let entry = all[0].iter().find(|(_, known, _)| known == id);
        entry.unwrap().2.clone()
    };
    let expected = [("e-1", false), ("e-2", false), ("e-1", true), ("e-2", true)];
    let expected = expected.map(|(id, duplicate)| (cursor(id), duplicate));
    assert_eq!(answers, expected);
}
