//! Bodies of other shapes: what a jq program makes of them, from the exchange to the agents.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::amqp::dead_letters::header;
use crate::harness::raw::ask;
use crate::harness::{API_KEY, Broker, Client, Folder, TestGateway, until};

pub(crate) const KEY: &str = "whatsapp.webhook";

/// A body of another shape, with what becomes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    pub(crate) what: String,
    pub(crate) body: Value,
    pub(crate) events: Vec<Value>,
    rejection: Option<Rejected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejected {
    reason: String,
    detail: String,
}

pub(crate) fn examples() -> BTreeMap<String, Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("amqp/examples/cloud_api");
    let files = std::fs::read_dir(folder).unwrap().map(|file| {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let example = serde_json::from_str(&text);
        let example: Example = example.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, example)
    });
    files.collect()
}

/// A gateway that maps what is published with [`KEY`].
async fn mapped(broker: &Broker, mapping: &str) -> TestGateway {
    let variables = [("AMQP_MAPPING", mapping), ("AMQP_INBOUND_BINDINGS", KEY)];
    TestGateway::ready_with(broker, &variables).await
}

/// The same with a program of its own.
pub(crate) async fn programmed(broker: &Broker, folder: &Folder, program: &str) -> TestGateway {
    mapped(broker, &folder.write("ours.jq", program)).await
}

async fn metric(gateway: &TestGateway, sample: &str) {
    let key = format!("x-internal-api-key: {API_KEY}");
    until(sample, async || {
        let page = ask(gateway.address(), "GET /metrics", &[&key]).await.body;
        page.lines().any(|line| line == sample)
    })
    .await;
}

/// The only letter among the dead ones, and why it is there.
pub(crate) async fn letter(broker: &Broker) -> (Delivery, String, String) {
    let letter = broker.take(&broker.names.dead_letters, 1).await.remove(0);
    let header = |name| header(&letter.properties, name).unwrap();
    let (reason, detail) = (header("x-gateway-reason"), header("x-gateway-detail"));
    (letter, reason, detail)
}

#[tokio::test]
async fn every_webhook_of_the_cloud_api_reaches_the_agents_of_its_customers() {
    let broker = Broker::new().await;
    let gateway = mapped(&broker, "cloud_api").await;
    let examples = examples();
    assert!(examples.len() >= 40, "{}", examples.len());
    let mut agents: BTreeMap<(String, String), Client> = BTreeMap::new();
    let key = |event: &Value| {
        let id = |name: &str| event[name].as_str().unwrap().to_owned();
        (id("tenantId"), id("conversationId"))
    };
    for event in examples.values().flat_map(|example| &example.events) {
        let key = key(event);
        if let Entry::Vacant(vacant) = agents.entry(key) {
            let (tenant, conversation) = vacant.key();
            let agent = gateway.agent(tenant, conversation).await;
            vacant.insert(agent);
        }
    }
    let mut ignored = 0;
    for (name, example) in &examples {
        broker.publish(KEY, &example.body).await;
        for expected in &example.events {
            let event = agents.get_mut(&key(expected)).unwrap().event().await;
            let told = format!("{name}: {}", example.what);
            assert_eq!(event.name(), expected["event"], "{told}");
            assert_eq!(event.data(), &expected["payload"], "{told}");
        }
        match &example.rejection {
            None if example.events.is_empty() => ignored += 1,
            None => {}
            Some(expected) => {
                let (letter, reason, detail) = letter(&broker).await;
                assert_eq!(reason, expected.reason, "{name}");
                assert!(detail.starts_with(&expected.detail), "{name}: {detail}");
                assert_eq!(letter.data, example.body.to_string().into_bytes());
            }
        }
    }
    assert!(ignored >= 4);
    let sample = format!("agent_gateway_deliveries_ignored_total {ignored}");
    metric(&gateway, &sample).await;
    // The count lags behind.
    until("no other letter is there", async || {
        broker.depth(&broker.names.dead_letters).await == 0
    })
    .await;
}

#[tokio::test]
async fn a_medium_of_the_cloud_api_gets_a_url_from_the_template() {
    let broker = Broker::new().await;
    let variables = [
        ("AMQP_MAPPING", "cloud_api"),
        ("AMQP_INBOUND_BINDINGS", "a.b, whatsapp.*"),
        ("MEDIA_URL_TEMPLATE", "https://m.test/{tenantId}/{mediaId}"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let example = examples().remove("image").unwrap();
    let event = &example.events[0];
    let id = |name: &str| event[name].as_str().unwrap();
    let mut agent = gateway.agent(id("tenantId"), id("conversationId")).await;
    broker.publish(KEY, &example.body).await;
    let mut expected = event["payload"].clone();
    expected["mediaUrl"] = "https://m.test/106540352242922/2754859441498128".into();
    assert_eq!(agent.event().await.data(), &expected);
    // The other key of the two.
    let example = examples().remove("text").unwrap();
    broker.publish("a.b", &example.body).await;
    assert_eq!(agent.event().await.data(), &example.events[0]["payload"]);
}

#[tokio::test]
async fn a_program_knows_the_delivery_and_says_which_event_it_is() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let program = r#"{
        event, tenantId: "acme", conversationId: "c-1", messageId: .id,
        status: "read", text: ($delivery | tojson)
    }"#;
    let gateway = programmed(&broker, &folder, program).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let mut inner = FieldTable::default();
    inner.insert("n".into(), AMQPValue::LongInt(7));
    let mut headers = FieldTable::default();
    headers.insert("kind".into(), AMQPValue::LongString("x".into()));
    headers.insert("inner".into(), AMQPValue::FieldTable(inner));
    let properties = BasicProperties::default()
        .with_headers(headers)
        .with_message_id("amqp-1".into())
        .with_timestamp(1_714_557_600);
    let names = &broker.names;
    let known = |queue: &str, key: &str| {
        json!({
            "exchange": names.exchange, "routingKey": key, "queue": queue,
            "headers": {"kind": "x", "inner": {"n": 7}},
            "messageId": "amqp-1", "timestamp": "2024-05-01T10:00:00Z",
        })
    };
    for (key, body, name, queue) in [
        (KEY, json!({"id": "1"}), "inbound_message", &names.inbound),
        (
            KEY,
            json!({"id": "2", "event": ""}),
            "inbound_message",
            &names.inbound,
        ),
        (
            KEY,
            json!({"id": "3", "event": "outbound_message"}),
            "outbound_message",
            &names.inbound,
        ),
        (
            KEY,
            json!({"id": "4", "event": "status_update"}),
            "status_update",
            &names.inbound,
        ),
        (
            "status_update",
            json!({"id": "5"}),
            "status_update",
            &names.status,
        ),
    ] {
        let body = body.to_string();
        broker
            .publish_raw(key, body.as_bytes(), properties.clone())
            .await;
        let event = agent.event().await;
        assert_eq!(event.name(), name, "{body}");
        assert_eq!(event.data()["timestamp"], "2024-05-01T10:00:00Z");
        if name != "status_update" {
            let seen: Value = serde_json::from_str(event.data()["text"].as_str().unwrap()).unwrap();
            assert_eq!(seen, known(queue, key));
        }
    }
    // What is not there is null; and the same messageId of the other side is another's.
    broker.publish(KEY, &json!({"id": "3"})).await;
    let event = agent.event().await;
    let seen: Value = serde_json::from_str(event.data()["text"].as_str().unwrap()).unwrap();
    assert_eq!(
        seen,
        json!({
            "exchange": names.exchange, "routingKey": KEY, "queue": names.inbound,
            "headers": null, "messageId": null, "timestamp": null,
        })
    );
    broker
        .publish(KEY, &json!({"id": "6", "event": "note"}))
        .await;
    let (_, reason, detail) = letter(&broker).await;
    assert_eq!(reason, "invalid_event");
    let told = "event: must be one of inbound_message, status_update, outbound_message";
    assert!(detail.starts_with(told), "{detail}");
}

#[tokio::test]
async fn no_key_of_evolution_or_wuzapi_gets_into_an_event_or_a_line_of_the_log() {
    const HIDDEN: &str = "hidden-429683C4C977415CAAFCCE10F7D57E11";
    for (mapping, bodies) in [
        (
            "evolution",
            [
                json!({
                    "event": "messages.upsert", "instance": "acme", "apikey": HIDDEN,
                    "server_url": "http://127.0.0.1", "data": {
                        "key": {"remoteJid": "34600000001@s.whatsapp.net", "fromMe": false, "id": "m-1"},
                        "pushName": "Ada", "message": {"conversation": "hi"},
                        "messageType": "conversation", "messageTimestamp": 1_714_557_600,
                    },
                }),
                json!({
                    "event": "messages.upsert", "instance": "acme", "apikey": HIDDEN,
                    "data": {"key": {"remoteJid": "34600000001@s.whatsapp.net"}, "message": {}},
                }),
                json!({"event": "messages.upsert", "apikey": HIDDEN, "data": HIDDEN}),
            ],
        ),
        (
            "wuzapi",
            [
                json!({
                    "type": "Message", "instanceName": "acme", "userID": "1", "token": HIDDEN,
                    "event": {
                        "Info": {
                            "Chat": "34600000001@s.whatsapp.net", "ID": "m-1", "PushName": "Ada",
                            "Sender": "34600000001:3@s.whatsapp.net", "IsFromMe": false,
                            "Timestamp": "2024-05-01T12:00:00+02:00",
                        },
                        "Message": {"conversation": "hi"},
                    },
                }),
                json!({
                    "type": "Message", "instanceName": "acme", "token": HIDDEN,
                    "event": {"Info": {"Chat": "34600000001@s.whatsapp.net"}, "Message": {}},
                }),
                json!({"type": "Presence", "token": HIDDEN, "event": HIDDEN}),
            ],
        ),
    ] {
        let broker = Broker::new().await;
        let variables = [
            ("AMQP_MAPPING", mapping),
            ("AMQP_INBOUND_BINDINGS", KEY),
            ("RUST_LOG", "trace"),
        ];
        let gateway = TestGateway::ready_with(&broker, &variables).await;
        let mut agent = gateway.agent("acme", "34600000001").await;
        for body in &bodies {
            broker.publish(KEY, body).await;
        }
        let event = agent.event().await;
        let expected = json!({
            "messageId": "m-1", "type": "text", "text": "hi", "from": "34600000001",
            "fromName": "Ada", "timestamp": "2024-05-01T10:00:00Z",
        });
        assert_eq!(event.data(), &expected, "{mapping}");
        let (_, reason, detail) = letter(&broker).await;
        assert_eq!(reason, "invalid_event");
        assert!(detail.starts_with("messageId: is missing"), "{detail}");
        metric(&gateway, "agent_gateway_deliveries_ignored_total 1").await;
        assert!(!gateway.log().join("\n").contains(HIDDEN), "{mapping}");
    }
}
