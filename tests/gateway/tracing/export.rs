//! `OTEL_EXPORTER_OTLP_ENDPOINT` and its kind.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use super::collector::{Collector, Exported};
use super::{SPAN, TRACE, emit, note, publish, traceparent};
use crate::harness::{Broker, Signal, TestGateway, message};

/// Spans are exported ten times a second.
const OFTEN: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "100");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `traceparent` that names the span as a cause.
fn cause(exported: &Exported) -> String {
    let span = &exported.span;
    format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id))
}

fn is_caused_by_the_publisher(exported: &Exported) -> bool {
    let span = &exported.span;
    hex(&span.trace_id) == TRACE && hex(&span.parent_span_id) == SPAN
}

#[tokio::test]
async fn deliveries_and_calls_are_spans_that_agents_can_continue() {
    let broker = Broker::new().await;
    let collector = Collector::start().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=observed"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        OFTEN,
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let delivery = format!("process {}", broker.names.inbound);

    publish(&broker, &message("acme", "c-1", "m-1"), &traceparent()).await;
    let event = agent.event().await;
    let spans = collector.named(&delivery, 1).await;
    assert!(is_caused_by_the_publisher(&spans[0]), "{spans:?}");
    assert_eq!(event.meta()["trace"], cause(&spans[0]));
    for (name, value) in [
        ("messaging.system", "rabbitmq"),
        ("messaging.destination.name", &broker.names.inbound),
        ("gateway.outcome", "new"),
        ("gateway.tenant", "acme"),
        ("gateway.conversation", "c-1"),
        ("gateway.message_id", "m-1"),
    ] {
        assert_eq!(spans[0].attributes[name], value, "{spans:?}");
    }
    assert_eq!(spans[0].resource["service.name"], "agent-gateway");
    assert_eq!(spans[0].resource["deployment.environment"], "test");
    assert_eq!(collector.headers()["x-tenant"], "observed");

    // A delivery that names no trace begins one.
    broker.delivers(&mut agent, "m-2").await;
    let spans = collector.named(&delivery, 2).await;
    assert!(spans[1].span.parent_span_id.is_empty());

    publish(&broker, &json!("bad"), &traceparent()).await;
    let spans = collector.named(&delivery, 3).await;
    assert!(is_caused_by_the_publisher(&spans[2]));
    assert_eq!(spans[2].attributes["gateway.outcome"], "dead_lettered");
    assert_eq!(spans[2].attributes["error.type"], "invalid_event");

    assert_eq!(emit(&gateway, &note("1"), &traceparent()).await, 200);
    let event = agent.event().await;
    let spans = collector.named("POST /internal/emit", 1).await;
    assert!(is_caused_by_the_publisher(&spans[0]));
    assert_eq!(event.meta()["trace"], cause(&spans[0]));
    assert_eq!(spans[0].attributes["http.response.status_code"], "200");
    let text = format!("{:?}", collector.spans());
    assert!(!text.contains("text of"), "{text}");
}

#[tokio::test]
async fn spans_end_when_the_stream_has_the_event_and_agents_of_other_replicas_continue_them() {
    let broker = Broker::new().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let variables = [
        ("JOURNAL", "stream"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        OFTEN,
    ];
    let one = TestGateway::ready_with(&broker, &variables).await;
    let other = TestGateway::ready_with(&broker, &variables).await;
    let mut agents = [
        one.agent("acme", "c-1").await,
        other.agent("acme", "c-1").await,
    ];
    publish(&broker, &message("acme", "c-1", "m-1"), &traceparent()).await;
    let name = format!("process {}", broker.names.inbound);
    let delivery = collector.named(&name, 1).await.remove(0);
    assert!(is_caused_by_the_publisher(&delivery));
    assert_eq!(delivery.attributes["gateway.outcome"], "new");
    assert_eq!(emit(&other, &note("1"), &traceparent()).await, 200);
    let call = collector.named("POST /internal/emit", 1).await.remove(0);
    for agent in &mut agents {
        for span in [&delivery, &call] {
            assert_eq!(agent.event().await.meta()["trace"], cause(span));
        }
    }
}

#[tokio::test]
async fn the_last_spans_are_exported_before_the_end() {
    let broker = Broker::new().await;
    let collector = Collector::start().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()),
        ("OTEL_BSP_SCHEDULE_DELAY", "600000"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    assert_eq!(emit(&gateway, &note("1"), &traceparent()).await, 200);
    assert!(collector.spans().is_empty());
    gateway.signal(Signal::TERM);
    assert!(gateway.ended().await.status.success());
    assert_eq!(collector.spans().len(), 1);
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_is_handed_on_as_it_came() {
    let broker = Broker::new().await;
    let collector = Collector::start().await;
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()), OFTEN];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let unsampled = format!("00-{TRACE}-{SPAN}-00");
    publish(&broker, &message("acme", "c-1", "m-1"), &unsampled).await;
    assert_eq!(agent.event().await.meta()["trace"], unsampled);
    // What comes after it is exported, so that it would have been.
    assert_eq!(emit(&gateway, &note("1"), &traceparent()).await, 200);
    collector.named("POST /internal/emit", 1).await;
    assert_eq!(collector.spans().len(), 1);
}

#[tokio::test]
async fn a_collector_that_is_away_costs_a_warning_and_no_event() {
    let broker = Broker::new().await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://user:hidden@{}", listener.local_addr().unwrap())
    };
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*gone), OFTEN];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
    gateway.logs("traces cannot be exported").await;
    broker.delivers(&mut agent, "m-2").await;
    gateway.signal(Signal::TERM);
    let ended = gateway.ended().await;
    assert!(ended.status.success());
    assert!(!ended.log.contains("hidden"), "{}", ended.log);
}

#[tokio::test]
async fn a_variable_that_cannot_be_is_told_at_the_start() {
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    for (name, endpoint, protocol) in [
        (ENDPOINT, "hidden", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http://127.0.0.1:9", "grpc"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
            .env_clear()
            .env("JWT_SECRET", crate::harness::SECRET)
            .env("PORT", "0")
            .env(ENDPOINT, endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .stdout(Stdio::null())
            .output()
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(64));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(&format!("{name}: must be")), "{errors}");
        assert!(!errors.contains("hidden"), "{errors}");
    }
}
