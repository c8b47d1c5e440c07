//! Secrets and keys count when their files change, without a signal.

use serde_json::json;

use super::{emit, opens};
use crate::auth::signer::Signer;
use crate::harness::{Broker, Folder, TestGateway, claims, sign_with, until};

const OLD: &str = "the old secret, of 32 bytes or more";
const NEW: &str = "the new secret, of 32 bytes or more";
const NEWEST: &str = "a secret newer still, of 32 bytes or more";
const OLD_KEY: &str = "the-old-key-of-the-relay";
const NEW_KEY: &str = "the-new-key-of-the-relay";

const READ: &str = "files have changed: secrets and keys were read again";
const KEPT: &str = "files have changed: the old value stays in use";

#[tokio::test]
async fn a_secret_and_keys_count_when_another_file_takes_the_place_of_theirs() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let secret = folder.write("secret", OLD);
    let keys = folder.write("keys", OLD_KEY);
    let variables = [
        ("JWT_SECRET", ""),
        ("JWT_SECRET_FILE", &*secret),
        ("INTERNAL_API_KEYS", ""),
        ("INTERNAL_API_KEYS_FILE", &keys),
    ];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let token = |secret: &str| sign_with(secret, &claims("acme"));
    let mut agent = gateway.enter(&token(OLD)).await;
    agent.joined().await;

    folder.replace("secret", NEW);
    folder.replace("keys", NEW_KEY);
    until("the new secret counts", async || {
        opens(&gateway, &token(NEW)).await
    })
    .await;
    until("the new key counts", async || {
        emit(&gateway, NEW_KEY).await == 200
    })
    .await;
    assert!(!opens(&gateway, &token(OLD)).await);
    assert_eq!(emit(&gateway, OLD_KEY).await, 401);
    // Who was in is in.
    assert_eq!(agent.event().await.name(), "note");

    // What cannot be is told once, not at each look.
    folder.replace("secret", "short");
    gateway.logs(KEPT).await;
    assert_eq!(gateway.logged(KEPT)[0]["variable"], "JWT_SECRET_FILE");
    folder.write("keys", OLD_KEY);
    until("the old key counts again", async || {
        emit(&gateway, OLD_KEY).await == 200
    })
    .await;
    assert!(opens(&gateway, &token(NEW)).await);
    folder.write("secret", NEWEST);
    until("the secret is mended", async || {
        opens(&gateway, &token(NEWEST)).await
    })
    .await;
    // Once for the file itself, and once when it was read again for the other one's sake.
    assert!(gateway.logged(KEPT).len() <= 2);
    let log = gateway.log().join("\n");
    for hidden in [OLD, NEW, NEWEST, OLD_KEY, NEW_KEY] {
        assert!(!log.contains(hidden), "{hidden} in {log}");
    }
}

#[tokio::test]
async fn all_files_of_a_kubernetes_mount_count_when_its_link_is_swapped() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let [old, new] = [Signer::p256(), Signer::p256()];
    let set = |signer: &Signer| json!({"keys": [signer.jwk("1")]}).to_string();
    let mount = |signer: &Signer, secret: &str, keys: &str| {
        folder.mount(&[("set", &set(signer)), ("secret", secret), ("keys", keys)]);
    };
    mount(&old, OLD, OLD_KEY);
    let (set, secret, keys) = (
        folder.path("set"),
        folder.path("secret"),
        folder.path("keys"),
    );
    let variables = [
        ("JWT_SECRET", ""),
        ("JWT_SECRET_FILE", &*secret),
        ("JWT_JWKS_URL", &set),
        ("INTERNAL_API_KEYS", ""),
        ("INTERNAL_API_KEYS_FILE", &keys),
    ];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let by = |signer: &Signer| signer.sign_as("1", &claims("acme"));
    assert!(opens(&gateway, &by(&old)).await);
    mount(&new, NEW, NEW_KEY);
    until("the new key set counts", async || {
        opens(&gateway, &by(&new)).await
    })
    .await;
    assert!(!opens(&gateway, &by(&old)).await);
    assert!(opens(&gateway, &sign_with(NEW, &claims("acme"))).await);
    assert_eq!(emit(&gateway, NEW_KEY).await, 200);
    assert_eq!(emit(&gateway, OLD_KEY).await, 401);
    gateway.logs(READ).await;
    assert_eq!(
        gateway.logged(READ)[0]["changed"],
        "JWT_SECRET_FILE, INTERNAL_API_KEYS_FILE, JWT_JWKS_URL"
    );
}

#[tokio::test]
async fn a_cursor_secret_is_not_changed_under_clients_that_hold_cursors() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let secret = folder.write("secret", OLD);
    let variables = [("CURSOR_SECRET_FILE", &*secret)];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    assert_eq!(emit(&gateway, crate::harness::API_KEY).await, 200);
    let cursor = agent.event().await.cursor();
    folder.replace("secret", NEW);
    gateway.logs(KEPT).await;
    let line = &gateway.logged(KEPT)[0];
    assert_eq!(line["variable"], "CURSOR_SECRET_FILE");
    assert!(line["reason"].as_str().unwrap().contains("next start"));
    let auth = json!({"cursor": cursor});
    let mut again = gateway.resume("acme", "c-1", auth).await;
    assert_eq!(again.joined().await["resume"], "resumed");
}
