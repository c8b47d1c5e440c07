//! Socket.IO: events, and the acknowledgement of those that want one.

use serde_json::{Value, json};

use super::wire::{Polling, Socket, auth};
use super::{NO_PINGS, start};
use crate::harness::{claims, sign};

const NAMESPACE: &str = "/tenant/acme/conv/c-1,";

/// The only event of clients that means anything, and is answered.
fn refresh() -> Value {
    json!(["refresh_token", {"token": sign(&claims("acme"))}])
}

fn acknowledged(answer: &str, head: &str) -> Value {
    let arguments = answer.strip_prefix(head);
    serde_json::from_str(arguments.unwrap_or_else(|| panic!("{answer}"))).unwrap()
}

#[tokio::test]
async fn an_event_with_an_id_is_acknowledged_under_that_id() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    socket.connect(NAMESPACE).await;
    for namespace in ["", NAMESPACE] {
        for id in ["0", "1", "456", "9007199254740991"] {
            socket
                .send(&format!("42{namespace}{id}{}", refresh()))
                .await;
            let answer = socket.text().await.unwrap();
            let arguments = acknowledged(&answer, &format!("43{namespace}{id}"));
            assert_eq!(arguments[0]["ok"], true, "{answer}");
            assert_eq!(arguments.as_array().unwrap().len(), 1, "{answer}");
        }
    }
}

#[tokio::test]
async fn each_of_several_acknowledgements_has_its_own_id() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    let refused = json!(["refresh_token", {"token": "garbage"}]);
    let mut expected = Vec::new();
    for id in 0..8 {
        let event = if id % 2 == 0 { &refresh() } else { &refused };
        socket.send(&format!("42{id}{event}")).await;
        expected.push((id, id % 2 == 0));
    }
    let mut came = Vec::new();
    for _ in 0..8 {
        let answer = socket.text().await.unwrap();
        let (id, arguments) = answer[2..].split_once('[').unwrap();
        let arguments: Value = serde_json::from_str(&format!("[{arguments}")).unwrap();
        came.push((id.parse().unwrap(), arguments[0]["ok"] == true));
    }
    came.sort_unstable();
    assert_eq!(came, expected);
}

#[tokio::test]
async fn an_acknowledgement_comes_over_polling_too() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send(&format!("40{}", auth())).await;
    polling.receive(2).await;
    polling.send(&format!("4212{}", refresh())).await;
    let answer = polling.packets().await;
    assert_eq!(acknowledged(&answer[0], "4312")[0]["ok"], true);
}

#[tokio::test]
async fn an_event_without_an_id_is_not_answered() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    socket.send(&format!("42{}", refresh())).await;
    socket.stays_open("an event without an id").await;
}

#[tokio::test]
async fn the_servers_events_are_arrays_that_begin_with_a_name() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    let text = "a \"quote\", a line\nand \u{1f600}\u{1e}";
    let emit = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note",
        "payload": {"text": text, "3": [true, null]}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
    let event = socket.text().await.unwrap();
    let event: Value = serde_json::from_str(event.strip_prefix("42").unwrap()).unwrap();
    assert_eq!(event[0], "note");
    assert_eq!(event[1], emit["payload"]);
    assert!(event[2]["cursor"].is_string());
    assert_eq!(event.as_array().unwrap().len(), 3);
}

/// A separator inside a payload would be taken for the end of a packet.
#[tokio::test]
async fn the_record_separator_is_escaped_in_payloads() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    polling.send(&format!("40{}", auth())).await;
    polling.receive(2).await;
    let emit = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note",
        "payload": {"text": "one\u{1e}two"}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
    let packets = polling.packets().await;
    assert_eq!(packets.len(), 1, "{packets:?}");
    let event: Value = serde_json::from_str(packets[0].strip_prefix("42").unwrap()).unwrap();
    assert_eq!(event[1], emit["payload"]);
}

#[tokio::test]
async fn unknown_events_are_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    for packet in [
        r#"42["message",1,"2",{"3":[true]}]"#,
        r#"427["message"]"#,
        r#"42["joined",{}]"#,
        // Acknowledgements of what the server has not asked.
        "431[]",
        r#"43999["x"]"#,
        r#"44{"message":"x"}"#,
    ] {
        socket.send(packet).await;
        socket.stays_open(packet).await;
    }
}

#[tokio::test]
async fn a_binary_event_and_its_attachments_are_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::joined(&gateway).await;
    for packet in [
        r#"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        r#"452-789["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        r#"462-1[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
    ] {
        socket.send(packet).await;
        socket.send_binary(&[1, 2, 3]).await;
        socket.send_binary(&[4, 5, 6]).await;
        socket.stays_open(packet).await;
    }
    // And an event after it is understood as if there had been none.
    socket.send(&format!("421{}", refresh())).await;
    let answer = socket.text().await.unwrap();
    assert_eq!(acknowledged(&answer, "431")[0]["ok"], true);
}

#[tokio::test]
async fn binary_attachments_over_polling_are_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let polling = Polling::open(&gateway).await;
    let event = r#"451-["message",{"_placeholder":true,"num":0}]"#;
    polling
        .send(&format!("{event}\u{1e}bAQID\u{1e}40/nowhere,"))
        .await;
    assert_eq!(polling.packets().await, [super::wire::NOWHERE]);
}
