//! Traces: what a `traceparent` becomes, and the export by OTLP.

mod collector;
mod export;
mod propagation;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::harness::{API_KEY, Broker, TestGateway, answer};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn traceparent() -> String {
    format!("00-{TRACE}-{SPAN}-01")
}

/// Publishes with this `traceparent`.
async fn publish(broker: &Broker, body: &Value, traceparent: &str) {
    let mut headers = FieldTable::default();
    let text = AMQPValue::LongString(traceparent.into());
    headers.insert("traceparent".into(), text);
    let properties = BasicProperties::default().with_headers(headers);
    let body = body.to_string();
    broker
        .publish_raw("inbound_message", body.as_bytes(), properties)
        .await;
}

/// Calls the relay with this `traceparent`.
async fn emit(gateway: &TestGateway, body: &Value, traceparent: &str) -> u16 {
    let request = gateway
        .post("/internal/emit")
        .header("x-internal-api-key", API_KEY)
        .header("content-type", "application/json")
        .header("traceparent", traceparent)
        .body(body.to_string());
    answer(request).await.0
}

fn note(id: &str) -> Value {
    json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {"id": id}})
}
