//! Socket.IO: malformed packets, and packets before CONNECT.

use super::wire::{Polling, Socket, members};
use super::{NO_PINGS, start};
use crate::harness::until;

/// No packet begins like this: the session is closed.
const UNREADABLE: [&str; 5] = ["4abc", "4", "47", "4/", "4-1"];

#[tokio::test]
async fn a_packet_of_an_unknown_type_closes_the_connection() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in UNREADABLE {
        let mut stranger = Socket::open(&gateway).await;
        stranger.send(packet).await;
        let mut member = Socket::joined(&gateway).await;
        member.send(packet).await;
        for socket in [&mut stranger, &mut member] {
            let mut received = socket.ended().await;
            received.retain(|packet| packet != "1");
            assert_eq!(received, [""; 0], "{packet}");
        }
    }
}

#[tokio::test]
async fn a_packet_of_an_unknown_type_closes_a_session_that_polls() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in UNREADABLE {
        let polling = Polling::open(&gateway).await;
        polling.post(packet).await;
        let received = polling.ended().await;
        assert!(
            received.is_empty() || received == ["1"],
            "{packet}: {received:?}"
        );
    }
}

/// An event's payload is an array that begins with its name, and its id is a number.
#[tokio::test]
async fn a_malformed_event_closes_the_connection() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in [
        "42",
        "42{}",
        "42[]",
        "42[",
        r#"42"message""#,
        r#"42["message""#,
        r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#,
        r#"421abc["message"]"#,
    ] {
        let mut socket = Socket::joined(&gateway).await;
        socket.send(packet).await;
        let mut received = socket.ended().await;
        received.retain(|packet| packet != "1");
        assert_eq!(received, [""; 0], "{packet}");
    }
    until("all have left", async || {
        members(&gateway, "c-1").await == 0
    })
    .await;
}

/// No agent has a use for these: they are not looked at, whatever is in them.
#[tokio::test]
async fn malformed_binary_packets_and_acknowledgements_are_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in [
        "45[]",
        "451-",
        r#"45abc-["message"]"#,
        r#"4599999999999-["message"]"#,
        "46",
        "43",
        "43[]",
        "43abc",
        "44",
        r#"42["connect"]"#,
        r#"42["disconnect"]"#,
    ] {
        let mut socket = Socket::joined(&gateway).await;
        socket.send(packet).await;
        socket.stays_open(packet).await;
    }
}

/// The protocol would have the connection closed; the gateway closes it when no CONNECT has come in
/// time, and till then does as if nothing had been said.
#[tokio::test]
async fn events_before_connect_are_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in [
        "41",
        r#"42["message"]"#,
        r#"421["refresh_token",{"token":"x"}]"#,
        r#"42/tenant/acme/conv/c-1,["message"]"#,
        "431[]",
        r#"44{"message":"x"}"#,
        r#"451-["message",{"_placeholder":true,"num":0}]"#,
    ] {
        let mut socket = Socket::open(&gateway).await;
        socket.send(packet).await;
        socket.stays_open(packet).await;
        socket.connect("").await;
        socket.close().await;
    }
}
