//! `check`, and that it changes nothing.

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, ExchangeKind};
use serde_json::Value;

use super::{environment, run, text};
use crate::harness::{Broker, TestGateway};

/// What `check --json` says, and whether it exits with 0.
pub(super) struct Checked {
    pub(super) ok: bool,
    pub(super) steps: Value,
}

impl Checked {
    pub(super) async fn with(broker: &Broker, variables: &[(&str, &str)]) -> Self {
        let variables = [&environment(broker)[..], variables].concat();
        let output = run(&variables, &["check", "--json"]).await;
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ok = document["ok"].as_bool().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(i32::from(!ok)), "{told}");
        let steps = document["steps"].clone();
        Self { ok, steps }
    }

    pub(super) fn step(&self, name: &str) -> (&str, &str) {
        let steps = self.steps.as_array().unwrap();
        let step = steps.iter().find(|step| step["step"] == name).unwrap();
        let word = |part: &str| step[part].as_str().unwrap();
        (word("state"), word("detail"))
    }

    /// The step has this state, and says all of this.
    pub(super) fn tells(&self, name: &str, state: &str, words: &[&str]) {
        let (is, detail) = self.step(name);
        assert_eq!(is, state, "{name}: {detail}");
        for word in words {
            assert!(detail.contains(word), "{word}: {detail}");
        }
    }

    /// This step has failed, none before it, and those behind it are not reached.
    pub(super) fn ends_at(&self, name: &str, words: &[&str]) {
        assert!(!self.ok);
        self.tells(name, "failed", words);
        let steps = self.steps.as_array().unwrap();
        let index = steps.iter().position(|step| step["step"] == name).unwrap();
        for (place, step) in steps.iter().enumerate() {
            let state = step["state"].as_str().unwrap();
            let expected = match place.cmp(&index) {
                std::cmp::Ordering::Less => &["ok", "not_looked_at"][..],
                std::cmp::Ordering::Equal => &["failed"],
                std::cmp::Ordering::Greater => &["not_reached"],
            };
            assert!(expected.contains(&state), "{step}");
        }
    }
}

const STEPS: [&str; 12] = [
    "configuration",
    "address",
    "tls",
    "login",
    "vhost",
    "exchange",
    "inbound_queue",
    "status_queue",
    "dead_letter_queue",
    "bindings",
    "journal",
    "permissions",
];

async fn exchange_exists(channel: Channel, exchange: &str) -> bool {
    let options = ExchangeDeclareOptions {
        passive: true,
        ..Default::default()
    };
    let (kind, arguments) = (ExchangeKind::Topic, FieldTable::default());
    let declared = channel.exchange_declare(exchange.into(), kind, options, arguments);
    declared.await.is_ok()
}

#[tokio::test]
async fn mistakes_are_those_of_serve() {
    let variables = [("PORT", "port"), ("AMQP_URL", "nowhere")];
    let output = run(&variables, &["check"]).await;
    assert_eq!(output.status.code(), Some(64));
    for name in ["PORT: ", "AMQP_URL: ", "JWT_SECRET: "] {
        assert!(text(&output.stderr).contains(name), "{name}");
    }
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn what_serve_declares_need_not_be_there_and_is_not_made() {
    let broker = Broker::new().await;
    let checked = Checked::with(&broker, &[("JOURNAL", "stream")]).await;
    assert!(checked.ok, "{}", checked.steps);
    let names = &broker.names;
    let later = "the gateway declares it when it starts";
    checked.tells("exchange", "ok", &[&names.exchange, later]);
    for (step, queue) in [
        ("inbound_queue", &names.inbound),
        ("status_queue", &names.status),
        ("dead_letter_queue", &names.dead_letters),
        ("journal", &names.journal),
    ] {
        checked.tells(step, "ok", &[queue, later]);
        assert!(!broker.exists(queue).await, "{queue} was made");
    }
    assert!(!exchange_exists(broker.channel().await, &names.exchange).await);

    let declare = [("AMQP_DECLARE", "false")];
    let checked = Checked::with(&broker, &declare).await;
    assert!(!checked.ok);
    let words = ["there is no", "AMQP_DECLARE is false"];
    for step in ["exchange", "inbound_queue", "dead_letter_queue"] {
        checked.tells(step, "failed", &words);
    }
    checked.tells("bindings", "not_looked_at", &["rabbitmqctl list_bindings"]);
}

#[tokio::test]
async fn everything_is_ok_beside_a_running_gateway() {
    let broker = Broker::new().await;
    let journal = ("JOURNAL", "stream");
    let gateway = TestGateway::ready_with(&broker, &[journal]).await;
    let checked = Checked::with(&broker, &[journal]).await;
    let steps = checked.steps.as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str()).collect();
    assert_eq!(names, STEPS.map(Some));
    for step in steps {
        let expected = match step["step"].as_str() {
            Some("tls") => "not_looked_at",
            _ => "ok",
        };
        assert_eq!(step["state"], expected, "{step}");
    }
    checked.tells("inbound_queue", "ok", &["0 ready, 1 consuming"]);
    checked.tells("journal", "ok", &[&broker.names.journal, "a stream"]);

    let variables = [
        &environment(&broker)[..],
        &[journal, ("AMQP_PREFTECH", "9")],
    ]
    .concat();
    let output = run(&variables, &["check"]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), STEPS.len());
    assert!(lines[0].starts_with("warning"), "{}", lines[0]);
    assert!(lines[0].contains("AMQP_PREFETCH"), "{}", lines[0]);
    assert!(lines[1].starts_with("ok "), "{}", lines[1]);

    // The gateway has not noticed.
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
    assert_eq!(gateway.metric("agent_gateway_duplicates_total").await, 0.0);
}

#[tokio::test]
async fn the_way_in_is_told_step_by_step() {
    let broker = Broker::new().await;
    let (_, address) = broker.url().rsplit_once('@').unwrap();
    let (address, _) = address.split_once('/').unwrap();
    for (url, step, words) in [
        (
            "amqp://127.0.0.1:1/%2f",
            "address",
            ["nothing listens", "AMQP_URL"],
        ),
        (
            "amqp://no-such-host.invalid",
            "address",
            ["no address", "AMQP_URL"],
        ),
        (
            &format!("amqps://{address}"),
            "tls",
            ["does not speak TLS", "amqp://"],
        ),
        (
            &format!("amqp://guest:its-password@{address}"),
            "login",
            ["refuses", "user guest"],
        ),
        (
            &format!("amqp://guest:guest@{address}/nowhere"),
            "vhost",
            ["no vhost nowhere", "add_vhost"],
        ),
    ] {
        let checked = Checked::with(&broker, &[("AMQP_URL", url)]).await;
        checked.ends_at(step, &words);
        assert!(!checked.steps.to_string().contains("its-password"));
    }
}

#[tokio::test]
async fn what_differs_is_told_with_both_values_and_a_remedy() {
    let broker = Broker::new().await;
    let names = &broker.names;
    let channel = broker.channel().await;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let (exchange, kind) = (names.exchange.as_str().into(), ExchangeKind::Direct);
    let declared = channel.exchange_declare(exchange, kind, durable, FieldTable::default());
    declared.await.unwrap();
    broker.declare_plain_queue(&names.inbound).await;
    broker.declare_plain_queue(&names.journal).await;
    let transient = QueueDeclareOptions::default();
    let queue = names.dead_letters.as_str().into();
    let declared = channel.queue_declare(queue, transient, FieldTable::default());
    declared.await.unwrap();
    let checked = Checked::with(&broker, &[("JOURNAL", "stream")]).await;
    assert!(!checked.ok);
    let words = ["in type", "it has direct", "wants topic"];
    checked.tells("exchange", "failed", &words);
    let words = [
        &names.inbound,
        "it has none, the gateway wants ''",
        "delete it",
    ];
    checked.tells("inbound_queue", "failed", &words);
    checked.tells("status_queue", "ok", &["declares it when it starts"]);
    checked.tells(
        "dead_letter_queue",
        "failed",
        &["in durable", "it has false"],
    );
    checked.tells(
        "journal",
        "failed",
        &["is no stream", "AMQP_JOURNAL_STREAM"],
    );
    checked.tells("permissions", "ok", &[]);

    // Somebody else's may be otherwise: that is told, and no reason to fail.
    let checked = Checked::with(&broker, &[("AMQP_DECLARE", "false")]).await;
    checked.tells("exchange", "warning", &["it has direct"]);
    checked.tells("inbound_queue", "warning", &["it has none"]);
}
