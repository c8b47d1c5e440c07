//! From the queues to the agents: what is emitted, what is recognised as a repeat.

use lapin::BasicProperties;
use serde_json::json;

use crate::harness::{Broker, Signal, TestGateway, message, status};

#[tokio::test]
async fn a_published_message_and_its_ticks_reach_the_agents_of_its_conversation() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker
        .publish("inbound_message.acme.c-1", &message("acme", "c-1", "m-1"))
        .await;
    let event = agent.event().await;
    assert_eq!(event.name(), "inbound_message");
    assert_eq!(
        event.data(),
        &json!({
            "messageId": "m-1", "type": "text", "text": "text of m-1",
            "timestamp": "2024-05-01T10:00:00Z",
        })
    );
    let meta = event.meta().as_object().unwrap();
    assert!(meta["cursor"].is_string() && meta["at"].is_string());
    assert!(!meta.contains_key("replayed"));

    broker
        .publish("status_update", &status("acme", "c-1", "m-0", "delivered"))
        .await;
    let event = agent.event().await;
    assert_eq!(event.name(), "status_update");
    assert_eq!(
        event.data(),
        &json!({"messageId": "m-0", "status": "delivered", "timestamp": "2024-05-01T10:00:00Z"})
    );
}

#[tokio::test]
async fn the_body_counts_where_the_routing_key_names_another_conversation() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker
        .publish("inbound_message.other.c-9", &message("acme", "c-1", "m-1"))
        .await;
    assert_eq!(agent.event().await.message_id(), "m-1");
}

#[tokio::test]
async fn only_the_conversation_of_the_pair_sees_an_event() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    // Pairs that look alike when they are written as one string.
    let pairs = [
        ("acme", "c-1"),
        ("acme", "c-2"),
        ("other", "c-1"),
        ("a:b", "c"),
        ("a", "b:c"),
        ("acme:c", "1"),
        ("ACME", "c-1"),
    ];
    let mut agents = Vec::new();
    for (tenant, conversation) in pairs {
        let query = conversation.replace('+', "%2B");
        let agent = gateway.agent(tenant, &query).await;
        agents.push(agent);
    }
    for (number, (tenant, conversation)) in pairs.into_iter().enumerate() {
        let id = format!("m-{number}");
        broker
            .publish("inbound_message", &message(tenant, conversation, &id))
            .await;
    }
    // One queue, in order: had an agent seen another's event, it would come first, or follow.
    for (tenant, conversation) in pairs {
        broker
            .publish("inbound_message", &message(tenant, conversation, "marker"))
            .await;
    }
    for (number, agent) in agents.iter_mut().enumerate() {
        let ids = agent.message_ids(2).await;
        assert_eq!(ids, [format!("m-{number}"), "marker".to_owned()]);
    }
}

#[tokio::test]
async fn repeats_are_emitted_once_and_stale_ticks_not_at_all() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for id in ["m-1", "m-1", "m-2", "m-1"] {
        broker
            .publish("inbound_message", &message("acme", "c-1", id))
            .await;
    }
    assert_eq!(agent.message_ids(2).await, ["m-1", "m-2"]);
    for (id, word) in [
        ("m-1", "sent"),
        ("m-1", "read"),
        ("m-1", "delivered"), // older than read
        ("m-1", "read"),      // a repeat
        ("m-1", "failed"),    // stale after read
        ("m-2", "failed"),
        ("m-2", "sent"), // older than failed
        ("m-2", "delivered"),
        ("m-3", "sent"),
    ] {
        broker
            .publish("status_update", &status("acme", "c-1", id, word))
            .await;
    }
    let mut ticks = Vec::new();
    for _ in 0..5 {
        let event = agent.event().await;
        let word = event.data()["status"].as_str().unwrap().to_owned();
        ticks.push((event.message_id().to_owned(), word));
    }
    let ticks: Vec<_> = ticks.iter().map(|(id, word)| (&**id, &**word)).collect();
    assert_eq!(
        ticks,
        [
            ("m-1", "sent"),
            ("m-1", "read"),
            ("m-2", "failed"),
            ("m-2", "delivered"),
            ("m-3", "sent"),
        ]
    );
}

#[tokio::test]
async fn repeats_are_recognised_long_after_they_have_left_the_replayed_window() {
    let broker = Broker::new().await;
    let variables = [("REPLAY_MAX_EVENTS", "5")];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let body = |number: usize| message("acme", "c-1", &format!("m-{number}")).to_string();
    let all = (0..4_096)
        .chain(0..4_096)
        .map(|number| (body(number).into_bytes(), BasicProperties::default()));
    broker.publish_all("inbound_message", all).await;
    broker
        .publish("inbound_message", &message("acme", "c-1", "marker"))
        .await;
    let ids = agent.message_ids(4_097).await;
    assert_eq!(
        (&*ids[0], &*ids[4_095], &*ids[4_096]),
        ("m-0", "m-4095", "marker")
    );

    let mut fresh = gateway.join("acme", "c-1").await;
    assert_eq!(fresh.joined().await["replaying"], 5);
}

#[tokio::test]
async fn deliveries_are_acknowledged() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for number in 0..10 {
        let id = format!("m-{number}");
        broker
            .publish("inbound_message", &message("acme", "c-1", &id))
            .await;
    }
    agent.message_ids(10).await;
    gateway.signal(Signal::TERM);
    assert!(gateway.ended().await.status.success());
    // Nothing has gone back to the queue.
    assert_eq!(broker.depth(&broker.names.inbound).await, 0);
}
