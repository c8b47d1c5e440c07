//! What the tests are made of: a broker with names of its own for each test, the program as a
//! child process, a Socket.IO client, a TCP proxy that breaks the network.

pub(crate) mod broker;
mod client;
mod flood;
mod folder;
pub(crate) mod gateway;
mod private_broker;
pub(crate) mod proxy;
pub(crate) mod raw;
mod received;

pub(crate) use broker::Broker;
pub(crate) use client::Client;
pub(crate) use flood::Flood;
pub(crate) use folder::Folder;
pub(crate) use gateway::{TestGateway, answer};
pub(crate) use private_broker::PrivateBroker;
pub(crate) use proxy::{Direction, Proxy};
pub(crate) use raw::Raw;
pub(crate) use received::Received;
pub(crate) use rustix::process::Signal;

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

/// How long anything that has to happen may take. Tests wait for conditions; this only ends those
/// that would wait forever, on a machine as busy as it may be.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const SECRET: &str = "a secret for tests, of 32 bytes or more";
pub(crate) const API_KEY: &str = "a key for tests of the relay";

/// A random word, for names that must not meet those of another test.
pub(crate) fn random_name() -> String {
    format!("{:012x}", rand::random::<u64>() & 0xffff_ffff_ffff)
}

/// Claims that open every conversation of `tenant` for an hour.
pub(crate) fn claims(tenant: &str) -> Value {
    json!({"sub": "agent-1", "name": "Ada", "tenantId": tenant, "exp": now() + 3600})
}

pub(crate) fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

pub(crate) fn sign(claims: &Value) -> String {
    sign_with(SECRET, claims)
}

pub(crate) fn sign_with(secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::default(), claims, &key).unwrap()
}

/// A message as the webhook service publishes it.
pub(crate) fn message(tenant: &str, conversation: &str, id: &str) -> Value {
    json!({
        "tenantId": tenant, "conversationId": conversation, "messageId": id,
        "text": format!("text of {id}"), "timestamp": 1_714_557_600,
    })
}

/// Messages in acme's conversation c-1, for [`Broker::publish_all`].
pub(crate) fn deliveries(
    ids: &[String],
) -> impl Iterator<Item = (Vec<u8>, lapin::BasicProperties)> {
    ids.iter().map(|id| {
        let body = message("acme", "c-1", id).to_string().into_bytes();
        (body, lapin::BasicProperties::default())
    })
}

/// A status update as the webhook service publishes it.
pub(crate) fn status(tenant: &str, conversation: &str, id: &str, status: &str) -> Value {
    json!({
        "tenantId": tenant, "conversationId": conversation, "messageId": id,
        "status": status, "timestamp": 1_714_557_600,
    })
}

/// An HTTP client for this machine, whatever proxy the environment names.
pub(crate) fn http() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy();
    builder.build().unwrap()
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "in vain: {what}");
}
