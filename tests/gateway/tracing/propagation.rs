//! Without any export: agents and the log are told the trace that publishers and the portal name.

use serde_json::json;

use super::{TRACE, emit, note, publish, traceparent};
use crate::harness::{Broker, TestGateway, message};

#[tokio::test]
async fn a_traceparent_reaches_agents_as_meta_trace_and_the_log_as_trace_id() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("RUST_LOG", "debug")]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    publish(&broker, &message("acme", "c-1", "m-1"), &traceparent()).await;
    assert_eq!(agent.event().await.meta()["trace"], traceparent());
    assert_eq!(emit(&gateway, &note("1"), &traceparent()).await, 200);
    let event = agent.event().await;
    assert_eq!(event.meta()["trace"], traceparent());
    // Also those who see it later.
    let mut late = gateway.agent("acme", "c-1").await;
    for _ in 0..2 {
        let replayed = late.event().await;
        assert_eq!(replayed.meta()["trace"], traceparent());
        assert_eq!(replayed.meta()["replayed"], true);
    }
    for message in ["delivery", "emit"] {
        gateway.logs(&format!("\"message\":\"{message}\"")).await;
        assert_eq!(gateway.logged(message)[0]["trace_id"], TRACE);
    }
    publish(&broker, &json!("bad"), &traceparent()).await;
    gateway.logs("\"message\":\"dead letter\"").await;
    assert_eq!(gateway.logged("dead letter")[0]["trace_id"], TRACE);
    // A retry is part of the same trace: the header goes along.
    let letters = broker.take(&broker.names.dead_letters, 1).await;
    let headers = letters[0].properties.headers().clone().unwrap();
    assert!(headers.inner().contains_key("traceparent"));
}

#[tokio::test]
async fn what_is_no_traceparent_is_ignored_and_without_one_nothing_is_told() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("RUST_LOG", "debug")]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for (id, bad) in [("m-1", "hello"), ("m-2", ""), ("m-3", &"0".repeat(5_000))] {
        publish(&broker, &message("acme", "c-1", id), bad).await;
        let event = agent.event().await;
        assert_eq!(event.message_id(), id);
        assert_eq!(event.meta().get("trace"), None);
    }
    assert_eq!(emit(&gateway, &note("1"), "hello").await, 200);
    assert_eq!(agent.event().await.meta().get("trace"), None);
    broker.delivers(&mut agent, "m-4").await;
    gateway.logs("\"message\":\"emit\"").await;
    let log = gateway.log().join("\n");
    assert!(!log.contains("trace_id"), "{log}");
}

#[tokio::test]
async fn a_traceparent_reaches_the_agents_of_every_replica() {
    let broker = Broker::new().await;
    let stream = [("JOURNAL", "stream")];
    let one = TestGateway::ready_with(&broker, &stream).await;
    let other = TestGateway::ready_with(&broker, &stream).await;
    let mut agents = [
        one.agent("acme", "c-1").await,
        other.agent("acme", "c-1").await,
    ];
    publish(&broker, &message("acme", "c-1", "m-1"), &traceparent()).await;
    for gateway in [&one, &other] {
        assert_eq!(emit(gateway, &note("1"), &traceparent()).await, 200);
    }
    for agent in &mut agents {
        for _ in 0..3 {
            assert_eq!(agent.event().await.meta()["trace"], traceparent());
        }
    }
    // One that has begun later has it from the stream as well.
    let third = TestGateway::ready_with(&broker, &stream).await;
    let mut late = third.agent("acme", "c-1").await;
    for _ in 0..3 {
        assert_eq!(late.event().await.meta()["trace"], traceparent());
    }
}
