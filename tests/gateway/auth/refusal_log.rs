//! The log of rejected connects: reason, claim, address and tenant, never the token, and not a line for each
//! of a flood.

use std::time::Instant;

use serde_json::{Value, json};

use crate::auth::server::{AuthServer, ok};
use crate::harness::{Broker, Client, Received, TestGateway, claims, now, sign, sign_with, until};

const REFUSED: &str = "invalid tokens are refused";
const CONNECTS: &str = "connects are refused, the last of them this one";

/// At the level that operators have.
async fn start(broker: &Broker, variables: &[(&str, &str)]) -> TestGateway {
    TestGateway::start_with(broker, &[&[("RUST_LOG", "info")], variables].concat()).await
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("acme");
    claims[name] = value;
    claims
}

async fn is_invalid(gateway: &TestGateway, token: &str) {
    let invalid = Received::Refused("Invalid token".to_owned());
    assert_eq!(gateway.enter(token).await.next().await, invalid);
}

#[tokio::test]
async fn an_invalid_token_is_logged_with_the_reason_and_claim_and_nothing_of_the_token() {
    let broker = Broker::new().await;
    let variables = [("JWT_ISSUER", "portal"), ("JWT_AUDIENCE", "gateway")];
    let gateway = start(&broker, &variables).await;
    let mut good = claims("acme");
    good["iss"] = "portal".into();
    good["aud"] = "gateway".into();
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        sign(&claims)
    };
    let rs256 = "eyJhbGciOiJSUzI1NiJ9";
    let hs512 = "eyJhbGciOiJIUzUxMiJ9";
    let parts = sign(&good);
    let parts: Vec<_> = parts.split('.').collect();
    let as_if = |header: &str| format!("{header}.{}.{}", parts[1], parts[2]);
    let forged = sign_with("of somebody else entirely, 32 bytes", &good);
    let cases = [
        (forged, "its signature is of none", None),
        (as_if(rs256), "no key is configured", None),
        (as_if(hs512), "its algorithm (alg) is not", None),
        ("hidden".to_owned(), "it is malformed", None),
        ("hidden".repeat(3_000), "it has more than 16384 bytes", None),
        (changed("iss", json!("hidden")), "JWT_ISSUER", Some("iss")),
        (
            changed("aud", json!(["hidden"])),
            "JWT_AUDIENCE",
            Some("aud"),
        ),
        (changed("sub", Value::Null), "missing", Some("sub")),
        (
            changed("tenantId", json!(7.5)),
            "not an integer",
            Some("tenantId"),
        ),
        (
            changed("conversations", json!("hidden")),
            "array",
            Some("conversations"),
        ),
        (
            changed("exp", json!((now() + 60) * 1_000)),
            "milliseconds",
            Some("exp"),
        ),
        (
            changed("nbf", json!(now() * 1_000)),
            "milliseconds",
            Some("nbf"),
        ),
        (changed("nbf", json!(now() + 600)), "future", Some("nbf")),
    ];
    for (token, reason, claim) in &cases {
        is_invalid(&gateway, token).await;
        let is_logged = |line: &Value| {
            let logged = line["reason"].as_str().unwrap();
            logged.contains(reason) && line["claim"].as_str() == *claim && line["level"] == "WARN"
        };
        until(reason, async || {
            gateway.logged(REFUSED).iter().any(is_logged)
        })
        .await;
    }
    // What has only expired is everyday life.
    let expired = Received::Refused("Token expired".to_owned());
    let old = changed("exp", json!(now() - 60));
    assert_eq!(gateway.enter(&old).await.next().await, expired);
    let log = gateway.log().join("\n");
    assert_eq!(gateway.logged(REFUSED).len(), cases.len(), "{log}");
    assert!(!log.contains("hidden") && !log.contains("Some("), "{log}");
    for (token, ..) in &cases {
        for part in token.split('.').skip(1) {
            assert!(!log.contains(part), "{part} in {log}");
        }
    }
}

#[tokio::test]
async fn an_inactive_token_is_logged_as_unknown_to_the_auth_service() {
    let broker = Broker::new().await;
    let server = AuthServer::with(&json!({"active": false})).await;
    let url = server.url();
    let gateway = start(&broker, &[("AUTH_INTROSPECTION_URL", &url)]).await;
    is_invalid(&gateway, "opaque").await;
    gateway
        .logs("the auth service says that it is not active")
        .await;
    let mut answer = with("exp", json!((now() + 60) * 1_000));
    answer["active"] = true.into();
    server.set(ok(&answer));
    is_invalid(&gateway, "opaque").await;
    gateway.logs("milliseconds").await;
    // Numbers count here as in a signed token.
    let mut answer = with("sub", json!(4711));
    answer["active"] = true.into();
    server.set(ok(&answer));
    let joined = gateway.enter("opaque").await.joined().await;
    assert_eq!(joined["agent"]["id"], "4711");
}

#[tokio::test]
async fn many_rejected_connects_are_logged_as_an_occasional_line_with_their_count() {
    let broker = Broker::new().await;
    let gateway = start(&broker, &[]).await;
    let began = Instant::now();
    let forged = sign_with("of somebody else entirely, 32 bytes", &claims("acme"));
    for _ in 0..40 {
        is_invalid(&gateway, &forged).await;
    }
    gateway.logs(CONNECTS).await;
    // Of each kind one, and one more each ten seconds: however slow the machine is.
    let most = 1 + began.elapsed().as_secs() as usize / 10;
    for message in [REFUSED, CONNECTS] {
        let lines = gateway.logged(message);
        assert!((1..=most).contains(&lines.len()), "{lines:?}");
    }
    assert_eq!(gateway.logged(REFUSED)[0]["tokens"], 1);
    until("the next line says how many there were", async || {
        is_invalid(&gateway, &forged).await;
        gateway
            .logged(REFUSED)
            .iter()
            .any(|line| line["tokens"].as_u64() > Some(1))
    })
    .await;
}

#[tokio::test]
async fn a_rejected_connect_is_logged_with_the_address_and_the_requested_tenant() {
    let broker = Broker::new().await;
    let variables = [("RUST_LOG", "debug"), ("TRUSTED_PROXIES", "1")];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let long = "x".repeat(10_000);
    let none = "(none, or no id)";
    let token = sign(&claims("other"));
    for (number, (query, namespace, auth, refusal, tenant)) in (0_usize..).zip([
        (
            "&tenantId=acme&conversationId=c-1",
            "/",
            json!({"token": token}),
            "Forbidden",
            "acme",
        ),
        (
            "",
            "/tenant/globex/conv/c-1",
            json!({}),
            "Authentication required",
            "globex",
        ),
        (
            "",
            "/",
            json!({"token": "x", "tenantId": "initech"}),
            "Invalid token",
            "initech",
        ),
        (
            "",
            "/",
            json!({"token": token}),
            "Invalid conversation",
            none,
        ),
        (
            "",
            "/",
            json!({"token": token, "tenantId": long}),
            "Invalid conversation",
            none,
        ),
        (
            "",
            "/",
            json!({"token": token, "tenantId": "a\nb"}),
            "Invalid conversation",
            none,
        ),
    ]) {
        let mut client = Client::open(gateway.address(), query).await;
        client.connect(namespace, &auth).await;
        let answer = Received::Refused(refusal.to_owned());
        assert_eq!(client.next().await, answer);
        until("it is logged", async || {
            gateway.logged("connect refused").len() > number
        })
        .await;
        let line = &gateway.logged("connect refused")[number];
        assert_eq!(
            (&line["refusal"], &line["tenant"], &line["address"]),
            (&json!(refusal), &json!(tenant), &json!("127.0.0.1"))
        );
        until("it is counted", async || {
            let logged = gateway.logged(CONNECTS);
            logged.iter().any(|line| line["refusal"] == refusal)
        })
        .await;
    }
    let log = gateway.log().join("\n");
    assert!(
        !log.contains("Some(") && !log.contains(&long[..129]),
        "{log}"
    );
}

#[tokio::test]
async fn a_rejected_refresh_token_is_logged_with_the_reason() {
    let broker = Broker::new().await;
    let variables = [("RUST_LOG", "debug")];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let refresh = json!(["refresh_token", {"token": "x"}]);
    agent.ask("/", 1, &refresh).await;
    assert!(matches!(agent.next().await, Received::Ack { .. }));
    until("it is logged", async || {
        !gateway.logged("refresh refused").is_empty()
    })
    .await;
    let line = &gateway.logged("refresh refused")[0];
    assert_eq!(
        (&line["refusal"], &line["tenant"], &line["address"]),
        (&json!("Invalid token"), &json!("acme"), &json!("127.0.0.1"))
    );
}
