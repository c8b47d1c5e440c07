//! `dead-letters list`, `retry` and `drop`.

use std::process::Output;

use futures_util::StreamExt as _;
use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, BasicRejectOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use super::{environment, run, text};
use crate::harness::{Broker, Folder, TestGateway, message, status, until};

async fn dead_letters(broker: &Broker, arguments: &[&str]) -> Output {
    let arguments = [&["dead-letters"], arguments].concat();
    run(&environment(broker), &arguments).await
}

/// The same, of a call that succeeds: what it prints.
async fn told(broker: &Broker, arguments: &[&str]) -> String {
    let output = dead_letters(broker, arguments).await;
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    text(&output.stdout).to_owned()
}

async fn listed(broker: &Broker, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["list", "--json"], arguments].concat();
    serde_json::from_str(&told(broker, &arguments).await).unwrap()
}

/// Waits until so many letters are in the queue.
async fn has(broker: &Broker, count: u32) {
    until("the dead letters are there", async || {
        broker.depth(&broker.names.dead_letters).await == count
    })
    .await;
}

/// A message that breaks a rule of its text.
fn bad(id: &str) -> Value {
    json!({"tenantId": "acme", "conversationId": "c-1", "messageId": id, "text": 5})
}

/// Publishes to a queue as whoever writes there.
async fn put(broker: &Broker, queue: &str, body: &[u8], properties: BasicProperties) {
    let channel = broker.channel().await;
    let options = BasicPublishOptions::default();
    let published = channel.basic_publish("".into(), queue.into(), options, body, properties);
    published.await.unwrap().await.unwrap();
    // What was published before the channel's end is in the queue after it.
    channel.close(200, "done".into()).await.unwrap();
}

fn headers(fields: &[(&str, &str)]) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in fields {
        headers.insert((*name).into(), AMQPValue::LongString((*value).into()));
    }
    BasicProperties::default().with_headers(headers)
}

#[tokio::test]
async fn a_list_tells_why_each_is_there_and_leaves_all_in_their_order() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    broker.publish("inbound_message", &json!("bad")).await;
    for id in ["m-1", "m-2", "m-3"] {
        broker.publish("inbound_message", &bad(id)).await;
    }
    has(&broker, 4).await;
    drop(gateway);
    // More often than a quorum queue of RabbitMQ 4 has a message given back.
    for _ in 0..25 {
        let letters = listed(&broker, &[]).await;
        let ids: Vec<_> = letters.iter().map(|letter| &letter["messageId"]).collect();
        assert_eq!(
            ids,
            [&Value::Null, &json!("m-1"), &json!("m-2"), &json!("m-3")]
        );
    }
    let mut letters = Vec::new();
    for _ in 0..12 {
        letters = listed(&broker, &["--limit", "2"]).await;
        let ids: Vec<_> = letters.iter().map(|letter| &letter["messageId"]).collect();
        assert_eq!(ids, [&Value::Null, &json!("m-1")]);
    }
    let letter = &letters[1];
    assert_eq!(letter["reason"], "invalid_event");
    assert!(
        letter["detail"].as_str().unwrap().starts_with("text"),
        "{letter}"
    );
    assert_eq!(letter["queue"], broker.names.inbound.as_str());
    assert_eq!(letter["writtenBy"], "gateway");
    assert_eq!(
        (&letter["tenantId"], &letter["conversationId"]),
        (&json!("acme"), &json!("c-1"))
    );
    assert_eq!(listed(&broker, &["--message-id", "m-3"]).await.len(), 1);
    assert_eq!(
        listed(&broker, &["--reason", "too_large"]).await,
        [] as [Value; 0]
    );

    let output = dead_letters(&broker, &["list", "--reason", "invalid_event"]).await;
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 4);
    for word in [
        "m-1",
        "invalid_event",
        &broker.names.inbound,
        "acme c-1",
        "text",
    ] {
        assert!(lines[1].contains(word), "{word}: {}", lines[1]);
    }
    has(&broker, 4).await;
}

#[tokio::test]
async fn a_letter_whose_cause_was_mended_reaches_the_agent() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let path = folder.write("ours.jq", "error(\"not yet\")");
    let mapping = [("AMQP_MAPPING", &*path)];
    let gateway = TestGateway::ready_with(&broker, &mapping).await;
    // What would change its fate in a queue that it is published to by us.
    let mut fields = FieldTable::default();
    let elsewhere = vec![AMQPValue::LongString("elsewhere".into())];
    fields.insert("CC".into(), AMQPValue::FieldArray(elsewhere.into()));
    fields.insert("trace".into(), AMQPValue::LongString("kept".into()));
    let properties = BasicProperties::default()
        .with_headers(fields)
        .with_user_id("guest".into())
        .with_expiration("60000".into());
    let body = message("acme", "c-1", "m-1").to_string();
    broker
        .publish_raw("inbound_message", body.as_bytes(), properties)
        .await;
    has(&broker, 1).await;
    let letters = listed(&broker, &[]).await;
    assert_eq!(letters[0]["reason"], "mapping_failed");
    drop(gateway);

    folder.write(
        "ours.jq",
        ". + {text: ($delivery.headers | keys | join(\",\"))}",
    );
    let gateway = TestGateway::ready_with(&broker, &mapping).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    assert_eq!(
        told(&broker, &["retry", "--all", "--dry-run"])
            .await
            .lines()
            .count(),
        2
    );
    has(&broker, 1).await;
    assert_eq!(
        told(&broker, &["retry", "--all"]).await,
        "1 sent back, 0 kept\n"
    );
    let event = agent.event().await;
    assert_eq!(event.message_id(), "m-1");
    let names =
        "trace,x-gateway-original-CC,x-gateway-original-expiration,x-gateway-original-user-id";
    assert_eq!(event.data()["text"], names);
    has(&broker, 0).await;
}

#[tokio::test]
async fn a_letter_of_the_brokers_goes_back_to_where_it_died() {
    let broker = Broker::new().await;
    TestGateway::set_up(&broker).await;
    let body = status("acme", "c-1", "m-1", "read").to_string();
    // The broker keeps it, and would refuse it of another user.
    let properties = BasicProperties::default().with_user_id("guest".into());
    broker
        .publish_raw("status_update", body.as_bytes(), properties)
        .await;
    let channel = broker.channel().await;
    let queue = broker.names.status.as_str();
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel.basic_consume(queue.into(), "".into(), options, arguments);
    let delivery = consumer.await.unwrap().next().await.unwrap().unwrap();
    let rejected = delivery.reject(BasicRejectOptions { requeue: false });
    assert!(rejected.await.unwrap());
    has(&broker, 1).await;
    let letters = listed(&broker, &[]).await;
    let letter = &letters[0];
    assert_eq!(
        (&letter["writtenBy"], &letter["reason"]),
        (&json!("broker"), &json!("rejected"))
    );
    assert_eq!(
        (&letter["messageId"], &letter["queue"]),
        (&json!("m-1"), &json!(queue))
    );

    channel.close(200, "done".into()).await.unwrap();

    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    told(&broker, &["retry", "--message-id", "m-1"]).await;
    assert_eq!(agent.event().await.data()["status"], "read");
    has(&broker, 0).await;
}

#[tokio::test]
async fn what_is_not_selected_stays_in_its_order() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    for id in ["m-1", "m-2", "m-3", "m-4"] {
        broker.publish("inbound_message", &bad(id)).await;
    }
    has(&broker, 4).await;
    let ids = async || {
        let letters = listed(&broker, &[]).await;
        let ids = letters
            .iter()
            .map(|letter| letter["messageId"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let drop = ["drop", "--message-id", "m-2"];
    assert_eq!(
        told(&broker, &[&drop[..], &["--dry-run"]].concat())
            .await
            .lines()
            .last(),
        Some("1 would be dropped, 0 kept")
    );
    assert_eq!(ids().await, ["m-1", "m-2", "m-3", "m-4"]);
    assert_eq!(told(&broker, &drop).await, "1 dropped, 0 kept\n");
    assert_eq!(ids().await, ["m-1", "m-3", "m-4"]);
    // Sent back, it is what it was: the last of the letters.
    told(&broker, &["retry", "--message-id", "m-1"]).await;
    has(&broker, 3).await;
    assert_eq!(ids().await, ["m-3", "m-4", "m-1"]);
    let output = dead_letters(&broker, &drop).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no dead letter has the messageId m-2"));
    assert_eq!(
        told(&broker, &["drop", "--all", "--reason", "invalid_event"]).await,
        "3 dropped, 0 kept\n"
    );
    has(&broker, 0).await;
    std::mem::drop(gateway);
}

#[tokio::test]
async fn a_letter_that_cannot_go_back_is_kept_and_the_others_go() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let names = &broker.names;
    let letters = &names.dead_letters;
    let body = |id: &str| message("acme", "c-1", id).to_string().into_bytes();
    let from = |queue: &str| {
        headers(&[
            ("x-gateway-reason", "internal_error"),
            ("x-gateway-queue", queue),
        ])
    };
    put(&broker, letters, &body("m-1"), BasicProperties::default()).await;
    put(&broker, letters, &body("m-2"), from("no-such-queue")).await;
    put(&broker, letters, &body("m-3"), from(letters)).await;
    put(
        &broker,
        letters,
        &body("m-4\u{1b}[2J"),
        from("no-such-queue"),
    )
    .await;
    put(&broker, letters, &body("m-5"), from(&names.inbound)).await;
    has(&broker, 5).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let output = dead_letters(&broker, &["retry", "--all"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "1 sent back, 4 kept\n");
    let reasons = text(&output.stderr);
    for words in ["no header says", "there is no queue no-such-queue", letters] {
        assert!(reasons.contains(words), "{words}: {reasons}");
    }
    // What a publisher wrote gives a terminal no orders.
    assert!(!reasons.contains('\u{1b}'), "{reasons:?}");
    assert_eq!(agent.event().await.message_id(), "m-5");
    has(&broker, 4).await;
}

#[tokio::test]
async fn what_to_do_and_with_which_must_be_said() {
    for arguments in [
        &["retry"][..],
        &["drop"],
        &["drop", "--all", "--message-id", "m"],
    ] {
        let output = run(&[], &[&["dead-letters"], arguments].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let broker = Broker::new().await;
    let output = dead_letters(&broker, &["list"]).await;
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains(&broker.names.dead_letters), "{stderr}");
}
