//! `doctor`, against a running gateway.

use serde_json::Value;

use super::{environment, run, text};
use crate::harness::{Broker, TestGateway, claims, sign};

struct Told {
    ok: bool,
    steps: Vec<Value>,
}

impl Told {
    async fn with(broker: &Broker, more: &[(&str, &str)], arguments: &[&str]) -> Self {
        let variables = [&environment(broker)[..], more].concat();
        let arguments = [&["doctor", "--json"], arguments].concat();
        let output = run(&variables, &arguments).await;
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        let ok = document["ok"].as_bool().unwrap();
        assert_eq!(output.status.code(), Some(i32::from(!ok)));
        let steps = document["steps"].as_array().unwrap().clone();
        Self { ok, steps }
    }

    fn tells(&self, name: &str, state: &str, words: &[&str]) {
        let step = self.steps.iter().find(|step| step["step"] == name);
        let step = step.unwrap();
        assert_eq!(step["state"], state, "{step}");
        for word in words {
            assert!(
                step["detail"].as_str().unwrap().contains(word),
                "{word}: {step}"
            );
        }
    }
}

#[tokio::test]
async fn probes_come_through_and_leave_nothing_behind() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let url = format!("http://{}", gateway.address());
    let told = Told::with(&broker, &[], &["--url", &url, "--samples", "7"]).await;
    let names: Vec<_> = told
        .steps
        .iter()
        .map(|step| step["step"].as_str())
        .collect();
    let expected = [
        "configuration",
        "broker",
        "exchange",
        "healthz",
        "readyz",
        "handshake",
        "joined",
        "probe",
        "latency",
    ];
    assert_eq!(names, expected.map(Some));
    for step in expected {
        told.tells(step, "ok", &[]);
    }
    told.tells("latency", "ok", &["of 7 probes", "p50 ", "p95 ", "max "]);
    for queue in [&broker.names.inbound, &broker.names.dead_letters] {
        assert_eq!(broker.depth(queue).await, 0);
    }
    let path = "/internal/conversations/agent-gateway.doctor/agent-gateway.doctor";
    let (_, kept) = gateway.get_with_key(path).await;
    assert_eq!(kept["events"], 8);
    // Those are not shown to the next one.
    let output = run(
        &environment(&broker),
        &["doctor", "--url", &url, "--samples", "1"],
    )
    .await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout)
            .lines()
            .all(|line| line.starts_with("ok "))
    );
}

#[tokio::test]
async fn what_does_not_work_is_told_with_what_to_do() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let url = format!("http://{}", gateway.address());
    let there = ["--url", &*url, "--samples", "1"];

    let secret = ("JWT_SECRET", "another secret, of 32 bytes or more");
    let told = Told::with(&broker, &[secret], &there).await;
    told.tells("handshake", "ok", &[]);
    told.tells("joined", "failed", &["Invalid token", "JWT_SECRET"]);
    told.tells("probe", "not_reached", &[]);

    let nowhere = ("AMQP_URL", "amqp://127.0.0.1:1/%2f");
    let told = Told::with(&broker, &[nowhere], &there).await;
    told.tells("broker", "failed", &["127.0.0.1:1"]);
    told.tells("exchange", "not_reached", &[]);
    told.tells("joined", "ok", &[]);
    told.tells("probe", "not_reached", &[]);

    let exchange = ("AMQP_EXCHANGE", "no-such-exchange");
    let told = Told::with(&broker, &[exchange], &there).await;
    told.tells("exchange", "failed", &["no-such-exchange"]);

    let elsewhere = ["--url", "http://127.0.0.1:1", "--samples", "1"];
    let told = Told::with(&broker, &[], &elsewhere).await;
    assert!(!told.ok);
    told.tells("exchange", "ok", &[]);
    told.tells(
        "healthz",
        "failed",
        &["127.0.0.1:1", "is the gateway there"],
    );
    told.tells("readyz", "not_reached", &[]);
    told.tells("handshake", "failed", &[]);

    // A mapping that would make a dead letter of a probe.
    let mapping = ("AMQP_MAPPING", "cloud_api");
    let told = Told::with(&broker, &[mapping], &there).await;
    told.tells("probe", "not_looked_at", &["cloud_api"]);
    assert!(told.ok);
    assert_eq!(broker.depth(&broker.names.dead_letters).await, 0);
}

#[tokio::test]
async fn a_token_from_elsewhere_opens_its_own_tenant() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let url = format!("http://{}", gateway.address());
    let token = sign(&claims("acme"));
    let without_secret = ("JWT_SECRET", "");
    let arguments = [
        "--url",
        &*url,
        "--samples",
        "1",
        "--token",
        &token,
        "--tenant",
    ];
    let told = Told::with(
        &broker,
        &[without_secret],
        &[&arguments[..], &["acme"]].concat(),
    )
    .await;
    told.tells("joined", "ok", &["tenant acme"]);
    told.tells("probe", "ok", &[]);
    let told = Told::with(
        &broker,
        &[without_secret],
        &[&arguments[..], &["other"]].concat(),
    )
    .await;
    told.tells("joined", "failed", &["Forbidden", "--tenant"]);

    let output = run(&[], &["doctor", "--url", &url]).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("JWT_SECRET"));
    let output = run(&[], &["doctor", "--url", "ftp://127.0.0.1"]).await;
    assert_eq!(output.status.code(), Some(2));
}
