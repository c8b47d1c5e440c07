//! CONNECT to the root and the conversation namespace: `joined`, and the connect errors.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::harness::{Broker, Client, Received, TestGateway, claims, message, now, sign, until};

const NAMESPACE: &str = "/tenant/acme/conv/c-1";

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("acme");
    claims[name] = value;
    claims
}

#[tokio::test]
async fn connect_errors_have_their_exact_messages_in_the_order_of_the_checks() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let good = sign(&claims("acme"));
    let expired = sign(&with("exp", json!(now() - 60)));
    let early = sign(&with("nbf", json!(now() + 600)));
    let nobody = sign(&with("sub", Value::Null));
    let narrow = sign(&with("conversations", json!(["c-2"])));
    let stranger = sign(&claims("other"));
    let ids = "&tenantId=acme&conversationId=c-1";
    let bad_ids = "&tenantId=acme&conversationId=a%2Fb";
    for (query, token, expected) in [
        (ids, Value::Null, "Authentication required"),
        (ids, json!(""), "Authentication required"),
        (bad_ids, Value::Null, "Authentication required"),
        (ids, json!("garbage"), "Invalid token"),
        (ids, json!(7), "Invalid token"),
        (ids, json!(early), "Invalid token"),
        (ids, json!(nobody), "Invalid token"),
        (bad_ids, json!("garbage"), "Invalid token"),
        (ids, json!(expired), "Token expired"),
        (bad_ids, json!(expired), "Token expired"),
        ("", json!(good), "Invalid conversation"),
        ("&tenantId=acme", json!(good), "Invalid conversation"),
        (bad_ids, json!(good), "Invalid conversation"),
        (bad_ids, json!(stranger), "Invalid conversation"),
        (ids, json!(stranger), "Forbidden"),
        (ids, json!(narrow), "Forbidden"),
    ] {
        let mut client = Client::open(gateway.address(), query).await;
        client.connect("/", &json!({"token": token})).await;
        let answer = client.next().await;
        assert_eq!(
            answer,
            Received::Refused(expected.to_owned()),
            "{query} {token}"
        );
    }
    let mut client = Client::open(gateway.address(), "").await;
    for (namespace, token, expected) in [
        (NAMESPACE, Value::Null, "Authentication required"),
        ("/tenant/a b/conv/c", json!(good), "Invalid conversation"),
        ("/tenant/other/conv/c-1", json!(good), "Forbidden"),
        ("/tenant/acme", json!(good), "Invalid namespace"),
        ("/tenant/acme/conv/c-1/x", json!(good), "Invalid namespace"),
        ("/admin", json!(good), "Invalid namespace"),
    ] {
        client.connect(namespace, &json!({"token": token})).await;
        let answer = client.next().await;
        assert_eq!(
            answer,
            Received::Refused(expected.to_owned()),
            "{namespace}"
        );
    }
    // And after all that, the same connection is let in with a good token.
    client.connect(NAMESPACE, &json!({"token": good})).await;
    assert_eq!(client.joined().await["resume"], "fresh");
}

#[tokio::test]
async fn joined_has_every_field_of_the_contract() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let expires = now() + 1_000;
    let token = sign(&with("exp", json!(expires)));
    let mut client = Client::open(gateway.address(), "").await;
    let auth = json!({"token": token, "tenantId": "acme", "conversationId": "c-1"});
    client.connect("/", &auth).await;
    let mut joined = client.joined().await;
    let cursor = joined["cursor"].take();
    assert!((1..=128).contains(&cursor.as_str().unwrap().len()));
    // The leeway of 5 s is part of it.
    let expires_at = time::OffsetDateTime::from_unix_timestamp(expires + 5).unwrap();
    let format = &time::format_description::well_known::Rfc3339;
    assert_eq!(
        joined,
        json!({
            "tenantId": "acme", "conversationId": "c-1", "cursor": null, "resume": "fresh",
            "replaying": 0, "agent": {"id": "agent-1", "name": "Ada"},
            "expiresAt": expires_at.format(format).unwrap(),
        })
    );
}

/// Waits until nobody follows the conversation.
async fn has_left(gateway: &TestGateway) {
    until("the gateway has seen it leave", async || {
        let look = "/internal/conversations/acme/c-1";
        gateway.get_with_key(look).await.1["members"] == json!([])
    })
    .await;
}

#[tokio::test]
async fn one_connection_joins_and_leaves_several_conversations() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut client = Client::open(gateway.address(), "").await;
    let auth = json!({"token": sign(&claims("acme"))});
    let other = "/tenant/acme/conv/c-2";
    for namespace in [NAMESPACE, other] {
        client.connect(namespace, &auth).await;
        client.joined().await;
    }
    // A second CONNECT, unknown events and answers to nothing are ignored.
    client.connect(NAMESPACE, &auth).await;
    client.emit(NAMESPACE, &json!(["whatever", {"a": 1}])).await;
    client.send("43/tenant/acme/conv/c-1,7[]").await;
    for (conversation, id) in [("c-1", "m-1"), ("c-2", "m-2")] {
        broker
            .publish("inbound_message", &message("acme", conversation, id))
            .await;
        let Received::Event { namespace, .. } = client.next().await else {
            panic!("no event of {conversation}");
        };
        assert_eq!(namespace, format!("/tenant/acme/conv/{conversation}"));
    }
    client.leave(NAMESPACE).await;
    has_left(&gateway).await;
    for (conversation, id) in [("c-1", "m-3"), ("c-2", "m-4")] {
        broker
            .publish("inbound_message", &message("acme", conversation, id))
            .await;
    }
    assert_eq!(client.event().await.message_id(), "m-4");
}

#[tokio::test]
async fn a_client_that_disconnects_from_a_namespace_can_reconnect_at_once() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let auth = json!({"token": sign(&claims("acme")), "replay": false});
    let mut client = Client::open(gateway.address(), "&tenantId=acme&conversationId=c-1").await;
    for namespace in [NAMESPACE, "/"] {
        client.connect(namespace, &auth).await;
        client.joined().await;
        for round in 0..50 {
            client.leave(namespace).await;
            client.connect(namespace, &auth).await;
            assert_eq!(
                client.joined().await["resume"],
                "fresh",
                "{namespace} {round}"
            );
        }
        // And it is a member once.
        let id = format!("m-{}", namespace.len());
        broker
            .publish("inbound_message", &message("acme", "c-1", &id))
            .await;
        assert_eq!(client.event().await.message_id(), id);
        client.leave(namespace).await;
        has_left(&gateway).await;
    }
    broker
        .publish("inbound_message", &message("acme", "c-1", "unseen"))
        .await;
    let mut other = gateway.agent("acme", "c-1").await;
    assert_eq!(other.message_ids(3).await[2], "unseen");
    client.connect("/", &auth).await;
    client.joined().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_disconnects_while_its_connect_completes_can_reconnect() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let clients = (0..8).map(|number| {
        let address = gateway.address().to_owned();
        tokio::spawn(async move {
            let namespace = format!("/tenant/acme/conv/{number}");
            let auth = json!({"token": sign(&claims("acme")), "replay": false});
            let mut client = Client::open(&address, "").await;
            for _ in 0..50 {
                client.connect(&namespace, &auth).await;
                // Of the visits before there may be something on its way.
                while let answer = client.next().await
                    && answer != Received::Connected(namespace.clone())
                {
                    assert_ne!(answer, Received::Closed);
                }
                client.leave(&namespace).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn the_root_and_the_conversation_namespace_join_the_same_conversation() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut by_root = gateway.agent("acme", "c-1").await;
    let mut by_namespace = Client::open(gateway.address(), "").await;
    let auth = json!({"token": sign(&claims("acme"))});
    by_namespace.connect(NAMESPACE, &auth).await;
    by_namespace.joined().await;
    broker
        .publish("inbound_message", &message("acme", "c-1", "m-1"))
        .await;
    let (one, other) = (by_root.event().await, by_namespace.event().await);
    assert_eq!(one.cursor(), other.cursor());
    // A cursor of one namespace resumes in the other.
    let mut resumed = gateway
        .resume("acme", "c-1", json!({"cursor": other.cursor()}))
        .await;
    assert_eq!(resumed.joined().await["resume"], "resumed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_concurrent_connects_to_a_new_namespace_all_join() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let auth = json!({"token": sign(&claims("acme"))});
    for round in 0..5 {
        let conversation = format!("c-{round}");
        let namespace = format!("/tenant/acme/conv/{conversation}");
        // Who has opened a connection has so many seconds to join, and all of them are to be there.
        let all_there = Arc::new(Barrier::new(100));
        let joins = (0..100).map(|_| {
            let (namespace, auth) = (namespace.clone(), auth.clone());
            let (address, all_there) = (gateway.address().to_owned(), all_there.clone());
            tokio::spawn(async move {
                let mut client = Client::open(&address, "").await;
                all_there.wait().await;
                client.connect(&namespace, &auth).await;
                client.joined().await;
                client
            })
        });
        let joins: Vec<_> = joins.collect();
        let mut clients = Vec::new();
        for join in joins {
            clients.push(join.await.unwrap());
        }
        broker
            .publish("inbound_message", &message("acme", &conversation, "m-1"))
            .await;
        for client in &mut clients {
            assert_eq!(client.event().await.message_id(), "m-1");
        }
    }
}
