//! The command line, as an operator uses it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{run, text};
use crate::harness::{Broker, Client, Received, SECRET, Signal, TestGateway, now};

#[tokio::test]
async fn every_configuration_error_is_reported_with_exit_code_64() {
    let variables = [
        ("PORT", "port"),
        ("AMQP_URL", "nowhere"),
        ("PING_TIMEOUT_MS", "-1"),
    ];
    for arguments in [&["serve"][..], &[]] {
        let output = run(&variables, arguments).await;
        assert_eq!(output.status.code(), Some(64));
        let stderr = text(&output.stderr);
        for name in ["PORT: ", "AMQP_URL: ", "PING_TIMEOUT_MS: ", "JWT_SECRET: "] {
            assert!(stderr.contains(name), "{name} in {stderr}");
        }
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_printed_token_grants_the_conversations_it_names() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let arguments = [
        "token",
        "--tenant",
        "acme",
        "--conversation",
        "c-1",
        "--conversation",
        "c-2",
        "--agent",
        "agent-7",
        "--name",
        "Grace",
        "--expires-in",
        "10m",
    ];
    let output = run(&[("JWT_SECRET", SECRET)], &arguments).await;
    assert!(output.status.success());
    let token = text(&output.stdout).strip_suffix('\n').unwrap();
    assert!(!token.contains(char::is_whitespace));
    let auth = json!({"token": token});
    let mut client = Client::open(gateway.address(), "").await;
    client.connect("/tenant/acme/conv/c-2", &auth).await;
    let joined = client.joined().await;
    assert_eq!(joined["agent"], json!({"id": "agent-7", "name": "Grace"}));
    client.connect("/tenant/acme/conv/c-3", &auth).await;
    assert_eq!(
        client.next().await,
        Received::Refused("Forbidden".to_owned())
    );

    let output = run(&[], &["token", "--tenant", "acme"]).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("JWT_SECRET"));
}

#[tokio::test]
async fn expires_in_without_a_unit_is_seconds() {
    for (life, seconds) in [("600", 600), ("1h", 3600), ("90s", 90), ("2m 30s", 150)] {
        let before = now();
        let arguments = ["token", "--tenant", "acme", "--expires-in", life];
        let output = run(&[("JWT_SECRET", SECRET)], &arguments).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
        let claims = text(&output.stdout).split('.').nth(1).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let made_at = claims["exp"].as_i64().unwrap() - seconds;
        assert!((before..=now()).contains(&made_at), "{life}: {claims}");
    }
    let help = run(&[], &["token", "--help"]).await;
    assert!(text(&help.stdout).contains("a bare number is seconds"));
    // So long that the gateway would take it for a mistake.
    let arguments = ["token", "--tenant", "acme", "--expires-in", "100000000000"];
    let output = run(&[("JWT_SECRET", SECRET)], &arguments).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("--expires-in: "));
}

#[tokio::test]
async fn the_publish_command_reaches_the_agent() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let variables = [
        ("AMQP_URL", broker.url()),
        ("AMQP_EXCHANGE", &*broker.names.exchange),
    ];
    let inbound = [
        "publish",
        "inbound",
        "--tenant",
        "acme",
        "--conversation",
        "c-1",
        "--text",
        "hello",
        "--media-url",
        "https://example.com/a.jpg",
        "--media-type",
        "image/jpeg",
        "--from",
        "491511234",
    ];
    let output = run(&variables, &inbound).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let id = text(&output.stdout).trim_end().to_owned();
    let event = agent.event().await;
    assert_eq!(event.message_id(), id);
    assert_eq!(event.data()["text"], "hello");
    assert_eq!(event.data()["mediaType"], "image/jpeg");
    let status = [
        "publish",
        "status",
        "--tenant",
        "acme",
        "--conversation",
        "c-1",
        "--message-id",
        &id,
        "--status",
        "read",
    ];
    let output = run(&variables, &status).await;
    assert_eq!(text(&output.stdout).trim_end(), id);
    assert_eq!(agent.event().await.data()["status"], "read");

    let mistaken = [
        "publish",
        "status",
        "--tenant",
        "acme",
        "--conversation",
        "c-1",
        "--message-id",
        "m",
        "--status",
        "seen",
    ];
    let output = run(&variables, &mistaken).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("status: must be"));
    let nowhere = [("AMQP_URL", "amqp://127.0.0.1:1/%2f")];
    let output = run(&nowhere, &status).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("127.0.0.1:1"));
}

#[tokio::test]
async fn sigterm_closes_the_transports_and_exits_with_0() {
    let broker = Broker::new().await;
    for (signal, id) in [(Signal::TERM, "m-1"), (Signal::INT, "m-2")] {
        let gateway = TestGateway::start(&broker).await;
        let mut agent = gateway.agent("acme", "c-1").await;
        broker.delivers(&mut agent, id).await;
        gateway.signal(signal);
        // Not DISCONNECT, after which the official client stays away.
        assert_eq!(agent.next().await, Received::Closed);
        let ended = gateway.ended().await;
        assert_eq!(ended.status.code(), Some(0), "{}", ended.log);
    }
}
