//! Everything that a customer may send: by the exchange and by the relay, the agent gets the same.

use serde_json::{Value, json};

use crate::harness::{Broker, TestGateway, until};

const AT: &str = "2024-05-01T10:00:00Z";

/// The fields of a message, and what agents get of them besides its id and time.
fn messages() -> Vec<(Value, Value)> {
    let same = [
        json!({"type": "text", "text": "hi", "fromName": "Ada", "from": "34600000001"}),
        json!({"type": "image", "mediaUrl": "https://media.test/1", "mediaType": "image/jpeg"}),
        json!({"type": "sticker", "mediaId": "17", "mediaType": "image/webp"}),
        json!({"type": "document", "mediaId": "18", "fileName": "a b.pdf", "fileSize": 7}),
        json!({"type": "location", "location": {"latitude": -33.8568, "longitude": 151.2153}}),
        json!({"type": "contacts", "contacts": [{"name": "Ada", "phones": ["1", "2"]}]}),
        json!({"type": "reaction", "target": "m-0", "emoji": "👍"}),
        json!({"type": "reaction", "target": "m-0"}),
        json!({"type": "edit", "target": "m-0", "text": "hello"}),
        json!({"type": "delete", "target": "m-0"}),
        json!({"type": "button", "text": "Yes", "replyTo": {"messageId": "m-0", "from": "1"}}),
        json!({"type": "unsupported"}),
        json!({"type": "poll_creation", "text": "Which day?", "forwarded": true}),
    ];
    let mut all: Vec<_> = same.into_iter().map(|one| (one.clone(), one)).collect();
    all.extend([
        (
            json!({"text": "hi", "forwarded": false, "fileName": "", "replyTo": null}),
            json!({"type": "text", "text": "hi"}),
        ),
        (
            json!({"mediaId": 19, "mediaType": "audio/ogg"}),
            json!({"type": "audio", "mediaId": "19", "mediaType": "audio/ogg"}),
        ),
        (
            json!({"type": "reaction", "target": 20, "emoji": ""}),
            json!({"type": "reaction", "target": "20"}),
        ),
    ]);
    all
}

fn with(fields: &Value, more: &Value) -> Value {
    let mut all = fields.as_object().unwrap().clone();
    all.extend(more.as_object().unwrap().clone());
    all.into()
}

#[tokio::test]
async fn every_type_reaches_the_agent_the_same_by_the_queue_and_by_the_relay() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("7", "c-1").await;
    for (number, (fields, expected)) in messages().into_iter().enumerate() {
        let number = 100 + 2 * number;
        let payload = json!({"messageId": number, "timestamp": AT});
        let body = with(&payload, &json!({"tenantId": 7, "conversationId": "c-1"}));
        broker
            .publish("inbound_message.7.c-1", &with(&body, &fields))
            .await;
        let expected = with(
            &expected,
            &json!({"messageId": number.to_string(), "timestamp": AT}),
        );
        assert_eq!(agent.event().await.data(), &expected);

        let payload = with(&fields, &json!({"messageId": number + 1, "timestamp": AT}));
        let emit = json!({
            "tenantId": 7, "conversationId": "c-1", "event": "inbound_message", "payload": payload,
        });
        let (status, answer) = gateway.emit(&emit).await;
        assert_eq!(status, 200, "{answer}");
        let id = (number + 1).to_string();
        let expected = with(&expected, &json!({"messageId": id}));
        assert_eq!(agent.event().await.data(), &expected);
    }
}

#[tokio::test]
async fn what_an_event_cannot_do_without_is_named_by_the_relay_and_by_the_dead_letter() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    for (fields, field) in [
        (json!({"type": "reaction", "emoji": "👍"}), "target"),
        (json!({"type": "edit", "text": "x"}), "target"),
        (json!({"type": "edit", "target": "m"}), "text"),
        (json!({"type": "delete", "target": ""}), "target"),
        (json!({"type": "Text"}), "type"),
        (json!({"type": "x".repeat(33)}), "type"),
        (json!({"target": "m"}), "text"),
        (json!({"forwarded": true}), "text"),
        (
            json!({"location": {"latitude": 91, "longitude": 1}}),
            "location.latitude",
        ),
        (
            json!({"location": {"latitude": "1", "longitude": 1}}),
            "location.latitude",
        ),
        (json!({"contacts": [{}]}), "contacts.name"),
        (json!({"contacts": []}), "contacts"),
    ] {
        let fields = with(&fields, &json!({"messageId": "m-1"}));
        let emit = json!({
            "tenantId": "acme", "conversationId": "c-1", "event": "inbound_message",
            "payload": fields,
        });
        let (status, answer) = gateway.emit(&emit).await;
        assert_eq!(status, 422, "{fields}");
        let named = &answer["error"]["field"];
        assert_eq!(named, &json!(format!("payload.{field}")), "{fields}");
        let ids = json!({"tenantId": "acme", "conversationId": "c-1"});
        broker
            .publish("inbound_message", &with(&fields, &ids))
            .await;
        let letter = &broker.take(&broker.names.dead_letters, 1).await[0];
        let detail = crate::dead_letters::header(&letter.properties, "x-gateway-detail").unwrap();
        assert!(detail.starts_with(&format!("{field}: ")), "{detail}");
    }
}

#[tokio::test]
async fn an_optional_field_is_named_by_the_relay_and_left_out_of_a_delivery() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for (number, (name, value)) in [
        ("type", json!("group invite")),
        ("fileName", json!("x".repeat(256))),
        ("fileSize", json!(1.5)),
        ("fromName", json!("x".repeat(257))),
        ("replyTo", json!("m-0")),
        ("replyTo.messageId", json!({"text": "x"})),
        ("forwarded", json!("true")),
        ("location.longitude", json!({"latitude": 1})),
        ("contacts", json!({"name": "Ada"})),
        ("target", json!([])),
        ("emoji", json!(1)),
        ("mediaId", json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        let field = name.split('.').next().unwrap();
        let id = format!("m-{number}");
        let mut payload = json!({"messageId": id, "text": "hi", "timestamp": AT});
        payload[field] = value;
        let emit = json!({
            "tenantId": "acme", "conversationId": "c-1", "event": "inbound_message",
            "payload": payload,
        });
        let (status, answer) = gateway.emit(&emit).await;
        let named = &answer["error"]["field"];
        assert_eq!((status, named), (422, &json!(format!("payload.{name}"))));
        let ids = json!({"tenantId": "acme", "conversationId": "c-1"});
        let body = with(&payload, &ids);
        broker.publish("inbound_message", &body).await;
        let expected = json!({"messageId": id, "type": "text", "text": "hi", "timestamp": AT});
        assert_eq!(agent.event().await.data(), &expected);
        until(name, async || {
            let told = gateway.told("an optional field cannot be used: the event goes without it");
            told.iter().any(|line| line["field"] == name)
        })
        .await;
    }
}

#[tokio::test]
async fn a_medium_by_its_id_gets_a_url_from_the_template_by_either_door() {
    let broker = Broker::new().await;
    let template = "https://media.test/of/{tenantId}/{conversationId}?id={mediaId}";
    let variables = [("MEDIA_URL_TEMPLATE", template)];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("a@b", "c-1").await;
    let url = "https://media.test/of/a%40b/c-1?id=1%2F2%26";
    let theirs = "https://elsewhere.test/1";
    for (number, (fields, expected)) in [
        (
            json!({"mediaId": "1/2&", "type": "voice"}),
            json!({"mediaId": "1/2&", "type": "voice", "mediaUrl": url}),
        ),
        (
            json!({"mediaId": "3", "mediaUrl": theirs, "mediaType": "video/mp4"}),
            json!({"mediaId": "3", "mediaUrl": theirs, "type": "video", "mediaType": "video/mp4"}),
        ),
        // The id is one that no URL can be made of: it would lead elsewhere.
        (
            json!({"mediaId": "..", "text": "hi"}),
            json!({"text": "hi", "type": "text"}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let payload = with(&fields, &json!({"messageId": format!("m-{number}")}));
        let body = json!({"tenantId": "a@b", "conversationId": "c-1", "timestamp": AT});
        broker
            .publish("inbound_message", &with(&payload, &body))
            .await;
        let id = json!({"messageId": format!("m-{number}"), "timestamp": AT});
        assert_eq!(agent.event().await.data(), &with(&expected, &id));
        if number < 2 {
            let id = json!({"messageId": format!("r-{number}"), "timestamp": AT});
            let emit = json!({
                "tenantId": "a@b", "conversationId": "c-1", "event": "inbound_message",
                "payload": with(&fields, &id),
            });
            assert_eq!(gateway.emit(&emit).await.0, 200);
            assert_eq!(agent.event().await.data(), &with(&expected, &id));
        }
    }
}

#[tokio::test]
async fn a_voice_message_that_was_played_has_been_read() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for status in ["delivered", "played", "read", "delivered", "played"] {
        let body = crate::harness::status("acme", "c-1", "m-1", status);
        broker.publish("status_update", &body).await;
    }
    let body = crate::harness::status("acme", "c-1", "m-2", "sent");
    broker.publish("status_update", &body).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let event = agent.event().await;
        told.push((
            event.message_id().to_owned(),
            event.data()["status"].clone(),
        ));
    }
    let expected = [("m-1", "delivered"), ("m-1", "read"), ("m-2", "sent")];
    let expected = expected.map(|(id, status)| (id.to_owned(), json!(status)));
    assert_eq!(told, expected);
}
