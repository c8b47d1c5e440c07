//! `POST /internal/emit`.

use serde_json::{Value, json};

use crate::harness::{API_KEY, Broker, TestGateway, message, until};

fn emit(event: &str, payload: &Value) -> Value {
    json!({"tenantId": "acme", "conversationId": "c-1", "event": event, "payload": payload})
}

#[tokio::test]
async fn what_the_portal_emits_reaches_the_conversation() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let payload = json!({"messageId": "m-1", "text": "hello", "from": "agent-1"});
    let (status, answer) = gateway.emit(&emit("outbound_message", &payload)).await;
    assert_eq!(
        (status, &answer["ok"], &answer["duplicate"]),
        (200, &json!(true), &json!(false))
    );
    assert_eq!(answer.get("stale"), None);
    let event = agent.event().await;
    assert_eq!((event.name(), event.data()), ("outbound_message", &payload));
    assert_eq!(event.cursor(), answer["cursor"]);

    let payload = json!({"messageId": "m-2", "text": "hi", "timestamp": "1714557600000"});
    gateway.emit(&emit("inbound_message", &payload)).await;
    let at = "2024-05-01T10:00:00Z";
    let expected = json!({"messageId": "m-2", "type": "text", "text": "hi", "timestamp": at});
    assert_eq!(agent.event().await.data(), &expected);
}

#[tokio::test]
async fn a_repeat_answers_with_the_first_cursor_and_a_stale_status_with_the_newest() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;

    let mut note = emit("note", &json!({"n": 1}));
    note["eventId"] = json!("e-1");
    let first = gateway.emit(&note).await.1;
    note["payload"] = json!({"n": 2});
    let repeat = gateway.emit(&note).await.1;
    assert_eq!(
        repeat,
        json!({"ok": true, "cursor": first["cursor"], "duplicate": true})
    );
    // The same eventId in another conversation is another event.
    note["conversationId"] = json!("c-2");
    assert_eq!(gateway.emit(&note).await.1["duplicate"], false);

    // By either door the same message.
    broker
        .publish("inbound_message", &message("acme", "c-1", "m-1"))
        .await;
    agent.event().await;
    let published = agent.event().await;
    let again = emit(
        "inbound_message",
        &json!({"messageId": "m-1", "text": "again"}),
    );
    let repeat = gateway.emit(&again).await.1;
    assert_eq!(repeat["duplicate"], true);
    assert_eq!(repeat["cursor"], published.cursor());

    let tick = |status: &str| {
        emit(
            "status_update",
            &json!({"messageId": "m-1", "status": status}),
        )
    };
    let read = gateway.emit(&tick("read")).await.1;
    let stale = gateway.emit(&tick("sent")).await.1;
    assert_eq!(
        stale,
        json!({"ok": true, "cursor": read["cursor"], "duplicate": false, "stale": true})
    );
    assert_eq!(gateway.emit(&tick("read")).await.1["duplicate"], true);
    assert_eq!(agent.event().await.data()["status"], "read");
    gateway.emit(&emit("marker", &json!({}))).await;
    assert_eq!(agent.event().await.name(), "marker");
}

#[tokio::test]
async fn every_mistake_has_its_status_and_names_its_field() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let good = emit("note", &json!({})).to_string();
    let large = emit("note", &json!({"x": "x".repeat(256 * 1024)})).to_string();
    let without_id = emit("inbound_message", &json!({"text": "x"})).to_string();
    let reserved = emit("joined", &json!({})).to_string();
    const JSON: &str = "application/json";
    let key = ("x-internal-api-key", API_KEY);
    let bearer = format!("Bearer {API_KEY}");
    for (header, content_type, body, expected) in [
        (key, JSON, &*good, (200, None, None)),
        (
            ("authorization", &*bearer),
            "application/json; charset=utf-8",
            &good,
            (200, None, None),
        ),
        (
            ("x-other", API_KEY),
            JSON,
            &good,
            (401, Some("unauthorized"), None),
        ),
        (
            ("x-internal-api-key", "a key for tests of the relaY"),
            JSON,
            &good,
            (401, Some("unauthorized"), None),
        ),
        // Strangers learn nothing of what else is wrong.
        (
            ("x-other", API_KEY),
            "text/plain",
            "{",
            (401, Some("unauthorized"), None),
        ),
        (
            key,
            "text/plain",
            &good,
            (415, Some("unsupported_media_type"), None),
        ),
        (key, JSON, &large, (413, Some("payload_too_large"), None)),
        (key, JSON, "{", (400, Some("invalid_json"), None)),
        (key, JSON, "", (400, Some("invalid_json"), None)),
        (
            key,
            JSON,
            "[]",
            (422, Some("invalid_request"), Some("body")),
        ),
        (
            key,
            JSON,
            "{}",
            (422, Some("invalid_request"), Some("tenantId")),
        ),
        (
            key,
            JSON,
            &without_id,
            (422, Some("invalid_request"), Some("payload.messageId")),
        ),
        (
            key,
            JSON,
            &reserved,
            (422, Some("invalid_request"), Some("event")),
        ),
    ] {
        let response = gateway
            .post("/internal/emit")
            .header(header.0, header.1)
            .header("content-type", content_type)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let answer: Value = response.json().await.unwrap();
        let error = &answer["error"];
        assert_eq!(
            (status, error["code"].as_str(), error["field"].as_str()),
            expected,
            "{answer}"
        );
        assert_eq!(answer["ok"], status == 200);
        assert_eq!(error["message"].is_string(), status != 200);
    }
}

#[tokio::test]
async fn who_has_no_key_is_told_how_to_show_one() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let good = emit("note", &json!({}));
    let bearer = format!("Bearer {API_KEY}");
    let wrong = ("x-internal-api-key", "of something else");
    for ((name, value), expected) in [
        (("x-internal-api-key", API_KEY), 200),
        (("authorization", &*bearer), 200),
        (("authorization", API_KEY), 401),
        (wrong, 401),
    ] {
        let response = gateway
            .post("/internal/emit")
            .header(name, value)
            .json(&good)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), expected, "{name}: {value}");
        let challenge = response.headers().get("www-authenticate");
        assert_eq!(challenge.is_some_and(|it| it == "Bearer"), expected == 401);
    }
}

#[tokio::test]
async fn without_a_configured_key_every_call_is_refused() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[("INTERNAL_API_KEYS", "")]).await;
    assert_eq!(gateway.emit(&emit("note", &json!({}))).await.0, 401);
}

#[tokio::test]
async fn it_works_while_the_broker_is_away() {
    let broker = Broker::new().await;
    let nobody = [("AMQP_URL", "amqp://127.0.0.1:1/%2f")];
    let gateway = TestGateway::start_with(&broker, &nobody).await;
    until("it is degraded", async || {
        let (status, ready) = gateway.get("/readyz").await;
        status == 200 && ready["status"] == "degraded" && ready["checks"]["broker"].is_string()
    })
    .await;
    let mut agent = gateway.agent("acme", "c-1").await;
    assert_eq!(gateway.emit(&emit("note", &json!({"n": 1}))).await.0, 200);
    assert_eq!(agent.event().await.data(), &json!({"n": 1}));
}

#[tokio::test]
async fn an_internal_port_takes_it_off_the_public_one() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[("INTERNAL_PORT", "0")]).await;
    assert_eq!(gateway.emit(&emit("note", &json!({}))).await.0, 404);
    let mut internal = None;
    until("the internal listener is in the log", async || {
        internal = gateway.log().iter().find_map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let internal = line["message"] == "listening for internal calls";
            internal.then(|| line["address"].as_str().unwrap().to_owned())
        });
        internal.is_some()
    })
    .await;
    let response = crate::harness::http()
        .post(format!("http://{}/internal/emit", internal.unwrap()))
        .header("x-internal-api-key", API_KEY)
        .header("content-type", "application/json")
        .body(emit("note", &json!({})).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn who_can_be_told_is_told_of_an_optional_field_that_cannot_be_used() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let long = format!("https://media.test/{}", "x".repeat(3_000));
    for (event, field, value) in [
        ("inbound_message", "text", json!(7)),
        (
            "inbound_message",
            "mediaUrl",
            json!("https://media.test/my photo.jpg"),
        ),
        ("inbound_message", "mediaUrl", json!(long)),
        ("inbound_message", "mediaType", json!("picture")),
        ("inbound_message", "from", json!(34_600_000_001_u64)),
        ("inbound_message", "timestamp", json!("yesterday")),
        ("status_update", "timestamp", json!(true)),
        ("status_update", "error", json!([])),
        ("status_update", "error.code", json!(true)),
        ("status_update", "error.title", json!(7)),
    ] {
        let mut payload = match event {
            "inbound_message" => json!({"messageId": "m-1", "text": "hi"}),
            _ => json!({"messageId": "m-1", "status": "failed"}),
        };
        match field.split_once('.') {
            Some((object, within)) => payload[object] = json!({ within: value }),
            None => payload[field] = value,
        }
        let (status, answer) = gateway.emit(&emit(event, &payload)).await;
        assert_eq!(status, 422, "{payload}");
        assert_eq!(answer["error"]["code"], "invalid_request");
        assert_eq!(answer["error"]["field"], format!("payload.{field}"));
    }
    // An empty one is absent, here as there.
    let empty = json!({
        "messageId": "m-1", "text": "hi", "mediaUrl": "", "mediaType": "", "from": "",
        "timestamp": "",
    });
    assert_eq!(gateway.emit(&emit("inbound_message", &empty)).await.0, 200);
    let event = agent.event().await;
    let fields: Vec<_> = event.data().as_object().unwrap().keys().collect();
    assert_eq!(fields, ["messageId", "text", "timestamp", "type"]);
    let empty = json!({"messageId": "m-2", "text": "", "mediaUrl": ""});
    let (status, answer) = gateway.emit(&emit("inbound_message", &empty)).await;
    assert_eq!(
        (status, &answer["error"]["field"]),
        (422, &json!("payload.text"))
    );
    let failed = json!({"messageId": "m-1", "status": "failed", "error": ""});
    assert_eq!(gateway.emit(&emit("status_update", &failed)).await.0, 200);
    assert_eq!(agent.event().await.data().get("error"), None);
}

#[tokio::test]
async fn a_messages_id_is_what_makes_an_outbound_message_a_repeat() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let outbound = |payload: Value| emit("outbound_message", &payload);
    let first = gateway
        .emit(&outbound(json!({"messageId": "m-1", "text": "one"})))
        .await
        .1;
    assert_eq!(first["duplicate"], false);
    let repeat = json!({"ok": true, "cursor": first["cursor"], "duplicate": true});
    let again = outbound(json!({"text": "again", "messageId": "m-1"}));
    assert_eq!(gateway.emit(&again).await.1, repeat);
    // Whatever its eventId is; and the eventId of a repeat is not remembered.
    let mut other = again.clone();
    other["eventId"] = "e-1".into();
    assert_eq!(gateway.emit(&other).await.1, repeat);

    // The same messageId elsewhere, of a customer's message or in another event is another's.
    let mut elsewhere = again;
    elsewhere["conversationId"] = "c-2".into();
    let note = emit("note", &json!({"messageId": "m-1"}));
    let inbound = emit(
        "inbound_message",
        &json!({"messageId": "m-1", "text": "theirs"}),
    );
    for body in [&elsewhere, &note, &note, &inbound] {
        assert_eq!(gateway.emit(body).await.1["duplicate"], false, "{body}");
    }
    // The payload stays the portal's own affair: without a messageId that is one, it is new.
    let odd = [
        json!({"text": "none"}),
        json!({"messageId": 7.5}),
        json!({"messageId": ""}),
        json!({"messageId": null}),
        json!({"messageId": "x".repeat(257)}),
    ];
    for payload in odd.iter().chain(&odd) {
        assert_eq!(
            gateway.emit(&outbound(payload.clone())).await.1["duplicate"],
            false
        );
    }
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(agent.event().await.name().to_owned());
    }
    assert_eq!(
        names,
        ["outbound_message", "note", "note", "inbound_message"]
    );
    for payload in odd.iter().chain(&odd) {
        assert_eq!(agent.event().await.data(), payload);
    }
}

#[tokio::test]
async fn half_an_emoji_and_a_byte_order_mark_are_mended_and_the_rest_passes_as_it_came() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let payload = r#"{"a\ud83d":["\uDE00", {"b": "\\ud83d \ud83d\ude00 \ud83d"}], "c": 1.50}"#;
    let body = format!(
        "\u{feff}{{\"tenantId\":\"acme\",\"conversationId\":\"c-1\",\"event\":\"note\",\
         \"ignored\":\"\\ud83d\",\"payload\":{payload}}}"
    );
    let request = gateway
        .post("/internal/emit")
        .header("x-internal-api-key", API_KEY)
        .header("content-type", "application/json");
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let expected = json!({
        "a\u{fffd}": ["\u{fffd}", {"b": "\\ud83d \u{1f600} \u{fffd}"}], "c": 1.5,
    });
    assert_eq!(agent.event().await.data(), &expected);
}

#[tokio::test]
async fn a_packed_body_is_refused_with_what_to_do() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let note = emit("note", &json!({})).to_string();
    let selection = json!({"tenantId": "acme"}).to_string();
    for (path, body) in [
        ("/internal/emit", note),
        ("/internal/disconnect", selection),
    ] {
        for (encodings, expected) in [
            (&["gzip"][..], 415),
            (&["deflate"], 415),
            (&["br"], 415),
            (&["utf-8"], 415),
            (&["identity", "gzip"], 415),
            (&["identity, gzip"], 415),
            (&["identity"], 200),
            (&["Identity"], 200),
            (&[""], 200),
            (&[], 200),
        ] {
            let mut request = gateway
                .post(path)
                .header("x-internal-api-key", API_KEY)
                .header("content-type", "application/json");
            for encoding in encodings {
                request = request.header("content-encoding", *encoding);
            }
            let (status, answer) = crate::harness::answer(request.body(body.clone())).await;
            assert_eq!(status, expected, "{encodings:?}");
            if expected == 415 {
                assert_eq!(answer["error"]["code"], "unsupported_media_type");
                let message = answer["error"]["message"].as_str().unwrap();
                assert!(message.starts_with("content-encoding must be"), "{message}");
            }
        }
    }
}
