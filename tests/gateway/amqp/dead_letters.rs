//! Deliveries that can never succeed are dead-lettered.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use crate::harness::{Broker, Signal, TestGateway, message, status};

/// A header of a dead letter.
pub(crate) fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(String::from_utf8(text.as_bytes().to_vec()).unwrap()),
        other => Some(format!("{other:?}")),
    }
}

#[tokio::test]
async fn of_1000_deliveries_100_invalid_ones_are_dead_lettered_and_the_rest_delivered() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let bad = |number: usize| match number % 3 {
        0 => format!("not JSON {number}"),
        1 => json!({"tenantId": "acme", "conversationId": "c-1", "text": number.to_string()})
            .to_string(),
        _ => json!({"tenantId": "a b", "conversationId": "c-1", "messageId": number.to_string()})
            .to_string(),
    };
    let deliveries = (0..1_000).map(|number| {
        let body = if number % 10 == 3 {
            bad(number)
        } else {
            message("acme", "c-1", &format!("m-{number}")).to_string()
        };
        let properties = BasicProperties::default()
            .with_message_id(format!("p-{number}").into())
            .with_content_type("application/json".into());
        (body.into_bytes(), properties)
    });
    broker.publish_all("inbound_message", deliveries).await;

    let expected: Vec<_> = (0..1_000)
        .filter(|number| number % 10 != 3)
        .map(|number| format!("m-{number}"))
        .collect();
    assert_eq!(agent.message_ids(900).await, expected);

    let mut dead_letters = broker.take(&broker.names.dead_letters, 100).await;
    dead_letters.sort_by_key(|dead_letter| {
        let id = dead_letter.properties.message_id().as_ref().unwrap();
        id.as_str()[2..].parse::<usize>().unwrap()
    });
    for (dead_letter, number) in dead_letters.iter().zip((3..1_000).step_by(10)) {
        let properties = &dead_letter.properties;
        assert_eq!(String::from_utf8_lossy(&dead_letter.data), bad(number));
        assert_eq!(
            properties.message_id().as_ref().unwrap().as_str(),
            format!("p-{number}")
        );
        assert_eq!(
            properties.content_type().as_ref().unwrap().as_str(),
            "application/json"
        );
        let (reason, field) = match number % 3 {
            0 => ("invalid_json", "body"),
            1 => ("invalid_event", "messageId"),
            _ => ("invalid_event", "tenantId"),
        };
        assert_eq!(
            header(properties, "x-gateway-reason").as_deref(),
            Some(reason)
        );
        let detail = header(properties, "x-gateway-detail").unwrap();
        assert!(detail.starts_with(field), "{detail}");
        assert_eq!(
            header(properties, "x-gateway-queue"),
            Some(broker.names.inbound.clone())
        );
    }
    gateway.signal(Signal::TERM);
    assert!(gateway.ended().await.status.success());
    assert_eq!(broker.depth(&broker.names.inbound).await, 0);
}

#[tokio::test]
async fn a_body_over_256_kib_is_dead_lettered_and_one_at_the_limit_is_delivered() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let sized = |id: &str, size: usize| {
        let mut body = message("acme", "c-1", id);
        body["text"] = "".into();
        let text = "x".repeat(size - body.to_string().len());
        body["text"] = text.into();
        body
    };
    broker
        .publish("inbound_message", &sized("m-1", 256 * 1024 + 1))
        .await;
    broker
        .publish("inbound_message", &sized("m-2", 256 * 1024))
        .await;
    assert_eq!(agent.event().await.message_id(), "m-2");
    let dead_letter = &broker.take(&broker.names.dead_letters, 1).await[0];
    assert_eq!(dead_letter.data.len(), 256 * 1024 + 1);
    assert_eq!(
        header(&dead_letter.properties, "x-gateway-reason").as_deref(),
        Some("too_large")
    );
}

#[tokio::test]
async fn routing_and_expiry_properties_of_a_dead_letter_are_moved_to_headers() {
    let broker = Broker::new().await;
    let _gateway = TestGateway::start(&broker).await;
    let mut headers = FieldTable::default();
    let elsewhere = AMQPValue::LongString(broker.names.status.as_str().into());
    let routes = AMQPValue::FieldArray(vec![elsewhere].into());
    headers.insert("CC".into(), routes);
    headers.insert("trace".into(), AMQPValue::LongString("t-1".into()));
    let properties = BasicProperties::default()
        .with_headers(headers)
        .with_user_id("guest".into())
        .with_expiration("86400000".into());
    broker
        .publish_raw("inbound_message", b"[]", properties)
        .await;
    let dead_letter = &broker.take(&broker.names.dead_letters, 1).await[0];
    let properties = &dead_letter.properties;
    assert_eq!(properties.expiration(), &None);
    assert_eq!(properties.user_id(), &None);
    let original = |name: &str| header(properties, &format!("x-gateway-original-{name}"));
    assert_eq!(original("expiration").as_deref(), Some("86400000"));
    assert_eq!(original("user-id").as_deref(), Some("guest"));
    assert!(original("CC").unwrap().contains("FieldArray"));
    assert_eq!(header(properties, "CC"), None);
    assert_eq!(header(properties, "trace").as_deref(), Some("t-1"));
}

#[tokio::test]
async fn a_deleted_dead_letter_queue_is_redeclared_and_blocks_no_delivery() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker
        .publish_raw("status_update", b"1", BasicProperties::default())
        .await;
    broker.take(&broker.names.dead_letters, 1).await;
    broker.delete_queue(&broker.names.dead_letters).await;
    broker
        .publish_raw("status_update", b"2", BasicProperties::default())
        .await;
    broker
        .publish("status_update", &status("acme", "c-1", "m-1", "read"))
        .await;
    assert_eq!(agent.event().await.message_id(), "m-1");
    let dead_letters = {
        // Declared again by the gateway at its next attempt; until then there is nothing to consume.
        let names = broker.names.clone();
        crate::harness::until("the dead letter queue exists", async || {
            broker.exists(&names.dead_letters).await
        })
        .await;
        broker.take(&names.dead_letters, 1).await
    };
    assert_eq!(dead_letters[0].data, b"2");
}

#[tokio::test]
async fn a_body_that_cannot_be_decompressed_is_dead_lettered_unchanged() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let good = message("acme", "c-1", "m-1").to_string();
    let packed = |bytes: &[u8]| {
        let level = flate2::Compression::best();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    let whole = packed(good.as_bytes());
    let cut = whole[..whole.len() - 4].to_vec();
    // Small on its way, and 256 times the limit.
    let bomb = packed(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 256 * 1024, "{}", bomb.len());
    let large = vec![b' '; 256 * 1024 + 1];
    for (body, encoding, reason, detail) in [
        (
            good.clone().into_bytes(),
            "br",
            "unsupported_encoding",
            "content-encoding: br ",
        ),
        (
            good.clone().into_bytes(),
            "gzip, zstd",
            "unsupported_encoding",
            "content-encoding: gzip, zstd ",
        ),
        (
            good.into_bytes(),
            "deflate",
            "invalid_json",
            "body: cannot be unpacked with deflate",
        ),
        (
            cut,
            "gzip",
            "invalid_json",
            "body: cannot be unpacked with gzip (it ends too early)",
        ),
        (
            bomb,
            "gzip",
            "too_large",
            "body: has more than 262144 bytes when it is unpacked",
        ),
        (large, "gzip", "too_large", "body: has 262145 bytes"),
    ] {
        let properties = BasicProperties::default().with_content_encoding(encoding.into());
        broker
            .publish_raw("inbound_message", &body, properties)
            .await;
        let dead_letter = &broker.take(&broker.names.dead_letters, 1).await[0];
        let properties = &dead_letter.properties;
        assert_eq!(
            header(properties, "x-gateway-reason").as_deref(),
            Some(reason)
        );
        let reported = header(properties, "x-gateway-detail").unwrap();
        assert!(reported.starts_with(detail), "{reported}");
        assert_eq!(
            properties.content_encoding().as_ref().unwrap().as_str(),
            encoding
        );
        assert_eq!(dead_letter.data, body);
    }
    let properties = BasicProperties::default().with_content_encoding("gzip".into());
    broker
        .publish_raw("inbound_message", &whole, properties)
        .await;
    assert_eq!(agent.event().await.message_id(), "m-1");
}
