//! `agent-gateway map`, and what is said of a mapping that cannot be.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::harness::{Folder, SECRET};

async fn run(variables: &[(&str, &str)], arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who is told that it cannot be does not read it.
    stdin.write_all(input.as_bytes()).await.ok();
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout).lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_mistake_in_a_mapping_is_one_of_the_configuration_with_line_and_column() {
    let folder = Folder::new();
    for (program, told) in [
        (".a |\n  b", "line 2, column 3: there is no b"),
        (".a\n| f(1; 2)", "line 2, column 3: there is no f/2"),
        (
            "# é\n\n\"é\" | .[$x]",
            "line 3, column 9: there is no variable $x",
        ),
        ("{\n", "line 2, column 1: expected closing brace"),
        ("\"abc", "line 1, column 5: expected closing quote"),
        (
            "if . then 1 fi",
            "line 1, column 13: expected else or end, found fi",
        ),
        ("", "line 1, column 1: expected term, found the end"),
        (
            "include \"x\"; .",
            "line 1, column 10: programs cannot include others",
        ),
        ("input", "line 1, column 1: there is no input"),
        (
            ". as $x | x | y",
            "line 1, column 11: there is no x; line 1, column 15: there is no y",
        ),
    ] {
        let path = folder.write("ours.jq", program);
        let variables = [
            ("AMQP_MAPPING", &*path),
            ("JWT_SECRET", SECRET),
            ("PORT", "none"),
        ];
        let output = run(&variables, &["serve"], "").await;
        assert_eq!(output.status.code(), Some(64), "{program}");
        let stderr = text(&output.stderr);
        let line = format!("agent-gateway: AMQP_MAPPING: {told}");
        assert!(stderr.lines().any(|one| one == line), "{line}\n{stderr}");
        // All in one go.
        assert!(stderr.contains("agent-gateway: PORT: "), "{stderr}");
        let arguments = ["map", "--mapping", &path];
        let output = run(&[], &arguments, "{}").await;
        assert_eq!(output.status.code(), Some(64), "{program}");
        let line = format!("agent-gateway: --mapping: {told}\n");
        assert_eq!(text(&output.stderr), line);
    }
    for name in ["cloud-api", &folder.path("nowhere.jq")] {
        let variables = [("AMQP_MAPPING", name), ("JWT_SECRET", SECRET)];
        let output = run(&variables, &[], "").await;
        assert_eq!(output.status.code(), Some(64));
        let stderr = text(&output.stderr);
        assert!(
            stderr.contains("AMQP_MAPPING: must be cloud_api, evolution, wuzapi or the path"),
            "{stderr}"
        );
    }
    for (name, value, told) in [
        (
            "AMQP_INBOUND_BINDINGS",
            "a,,b",
            "a routing key between the commas",
        ),
        (
            "AMQP_STATUS_BINDINGS",
            &"x".repeat(256),
            "at most 255 bytes",
        ),
        (
            "MEDIA_URL_TEMPLATE",
            "https://m.test/",
            "must have {mediaId} in it",
        ),
        (
            "MEDIA_URL_TEMPLATE",
            "http://m.test/{mediaId}",
            "on loopback",
        ),
    ] {
        let output = run(&[(name, value), ("JWT_SECRET", SECRET)], &[], "").await;
        assert_eq!(output.status.code(), Some(64), "{value}");
        let stderr = text(&output.stderr);
        let begin = format!("agent-gateway: {name}: ");
        assert!(
            stderr.starts_with(&begin) && stderr.contains(told),
            "{stderr}"
        );
    }
}

#[tokio::test]
async fn map_says_what_a_body_becomes() {
    let webhook = json!({"entry": [{"changes": [{"value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": "7"},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": "34600000001"}],
        "messages": [
            {"id": "m-1", "from": "34600000001", "type": "image", "image": {"id": "9"}, "timestamp": "1714557600"},
            {"from": "34600000001", "type": "text", "text": {"body": "hi"}},
        ],
        "statuses": [{"id": "m-0", "status": "read", "recipient_id": "34600000001", "timestamp": "1714557600"}],
    }}]}]})
    .to_string();
    let template = [("MEDIA_URL_TEMPLATE", "https://m.test/{mediaId}")];
    let arguments = ["map", "--mapping", "cloud_api"];
    let output = run(&template, &arguments, &webhook).await;
    let at = "2024-05-01T10:00:00Z";
    let expected = [
        json!({
            "event": "inbound_message", "tenantId": "7", "conversationId": "34600000001",
            "payload": {
                "messageId": "m-1", "type": "image", "mediaUrl": "https://m.test/9", "mediaId": "9",
                "from": "34600000001", "fromName": "Ada", "timestamp": at,
            },
        }),
        json!({
            "event": "status_update", "tenantId": "7", "conversationId": "34600000001",
            "payload": {"messageId": "m-0", "status": "read", "timestamp": at},
        }),
    ];
    assert_eq!(lines(&output), expected);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "agent-gateway: invalid_event: messageId: is missing (event 2 of 3)\n"
    );

    // The environment's mapping, and a body of which nothing comes.
    let output = run(
        &[("AMQP_MAPPING", "cloud_api")],
        &["map"],
        r#"{"entry": []}"#,
    )
    .await;
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(text(&output.stderr).contains("ignored"));

    // Who tries a mapping out sees the values.
    let folder = Folder::new();
    let path = folder.write("ours.jq", "debug | .text | tonumber");
    let arguments = ["map", "--mapping", &path];
    let output = run(&[], &arguments, r#"{"text":"a text"}"#).await;
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.starts_with("{\"text\":\"a text\"}\n"), "{told}");
    assert!(
        told.contains("mapping_failed: body: the mapping failed: ") && told.contains("a text\""),
        "{told}"
    );
}

#[tokio::test]
async fn without_a_mapping_map_says_what_the_gateway_makes_of_a_body() {
    let body = |more: &Value| {
        let mut body =
            json!({"tenantId": 7, "conversationId": "c", "messageId": "m", "timestamp": 0});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body.to_string()
    };
    let payload = |output: &Output| lines(output)[0]["payload"].clone();
    let output = run(&[], &["map"], &body(&json!({"text": "hi", "from": 7}))).await;
    assert!(output.status.success());
    let at = "1970-01-01T00:00:00Z";
    let expected = json!({"messageId": "m", "type": "text", "text": "hi", "timestamp": at});
    assert_eq!(payload(&output), expected);
    assert!(text(&output.stderr).contains("left out: from: must be a string"));

    let tick = body(&json!({"status": "sent"}));
    let arguments = ["map", "--routing-key", "status_update.7.c"];
    let output = run(&[], &arguments, &tick).await;
    let expected = json!({"messageId": "m", "status": "sent", "timestamp": at});
    assert_eq!(payload(&output), expected);
    // As the queues are bound.
    let variables = [("AMQP_STATUS_BINDINGS", "ticks.*")];
    let arguments = ["map", "--routing-key", "ticks.1"];
    assert_eq!(payload(&run(&variables, &arguments, &tick).await), expected);
    let output = run(&[], &arguments, &tick).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("--routing-key: no queue is bound with ticks.1"));

    for (input, told) in [
        ("", "invalid_json: body: is not JSON"),
        ("[]", "invalid_event: body: must be a JSON object"),
        (&body(&json!({})), "invalid_event: text: or "),
        (&" ".repeat(300_000), "too_large: body: has"),
    ] {
        let output = run(&[], &["map"], input).await;
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(text(&output.stderr).starts_with(&format!("agent-gateway: {told}")));
    }
}
