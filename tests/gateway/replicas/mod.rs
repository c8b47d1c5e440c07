//! Several gateways that share a journal, `JOURNAL=stream`.

mod cursors;
mod disconnect;
mod entries;
mod failover;
mod metrics;
mod relay_without_broker;
mod settings;
mod start;

use serde_json::{Value, json};

use crate::harness::{Broker, TestGateway};

const STREAM: (&str, &str) = ("JOURNAL", "stream");

/// Starts a replica, and waits until it is ready.
async fn replica(broker: &Broker) -> TestGateway {
    TestGateway::ready_with(broker, &[STREAM]).await
}

/// A replica behind a proxy to the broker.
async fn replica_at(broker: &Broker, url: &str) -> TestGateway {
    TestGateway::ready_with(broker, &[STREAM, ("AMQP_URL", url)]).await
}

/// A call of the relay, for acme's conversation c-1.
fn note(event_id: &str) -> Value {
    json!({
        "tenantId": "acme", "conversationId": "c-1", "event": "note", "eventId": event_id,
        "payload": {"messageId": event_id},
    })
}
