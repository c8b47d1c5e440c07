//! Log lines of deliveries, dead letters and relay calls: their ids and outcome.

use std::process::Stdio;

use lapin::BasicProperties;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{API_KEY, Broker, DEADLINE, SECRET, TestGateway, message, status, until};

/// The lines with this message, waited for until there are so many.
async fn lines(gateway: &TestGateway, message: &str, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    until(message, async || {
        let all = gateway.log().into_iter();
        let all = all.map(|line| serde_json::from_str::<Value>(&line).unwrap());
        found = all.filter(|line| line["message"] == message).collect();
        found.len() >= count
    })
    .await;
    assert_eq!(found.len(), count, "{found:?}");
    found
}

/// The line without what every line has.
fn fields(line: &Value) -> Value {
    let mut fields = line.as_object().unwrap().clone();
    for name in ["timestamp", "level", "target", "message", "delivery_tag"] {
        fields.remove(name);
    }
    fields.into()
}

#[tokio::test]
async fn a_delivery_is_logged_with_its_ids_and_outcome() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("RUST_LOG", "debug")]).await;
    for _ in 0..2 {
        broker
            .publish("inbound_message", &message("acme", "c-1", "m-1"))
            .await;
    }
    lines(&gateway, "delivery", 2).await;
    for word in ["read", "sent"] {
        broker
            .publish("status_update", &status("acme", "c-1", "m-1", word))
            .await;
    }
    let lines = lines(&gateway, "delivery", 4).await;
    let names = &broker.names;
    for (line, (queue, event, outcome)) in lines.iter().zip([
        (&names.inbound, "inbound_message", "new"),
        (&names.inbound, "inbound_message", "duplicate"),
        (&names.status, "status_update", "new"),
        (&names.status, "status_update", "stale"),
    ]) {
        let expected = json!({
            "queue": queue, "event": event, "tenant": "acme", "conversation": "c-1",
            "message_id": "m-1", "outcome": outcome,
        });
        assert_eq!(fields(line), expected);
        assert_eq!(line["level"], "DEBUG");
        assert!(line["delivery_tag"].is_u64(), "{line}");
    }
}

#[tokio::test]
async fn a_dead_letter_is_logged_with_the_ids_that_could_be_decoded() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let odd = "a \"b\"\n\u{1b}[31m";
    let all = json!({"tenant": "acme", "conversation": "c-1", "message_id": "m-1"});
    let with = |field: &str, value: Value| {
        let mut body = message("acme", "c-1", "m-1");
        body[field] = value;
        body.to_string()
    };
    for (body, known) in [
        (with("text", json!(["a secret"])), all.clone()),
        (
            with("tenantId", json!("a b")),
            json!({"conversation": "c-1", "message_id": "m-1"}),
        ),
        (
            with("conversationId", json!(7.5)),
            json!({"tenant": "acme", "message_id": "m-1"}),
        ),
        (
            with("messageId", json!("x".repeat(257))),
            json!({"tenant": "acme", "conversation": "c-1"}),
        ),
        (
            json!({"tenantId": "acme", "messageId": odd}).to_string(),
            json!({"tenant": "acme", "message_id": odd}),
        ),
        ("[]".to_owned(), json!({})),
        ("{".to_owned(), json!({})),
    ] {
        let before = gateway.log().len();
        let properties = BasicProperties::default();
        broker
            .publish_raw("inbound_message", body.as_bytes(), properties)
            .await;
        let mut line = Value::Null;
        until("the dead letter is in the log", async || {
            let new = gateway.log().split_off(before);
            let new = new
                .iter()
                .map(|line| serde_json::from_str::<Value>(line).unwrap());
            line = new
                .into_iter()
                .find(|line| line["message"] == "dead letter")
                .unwrap_or_default();
            !line.is_null()
        })
        .await;
        assert_eq!(line["level"], "WARN");
        for name in ["tenant", "conversation", "message_id"] {
            assert_eq!(line.get(name), known.get(name), "{name} of {body}");
        }
        assert_eq!(line["queue"], *broker.names.inbound);
        assert_eq!(line["dead_letter_queue"], *broker.names.dead_letters);
        assert!(
            line["reason"].is_string() && line["detail"].is_string(),
            "{line}"
        );
        assert!(!line.to_string().contains("a secret"), "{line}");
    }
}

#[tokio::test]
async fn ids_are_escaped_in_the_text_log() {
    let broker = Broker::new().await;
    let names = &broker.names;
    // The harness reads the address of a program from its log, which has to be JSON for that. Here
    // nobody asks for the address.
    let child = Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .env_clear()
        .envs([("LOG_FORMAT", "text"), ("RUST_LOG", "debug")])
        .envs([("HOST", "127.0.0.1"), ("PORT", "0")])
        .envs([
            ("AMQP_URL", broker.url()),
            ("AMQP_EXCHANGE", &names.exchange),
        ])
        .envs([
            ("AMQP_INBOUND_QUEUE", &names.inbound),
            ("AMQP_STATUS_QUEUE", &names.status),
        ])
        .envs([
            ("AMQP_DEAD_LETTER_QUEUE", &*names.dead_letters),
            ("JWT_SECRET", SECRET),
        ])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.unwrap();
    let stderr = child.stderr.take().unwrap();
    let mut lines = BufReader::new(stderr).lines();
    let mut log: Vec<String> = Vec::new();
    let mut read_until = async |what: &str, count: usize| {
        let read = async {
            while log.iter().filter(|line| line.contains(what)).count() < count {
                log.push(lines.next_line().await.unwrap().unwrap());
            }
        };
        timeout(DEADLINE, read).await.unwrap();
    };
    read_until(": consuming", 2).await;
    let odd =
        json!({"tenantId": "acme", "conversationId": "c-1", "messageId": "m\n\u{1b}[31mERROR"});
    broker.publish("inbound_message", &odd).await;
    broker
        .publish("inbound_message", &message("acme", "c-1", "m-1"))
        .await;
    read_until(": delivery ", 1).await;
    let dead = log
        .iter()
        .find(|line| line.contains("dead letter"))
        .unwrap();
    for part in [
        r#"message_id="m\n\u{1b}[31mERROR""#,
        "tenant=acme",
        "conversation=c-1",
        "reason=\"invalid_event\"",
    ] {
        assert!(dead.contains(part), "no {part} in {dead}");
    }
    for line in &log {
        assert!(!line.contains("Some(") && !line.contains("None"), "{line}");
    }
}

#[tokio::test]
async fn a_relay_call_is_logged_once_with_its_outcome() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("RUST_LOG", "debug")]).await;
    let emit = |event: &str, payload: Value| json!({"tenantId": "acme", "conversationId": "c-1", "event": event, "payload": payload});
    let mut note = emit("note", json!({"text": "a secret"}));
    note["eventId"] = "e-1".into();
    for body in [
        &note,
        &note,
        &emit(
            "inbound_message",
            json!({"messageId": "m-1", "text": "a secret"}),
        ),
        &emit(
            "status_update",
            json!({"messageId": "m-1", "status": "read"}),
        ),
        &emit(
            "status_update",
            json!({"messageId": "m-1", "status": "sent"}),
        ),
        &emit(
            "outbound_message",
            json!({"messageId": "m-2", "text": "a secret"}),
        ),
        &emit("aside", json!({})),
    ] {
        assert_eq!(gateway.emit(body).await.0, 200);
    }
    let mut expected = Vec::new();
    for (event, id, value, outcome) in [
        ("note", "event_id", "e-1", "new"),
        ("note", "event_id", "e-1", "duplicate"),
        ("inbound_message", "message_id", "m-1", "new"),
        ("status_update", "message_id", "m-1", "new"),
        ("status_update", "message_id", "m-1", "stale"),
        ("outbound_message", "message_id", "m-2", "new"),
    ] {
        expected.push(json!({
            "event": event, "tenant": "acme", "conversation": "c-1", id: value, "outcome": outcome,
        }));
    }
    let aside =
        json!({"event": "aside", "tenant": "acme", "conversation": "c-1", "outcome": "new"});
    expected.push(aside);
    let logged: Vec<_> = lines(&gateway, "emit", 7)
        .await
        .iter()
        .map(fields)
        .collect();
    assert_eq!(logged, expected);

    let bad = emit(
        "inbound_message",
        json!({"messageId": "m-3", "text": ["a secret"]}),
    );
    assert_eq!(gateway.emit(&bad).await.0, 422);
    let logged = lines(&gateway, "emit refused", 1).await;
    let expected = json!({
        "event": "inbound_message", "tenant": "acme", "conversation": "c-1", "message_id": "m-3",
        "outcome": "refused", "error": "payload.text: must be a string",
    });
    assert_eq!(fields(&logged[0]), expected);
    assert!(!gateway.log().join("\n").contains("a secret"));
}

#[tokio::test]
async fn reading_a_conversation_is_logged_at_debug_only() {
    let broker = Broker::new().await;
    let path = "/internal/conversations/acme/c-1";
    for (level, count) in [("info", 0), ("debug", 1)] {
        let gateway = TestGateway::ready_with(&broker, &[("RUST_LOG", level)]).await;
        assert_eq!(gateway.get_with_key(path).await.0, 200);
        // What comes after it in the log is told at any level.
        let ended = gateway
            .post("/internal/disconnect")
            .header("x-internal-api-key", API_KEY)
            .header("content-type", "application/json")
            .body(r#"{"tenantId":"acme"}"#);
        assert_eq!(ended.send().await.unwrap().status(), 200);
        let logged = lines(
            &gateway,
            "members were disconnected at the portal's request",
            1,
        )
        .await;
        // An option that is not there is no field.
        assert_eq!(
            (logged[0].get("conversation"), logged[0].get("agent")),
            (None, None)
        );
        lines(&gateway, "a conversation was looked at", count).await;
    }
}
