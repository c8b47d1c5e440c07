//! Optional fields that cannot be used: a delivery's event goes without them, and it is said.

use std::io::Write as _;

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::dead_letters::header;
use crate::harness::raw::ask;
use crate::harness::{API_KEY, Broker, TestGateway, message, status, until};

/// The lines of the log that tell of a field that was left out.
fn told(gateway: &TestGateway) -> Vec<Value> {
    let lines = gateway.log().into_iter();
    lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .filter(|line: &Value| {
            line["message"]
                .as_str()
                .unwrap()
                .contains("goes without it")
        })
        .collect()
}

async fn counted(gateway: &TestGateway, field: &str, count: u64) {
    let key = format!("x-internal-api-key: {API_KEY}");
    let sample = format!("agent_gateway_fields_ignored_total{{field=\"{field}\"}} {count}");
    until(&sample, async || {
        let page = ask(gateway.address(), "GET /metrics", &[&key]).await.body;
        page.lines().any(|line| line == sample)
    })
    .await;
}

#[tokio::test]
async fn the_event_is_delivered_without_it_and_a_warning_and_a_counter_name_the_field() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let at = "2024-05-01T10:00:00Z";
    let long = format!("https://media.test/{}", "x".repeat(3_000));
    let mut bodies = Vec::new();
    for (field, value) in [
        ("mediaUrl", json!("https://media.test/my photo.jpg")),
        ("mediaUrl", json!(long)),
        ("mediaUrl", json!("/photo.jpg")),
        ("mediaType", json!("picture")),
        ("from", json!(34_600_000_001_u64)),
        ("from", json!("9".repeat(129))),
    ] {
        let mut body = message("acme", "c-1", &format!("m-{}", bodies.len()));
        body[field] = value;
        bodies.push(body);
    }
    for body in &bodies {
        broker.publish("inbound_message", body).await;
        let id = &body["messageId"];
        let expected =
            json!({"messageId": id, "type": "text", "text": body["text"], "timestamp": at});
        assert_eq!(agent.event().await.data(), &expected);
    }
    for (error, left) in [
        (json!([]), None),
        (json!("Undeliverable"), None),
        (
            json!({"code": 131026, "title": 7}),
            Some(json!({"code": 131026})),
        ),
    ] {
        let id = error.to_string();
        let mut body = status("acme", "c-1", &id, "failed");
        body["error"] = error;
        broker.publish("status_update", &body).await;
        let mut expected = json!({"messageId": id, "status": "failed", "timestamp": at});
        if let Some(left) = left {
            expected["error"] = left;
        }
        assert_eq!(agent.event().await.data(), &expected);
    }
    for (field, count) in [
        ("mediaUrl", 3),
        ("mediaType", 1),
        ("from", 2),
        ("error", 2),
        ("error.title", 1),
        ("error.code", 0),
        ("text", 0),
        ("timestamp", 0),
    ] {
        counted(&gateway, field, count).await;
    }
    // One warning for each field within a minute, however many deliveries have it.
    let told = told(&gateway);
    let fields: Vec<_> = told.iter().map(|line| &line["field"]).collect();
    assert_eq!(
        fields,
        ["mediaUrl", "mediaType", "from", "error", "error.title"]
    );
    let first = &told[0];
    assert_eq!(first["level"], "WARN");
    assert_eq!(first["queue"], *broker.names.inbound);
    assert_eq!(
        (&first["tenant"], &first["conversation"]),
        (&json!("acme"), &json!("c-1"))
    );
    assert_eq!(
        (&first["message_id"], &first["event"]),
        (&json!("m-0"), &json!("inbound_message"))
    );
    assert_eq!(
        first["reason"],
        "must be an absolute http or https URL, with spaces written as %20"
    );
    assert_eq!(first["more_since_last_warning"], 0);
}

#[tokio::test]
async fn at_debug_each_of_them_is_told() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("RUST_LOG", "debug")]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let ids = ["m-1", "m-2", "m-3"];
    for id in ids {
        let mut body = message("acme", "c-1", id);
        body["timestamp"] = "yesterday".into();
        body["mediaType"] = "".into();
        broker.publish("inbound_message", &body).await;
        // The time of arrival counts instead.
        let event = agent.event().await;
        assert_eq!(event.message_id(), id);
        assert_ne!(event.data()["timestamp"], "2024-05-01T10:00:00Z");
        assert!(event.data()["timestamp"].as_str().unwrap().ends_with('Z'));
    }
    counted(&gateway, "timestamp", 3).await;
    counted(&gateway, "mediaType", 0).await;
    until("all three are in the log", async || {
        told(&gateway).len() == 3
    })
    .await;
    let told: Vec<_> = told(&gateway)
        .iter()
        .map(|line| (line["level"].clone(), line["message_id"].clone()))
        .collect();
    let expected = ["WARN", "DEBUG", "DEBUG"].into_iter().zip(ids);
    let expected: Vec<_> = expected
        .map(|(level, id)| (json!(level), json!(id)))
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_is_required_still_decides() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let media = |id: &str, url: &str| json!({"tenantId": "acme", "conversationId": "c-1", "messageId": id, "mediaUrl": url});
    let bodies = [
        (
            media("m-1", "https://media.test/my photo.jpg"),
            "mediaUrl: must be",
        ),
        (
            media("m-2", ""),
            "text: or mediaUrl, mediaId, location, contacts or type must be there",
        ),
        (
            media("", "https://media.test/photo.jpg"),
            "messageId: must not be empty",
        ),
    ];
    for (body, detail) in bodies {
        broker.publish("inbound_message", &body).await;
        let letter = &broker.take(&broker.names.dead_letters, 1).await[0];
        let header = |name| header(&letter.properties, name).unwrap();
        assert_eq!(header("x-gateway-reason"), "invalid_event", "{body}");
        let told = header("x-gateway-detail");
        assert!(told.contains(detail), "{told}");
    }
    // Nothing was left out of an event, since there was none.
    counted(&gateway, "mediaUrl", 0).await;
}

#[tokio::test]
async fn half_an_emoji_a_byte_order_mark_and_a_packing_do_not_cost_the_message() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let half = r#"{"tenantId":"acme","conversationId":"c-1","messageId":"m-1","text":"cut \ud83d",
        "timestamp":1714557600,"raw":{"\udE00":[["\uD83D"]]}}"#;
    let plain = |id: &str| message("acme", "c-1", id).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain("m-3").as_bytes()).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(plain("m-4").as_bytes()).unwrap();
    let bodies = [
        (half.as_bytes().to_vec(), None),
        (format!("\u{feff}{}", plain("m-2")).into_bytes(), None),
        (gzip.finish().unwrap(), Some("gzip")),
        (zlib.finish().unwrap(), Some("deflate")),
        (plain("m-5").into_bytes(), Some("utf-8")),
    ];
    for (number, (body, encoding)) in (1..).zip(bodies) {
        let properties = match encoding {
            Some(encoding) => BasicProperties::default().with_content_encoding(encoding.into()),
            None => BasicProperties::default(),
        };
        broker
            .publish_raw("inbound_message", &body, properties)
            .await;
        let event = agent.event().await;
        assert_eq!(event.message_id(), format!("m-{number}"));
        if number == 1 {
            assert_eq!(event.data()["text"], "cut \u{fffd}");
        }
    }
    // Half a pair as three bytes is no UTF-8, and so no JSON.
    let bytes = b"{\"tenantId\":\"acme\",\"text\":\"\xed\xa0\xbd\"}";
    let properties = BasicProperties::default();
    broker
        .publish_raw("inbound_message", bytes, properties)
        .await;
    let letter = &broker.take(&broker.names.dead_letters, 1).await[0];
    let reason = header(&letter.properties, "x-gateway-reason");
    assert_eq!(reason.as_deref(), Some("invalid_json"));
}
