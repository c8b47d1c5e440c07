//! SIGHUP reloads secrets and keys from their files and disconnects nobody.

use std::process::Stdio;

use rustix::process::{Pid, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::{emit, opens};
use crate::auth::server::AuthServer;
use crate::auth::signer::Signer;
use crate::harness::raw::ask;
use crate::harness::{
    Broker, DEADLINE, Folder, Proxy, Received, Signal, TestGateway, claims, sign, sign_with, until,
};

const OLD: &str = "the old secret, of 32 bytes or more";
const NEW: &str = "the new secret, of 32 bytes or more";
const OLD_KEY: &str = "the-old-key-of-the-relay";
const NEW_KEY: &str = "the-new-key-of-the-relay";

const OLD_SCRAPE_KEY: &str = "the-old-key-of-what-scrapes";
const NEW_SCRAPE_KEY: &str = "the-new-key-of-what-scrapes";

const READ: &str = "SIGHUP: secrets and keys were read again";
const KEPT: &str = "SIGHUP: the old value stays in use";

/// Has it read its files again, and waits until it says what `message` stands for once more.
async fn reload(gateway: &TestGateway, message: &str) -> Value {
    let before = gateway.logged(message).len();
    gateway.signal(Signal::HUP);
    until(message, async || gateway.logged(message).len() > before).await;
    gateway.logged(message)[before].clone()
}

async fn scraped(gateway: &TestGateway, key: &str) -> u16 {
    let key = format!("x-internal-api-key: {key}");
    let answer = ask(gateway.address(), "GET /metrics", &[&key]).await;
    answer.status
}

#[tokio::test]
async fn sighup_reloads_secrets_and_keys_and_disconnects_nobody() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let secret = folder.write("secret", format!("{OLD}\n"));
    let keys = folder.write("keys", format!("{OLD_KEY}\n"));
    let scrape = folder.write("scrape", OLD_SCRAPE_KEY);
    let variables = [
        ("JWT_SECRET", ""),
        ("JWT_SECRET_FILE", &*secret),
        ("INTERNAL_API_KEYS", ""),
        ("INTERNAL_API_KEYS_FILE", &keys),
        ("METRICS_KEYS_FILE", &scrape),
    ];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let (by_old, by_new) = (
        sign_with(OLD, &claims("acme")),
        sign_with(NEW, &claims("acme")),
    );
    let mut agent = gateway.enter(&by_old).await;
    agent.joined().await;
    assert!(!opens(&gateway, &by_new).await);
    assert_eq!(emit(&gateway, NEW_KEY).await, 401);

    folder.write("secret", NEW);
    folder.write("keys", format!("{NEW_KEY}\nanother-key-of-the-relay\n"));
    folder.write("scrape", NEW_SCRAPE_KEY);
    let line = reload(&gateway, READ).await;
    assert_eq!(line["level"], "INFO");
    assert_eq!(
        line["changed"],
        "JWT_SECRET_FILE, INTERNAL_API_KEYS_FILE, METRICS_KEYS_FILE"
    );
    assert_eq!(scraped(&gateway, OLD_SCRAPE_KEY).await, 401);
    assert_eq!(scraped(&gateway, NEW_SCRAPE_KEY).await, 200);
    assert!(opens(&gateway, &by_new).await);
    assert!(!opens(&gateway, &by_old).await);
    assert_eq!(emit(&gateway, OLD_KEY).await, 401);
    assert_eq!(emit(&gateway, NEW_KEY).await, 200);
    // Who was in is in.
    assert_eq!(agent.event().await.name(), "note");

    // What cannot be is told, one file with the other's good news, and the old value stays.
    folder.write("secret", "short");
    folder.write("keys", OLD_KEY);
    let line = reload(&gateway, KEPT).await;
    assert_eq!(
        (&line["level"], &line["variable"]),
        (&json!("WARN"), &json!("JWT_SECRET_FILE"))
    );
    assert!(
        line["reason"]
            .as_str()
            .unwrap()
            .contains("at least 32 bytes")
    );
    until("the other one is taken", async || {
        gateway.logged(READ).len() == 2
    })
    .await;
    assert_eq!(gateway.logged(READ)[1]["changed"], "INTERNAL_API_KEYS_FILE");
    folder.remove("secret");
    let line = reload(&gateway, KEPT).await;
    assert!(line["reason"].as_str().unwrap().contains("cannot be read"));
    assert!(opens(&gateway, &by_new).await);
    assert_eq!(emit(&gateway, OLD_KEY).await, 200);
    assert_eq!(agent.event().await.name(), "note");

    gateway.signal(Signal::TERM);
    let ended = gateway.ended().await;
    assert_eq!(ended.status.code(), Some(0));
    for hidden in [
        OLD,
        NEW,
        OLD_KEY,
        NEW_KEY,
        OLD_SCRAPE_KEY,
        NEW_SCRAPE_KEY,
        "short",
    ] {
        assert!(!ended.log.contains(hidden), "{hidden} in {}", ended.log);
    }
}

#[tokio::test]
async fn sighup_reloads_a_public_key_and_a_key_set() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let [old, new] = [Signer::p256(), Signer::p256()];
    let set = |signer: &Signer| json!({"keys": [signer.jwk("1")]}).to_string();
    let key = folder.write("key.pem", old.public.to_string());
    let keys = folder.write("keys.json", set(&old));
    for variables in [
        [("JWT_SECRET", ""), ("JWT_PUBLIC_KEY", &*key)],
        [("JWT_SECRET", ""), ("JWT_PUBLIC_KEY_FILE", &key)],
        [("JWT_SECRET", ""), ("JWT_JWKS_URL", &keys)],
    ] {
        let name = variables[1].0;
        folder.write("key.pem", old.public.to_string());
        folder.write("keys.json", set(&old));
        let gateway = TestGateway::start_with(&broker, &variables).await;
        let token = |signer: &Signer| signer.sign_as("1", &claims("acme"));
        assert!(opens(&gateway, &token(&old)).await);
        assert!(!opens(&gateway, &token(&new)).await);
        folder.write("key.pem", new.public.to_string());
        folder.write("keys.json", set(&new));
        assert_eq!(reload(&gateway, READ).await["changed"], name);
        assert!(opens(&gateway, &token(&new)).await);
        assert!(!opens(&gateway, &token(&old)).await);
        folder.write("key.pem", new.private.to_string());
        folder.write("keys.json", "{\"keys\": hidden");
        assert_eq!(reload(&gateway, KEPT).await["variable"], name);
        assert!(opens(&gateway, &token(&new)).await);
        let log = gateway.log().join("\n");
        assert!(!log.contains("hidden"), "{log}");
    }
}

#[tokio::test]
async fn sighup_reloads_the_introspection_secret() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let secret = folder.write("client", "before");
    let server = AuthServer::with(&json!({"active": false})).await;
    let url = server.url();
    let variables = [
        ("AUTH_INTROSPECTION_URL", &*url),
        ("AUTH_INTROSPECTION_CLIENT_ID", "gateway"),
        ("AUTH_INTROSPECTION_CLIENT_SECRET_FILE", &secret),
    ];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    assert!(!opens(&gateway, "opaque").await);
    folder.write("client", "after");
    let line = reload(&gateway, READ).await;
    assert_eq!(line["changed"], "AUTH_INTROSPECTION_CLIENT_SECRET_FILE");
    assert!(!opens(&gateway, "opaque").await);
    let asked = server.asked();
    let shown: Vec<_> = asked
        .iter()
        .map(|asked| asked.headers["authorization"].to_str().unwrap())
        .collect();
    // gateway:before and gateway:after
    assert_eq!(
        shown,
        ["Basic Z2F0ZXdheTpiZWZvcmU=", "Basic Z2F0ZXdheTphZnRlcg=="]
    );
}

#[tokio::test]
async fn a_reloaded_amqp_url_is_used_from_the_next_connection_on() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let (first, second) = (Proxy::to_broker().await, Proxy::to_broker().await);
    let url = folder.write("url", first.broker_url());
    let variables = [("AMQP_URL", ""), ("AMQP_URL_FILE", &*url)];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
    folder.write("url", second.broker_url());
    assert_eq!(reload(&gateway, READ).await["changed"], "AMQP_URL_FILE");
    broker.delivers(&mut agent, "m-2").await;
    first.cut();
    broker.delivers(&mut agent, "m-3").await;
}

#[tokio::test]
async fn sighup_without_files_changes_nothing() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    gateway.signal(Signal::HUP);
    gateway.logs("there is nothing to read again").await;
    assert!(opens(&gateway, &sign(&claims("acme"))).await);
    assert_eq!(emit(&gateway, crate::harness::API_KEY).await, 200);
    assert_eq!(agent.event().await.name(), "note");
    gateway.signal(Signal::TERM);
    assert_eq!(agent.next().await, Received::Closed);
    assert_eq!(gateway.ended().await.status.code(), Some(0));
}

#[tokio::test]
async fn sighup_reloads_files_under_dev() {
    let folder = Folder::new();
    let secret = folder.write("secret", OLD);
    let mut child = Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .arg("dev")
        .env_clear()
        .envs([("PORT", "0"), ("AMQP_URL", "amqp://127.0.0.1:1/%2f")])
        .envs([("JWT_SECRET_FILE", &*secret), ("HOST", " ")])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut says = async |text: &str| {
        let found = timeout(DEADLINE, async {
            while let Some(line) = log.next_line().await.unwrap() {
                if line.contains(text) {
                    return;
                }
            }
            panic!("it ended without {text:?}");
        });
        found.await.unwrap();
    };
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    says("listening").await;
    folder.write("secret", NEW);
    kill_process(pid, Signal::HUP).unwrap();
    says("changed=\"JWT_SECRET_FILE\"").await;
    kill_process(pid, Signal::TERM).unwrap();
    let status = timeout(DEADLINE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}
