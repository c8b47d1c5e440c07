//! Configuration: environment, files, reload, and what is logged.

mod changed_files;
mod environment;
mod log_redaction;
mod reload;

use serde_json::json;

use crate::harness::{Received, TestGateway, answer};

/// Whether the token opens acme's conversation c-1.
async fn opens(gateway: &TestGateway, token: &str) -> bool {
    matches!(
        gateway.enter(token).await.next().await,
        Received::Connected(_)
    )
}

async fn emit(gateway: &TestGateway, key: &str) -> u16 {
    let note = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {}});
    let request = gateway
        .post("/internal/emit")
        .header("x-internal-api-key", key)
        .header("content-type", "application/json")
        .body(note.to_string());
    answer(request).await.0
}
