//! Socket.IO: the connection to a namespace.

use serde_json::{Value, json};

use super::wire::{NOWHERE, Polling, Socket, auth, members};
use super::{LONG_PING_TIMEOUT, NO_PINGS, start};
use crate::harness::until;

const NAMESPACE: &str = "/tenant/acme/conv/c-1";

fn refused(namespace: &str, message: &str) -> String {
    let namespace = match namespace {
        "/" => String::new(),
        namespace => format!("{namespace},"),
    };
    format!("44{namespace}{}", json!({"message": message}))
}

/// The payload of a CONNECT's answer.
fn connected(answer: &str, head: &str) -> Value {
    let payload = answer.strip_prefix(head);
    serde_json::from_str(payload.unwrap_or_else(|| panic!("{answer}"))).unwrap()
}

#[tokio::test]
async fn a_connect_answer_holds_the_sid_and_nothing_else() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let (mut socket, open) = Socket::open_with(&gateway, "").await;
    for head in ["40".to_owned(), format!("40{NAMESPACE},")] {
        socket.send(&format!("{head}{}", auth())).await;
        let answer = connected(&socket.text().await.unwrap(), &head);
        let sid = answer["sid"].as_str().unwrap();
        assert!(!sid.is_empty());
        assert_eq!(answer, json!({"sid": sid}), "beside {open}");
        let joined = socket.text().await.unwrap();
        let event = format!("{}[\"joined\",", head.replacen("40", "42", 1));
        assert!(joined.starts_with(&event), "{joined}");
    }
    until("both are there", async || {
        members(&gateway, "c-1").await == 2
    })
    .await;
}

#[tokio::test]
async fn a_connect_answer_over_polling_holds_the_sid_and_nothing_else() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send(&format!("40{NAMESPACE},{}", auth())).await;
    let received = polling.receive(2).await;
    connected(&received[0], &format!("40{NAMESPACE},"));
    let event = format!("42{NAMESPACE},[\"joined\",");
    assert!(received[1].starts_with(&event), "{received:?}");
}

#[tokio::test]
async fn several_namespaces_share_a_connection() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    for conversation in ["c-1", "c-2", "c-3"] {
        socket
            .connect(&format!("/tenant/acme/conv/{conversation},"))
            .await;
    }
    for conversation in ["c-3", "c-1", "c-2"] {
        let emit = json!({"tenantId": "acme", "conversationId": conversation, "event": "note",
            "payload": {}});
        assert_eq!(gateway.emit(&emit).await.0, 200);
        let event = socket.text().await.unwrap();
        let head = format!("42/tenant/acme/conv/{conversation},[\"note\",{{}},");
        assert!(event.starts_with(&head), "{event}");
    }
}

#[tokio::test]
async fn a_connect_without_a_payload_or_token_is_rejected() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    for (packet, namespace) in [
        ("40", "/"),
        ("40{}", "/"),
        ("40/,", "/"),
        ("40/,{}", "/"),
        ("40/", "/"),
        ("40/tenant/acme/conv/c-1,", NAMESPACE),
        ("40/tenant/acme/conv/c-1,{}", NAMESPACE),
        // The comma is there to keep a name from a payload: without one it may be left out.
        ("40/tenant/acme/conv/c-1", NAMESPACE),
    ] {
        socket.send(packet).await;
        let answer = socket.text().await.unwrap();
        let expected = refused(namespace, "Authentication required");
        assert_eq!(answer, expected, "{packet}");
    }
}

#[tokio::test]
async fn an_unknown_namespace_is_rejected_with_or_without_a_comma() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for (packet, namespace) in [
        ("40/random", "/random"),
        ("40/random,", "/random"),
        ("40/random,{}", "/random"),
        ("40/tenant/acme", "/tenant/acme"),
        ("40/tenant/acme/conv/c-1/x", "/tenant/acme/conv/c-1/x"),
    ] {
        let mut socket = Socket::open(&gateway).await;
        socket.send(packet).await;
        socket
            .receives(&refused(namespace, "Invalid namespace"))
            .await;
        socket.stays_open(packet).await;

        let polling = Polling::open(&gateway).await;
        polling.send(packet).await;
        let expected = refused(namespace, "Invalid namespace");
        assert_eq!(polling.packets().await, [expected], "{packet}");
    }
}

/// Clients of Socket.IO 2 wrote a query behind a namespace's name. It has no meaning any more: it is
/// a part of the name, under which the answer comes.
#[tokio::test]
async fn a_query_is_part_of_the_namespace() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    socket.send("40/admin?token=1234&uid=x,").await;
    let expected = refused("/admin?token=1234&uid=x", "Invalid namespace");
    socket.receives(&expected).await;
    // A conversation's id has no such characters.
    socket
        .send(&format!("40{NAMESPACE}?token=1234,{}", auth()))
        .await;
    let expected = refused(&format!("{NAMESPACE}?token=1234"), "Invalid conversation");
    socket.receives(&expected).await;
}

#[tokio::test]
async fn a_client_may_connect_again_after_a_connect_error() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    socket.send("40").await;
    socket
        .receives(&refused("/", "Authentication required"))
        .await;
    socket.connect("").await;
}

#[tokio::test]
async fn a_second_connect_to_an_open_namespace_is_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    socket.send(&format!("40{}", auth())).await;
    socket.send("40").await;
    socket.stays_open("a second CONNECT").await;
    assert_eq!(members(&gateway, "c-1").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_without_connect_is_closed_although_it_answers_pings() {
    let (_broker, gateway) = start(&LONG_PING_TIMEOUT).await;
    let by_websocket = async {
        let mut socket = Socket::open(&gateway).await;
        while let Some(packet) = socket.text().await {
            match &*packet {
                "2" => socket.try_send("3").await,
                packet => assert_eq!(packet, "1"),
            }
        }
    };
    let by_polling = async {
        let polling = Polling::open(&gateway).await;
        loop {
            let answer = polling.get().await;
            match (answer.status, &*answer.body) {
                // The session may end in between.
                (200, "2") => drop(polling.post("3").await),
                (200, "1") | (400, _) => return,
                _ => panic!("{answer:?}"),
            }
        }
    };
    tokio::join!(by_websocket, by_polling);
}

#[tokio::test]
async fn connect_answers_come_in_the_order_of_the_connects() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    socket.send("40/nowhere").await;
    socket.receives(NOWHERE).await;
    socket.connect("/tenant/acme/conv/c-2,").await;
    socket.stays_open("a CONNECT").await;
}
