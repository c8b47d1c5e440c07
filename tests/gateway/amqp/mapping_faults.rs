//! Mappings that fail, bodies that are none, and bad events among good ones.

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::amqp::mapping::{KEY, letter, programmed};
use crate::harness::{Broker, Folder, Signal, TestGateway, message};

/// Messages in a shape of the tests' own.
fn ours(ids: &[&str]) -> Value {
    let messages = ids.iter().map(|id| message("acme", "c-1", id));
    json!({"messages": messages.collect::<Vec<_>>()})
}

#[tokio::test]
async fn a_bad_one_does_not_lose_the_good_ones_and_a_retry_repeats_none_of_them() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let program = ".messages[]";
    let gateway = programmed(&broker, &folder, program).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let mut body = ours(&["m-1", "", "m-2", "m-3"]);
    body["messages"][3]["text"] = Value::Null;
    broker.publish(KEY, &body).await;
    assert_eq!(agent.message_ids(2).await, ["m-1", "m-2"]);
    let (letter, reason, detail) = letter(&broker).await;
    assert_eq!(reason, "invalid_event");
    assert_eq!(detail, "messageId: must not be empty (event 2 of 4)");
    // It acknowledges what is done before it ends.
    gateway.signal(Signal::TERM);
    assert!(gateway.ended().await.status.success());

    // Another process: nothing is remembered but by the letter. Its program mends the body.
    let program = r#".messages | to_entries[] | .key as $n | .value
        | if .messageId == "" then .messageId = "mended" else . end
        | if $n == 3 then .text = "now" else . end"#;
    let gateway = programmed(&broker, &folder, program).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker
        .publish_raw(KEY, &letter.data, letter.properties)
        .await;
    assert_eq!(agent.message_ids(2).await, ["mended", "m-3"]);
    broker.publish(KEY, &ours(&["m-4"])).await;
    assert_eq!(agent.message_ids(1).await, ["m-4"]);
}

#[tokio::test]
async fn a_program_that_fails_has_delivered_what_was_good_and_tells_nobodys_text() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let program = r#".messages[]
        | debug, (stderr | empty), (env | keys[] | error("the environment"))
        | if .text == "text of m-2" then .text | tonumber else . end
        | if .messageId == "m-4" then .text | .[0].name else . end
        | if .messageId == "m-6" then error("no sixth") else . end
        | if .messageId == "m-8" then error(.text) else . end
        | if .messageId == "m-10" then halt else . end"#;
    let variables = [
        ("AMQP_MAPPING", &*folder.write("ours.jq", program)),
        ("AMQP_INBOUND_BINDINGS", KEY),
        ("RUST_LOG", "trace"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for (good, bad, told) in [
        ("m-1", "m-2", "it "),
        ("m-3", "m-4", "it "),
        ("m-5", "m-6", "no sixth"),
        (
            "m-7",
            "m-8",
            "with an error that may have a message's text in it",
        ),
        ("m-9", "m-10", "it halted"),
    ] {
        let body = ours(&[good, bad, "never"]);
        broker.publish(KEY, &body).await;
        assert_eq!(agent.message_ids(1).await, [good]);
        let (_, reason, detail) = letter(&broker).await;
        assert_eq!(reason, "mapping_failed", "{detail}");
        let begin = format!("body: the mapping failed, after event 1: {told}");
        assert!(detail.starts_with(&begin), "{detail}");
        assert!(!detail.contains("text of"), "{detail}");
    }
    let log = gateway.log().join("\n");
    assert!(log.contains("\"mapping_failed\""), "{log}");
    assert!(!log.contains("text of"), "{log}");
}

#[tokio::test]
async fn a_thousand_events_are_the_most_and_of_more_there_are_none() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let program = r#". as $b | range($b.count) | {
        tenantId: "acme", conversationId: "c-1", messageId: "\($b.name)-\(.)", text: "x"
    }"#;
    let gateway = programmed(&broker, &folder, program).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker
        .publish(KEY, &json!({"name": "many", "count": 1_001}))
        .await;
    let (_, reason, detail) = letter(&broker).await;
    assert_eq!(reason, "mapping_failed");
    assert!(detail.contains("more than 1000 events"), "{detail}");
    broker
        .publish(KEY, &json!({"name": "all", "count": 1_000}))
        .await;
    let expected: Vec<_> = (0..1_000).map(|number| format!("all-{number}")).collect();
    assert_eq!(agent.message_ids(1_000).await, expected);
}

#[tokio::test]
async fn what_is_no_event_at_all_is_told_and_what_is_deep_or_packed_does_no_harm() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let gateway = programmed(&broker, &folder, ".messages[]").await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_field = format!(r#"{{"messages":{deep}}}"#);
    for (body, reason, told) in [
        ("{", "invalid_json", "body: is not JSON"),
        ("nan", "invalid_json", "body: is not JSON"),
        ("", "invalid_json", "body: is not JSON"),
        (
            r#"{"messages":[1]}"#,
            "invalid_event",
            "body: must be a JSON object (event 1 of 1)",
        ),
        (
            &deep,
            "mapping_failed",
            "body: is nested deeper than 128 levels",
        ),
        (
            &deep_field,
            "mapping_failed",
            "body: is nested deeper than 128 levels",
        ),
        ("7", "mapping_failed", "body: the mapping failed: it "),
    ] {
        let properties = BasicProperties::default();
        broker.publish_raw(KEY, body.as_bytes(), properties).await;
        let (letter, why, detail) = letter(&broker).await;
        assert_eq!(why, reason, "{detail}");
        assert!(detail.starts_with(told), "{detail}");
        assert_eq!(letter.data, body.as_bytes());
    }
    let body = format!("\u{feff}{}", ours(&["m-1"])).replace("text of", r"half \ud83d of");
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut zlib, body.as_bytes()).unwrap();
    let properties = BasicProperties::default().with_content_encoding("deflate".into());
    broker
        .publish_raw(KEY, &zlib.finish().unwrap(), properties)
        .await;
    assert_eq!(agent.event().await.data()["text"], "half \u{fffd} of m-1");
}
