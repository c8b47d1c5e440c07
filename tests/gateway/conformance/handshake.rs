//! Engine.IO: the handshake, and handshakes that are rejected.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::wire::{POLLING, Polling, Socket, UPGRADE, WEBSOCKET, ask_for_websocket, error};
use super::{SHORT_HEARTBEAT, start};
use crate::harness::raw::ask;

/// An OPEN packet says what it has to, and nothing else.
fn is_open(mut open: Value, upgrades: &[&str]) {
    let sid = open["sid"].take();
    assert!(!sid.as_str().unwrap().is_empty());
    assert_eq!(
        open,
        json!({
            "sid": null, "upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200,
            "maxPayload": 65_536,
        })
    );
}

#[tokio::test]
async fn a_poll_opens_a_session_that_can_be_upgraded() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    for query in ["", "&t=N8hyd6w", "&tenantId=acme&conversationId=c-1"] {
        let open = ask(gateway.address(), &format!("GET {POLLING}{query}"), &[]).await;
        assert_eq!(open.status, 200);
        let content_type = open.header("content-type");
        assert_eq!(content_type, Some("text/plain; charset=UTF-8"));
        assert!(open.body.starts_with('0'));
        is_open(open.json(), &["websocket"]);
    }
}

#[tokio::test]
async fn a_websocket_opens_a_session_with_the_same_open_packet() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    for query in ["", "&tenantId=acme&conversationId=c-1"] {
        let (_socket, open) = Socket::open_with(&gateway, query).await;
        is_open(open, &[]);
    }
}

#[tokio::test]
async fn every_session_has_its_own_sid() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let mut names = HashSet::new();
    for _ in 0..20 {
        let (_socket, open) = Socket::open_with(&gateway, "").await;
        names.insert(open["sid"].as_str().unwrap().to_owned());
        names.insert(Polling::open(&gateway).await.sid);
    }
    assert_eq!(names.len(), 40);
}

#[tokio::test]
async fn max_payload_is_the_limit_of_posts() {
    let (_broker, gateway) = start(&super::NO_PINGS).await;
    // A packet of an unknown namespace's CONNECT, as large as may be, and one byte more.
    let packet = |length: usize| {
        let head = "40/nowhere,";
        format!("{head}\"{}\"", "x".repeat(length - head.len() - 2))
    };
    let polling = Polling::open(&gateway).await;
    polling.send(&packet(65_536)).await;
    assert_eq!(polling.packets().await, [super::wire::NOWHERE]);
    assert_eq!(polling.post(&packet(65_537)).await.status, 413);
    polling.ended().await;

    let mut socket = Socket::open(&gateway).await;
    socket.send(&packet(65_536)).await;
    socket.receives(super::wire::NOWHERE).await;
    socket.send(&packet(65_537)).await;
    assert_eq!(socket.ended().await, [""; 0]);
}

#[tokio::test]
async fn a_missing_or_unsupported_eio_version_is_rejected() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let unsupported = error(5, "Unsupported protocol version");
    for version in ["", "EIO=abc&", "EIO=&", "EIO=5&", "EIO=2&", "EIO=3&"] {
        let line = format!("GET /socket.io/?{version}transport=polling");
        let answer = ask(gateway.address(), &line, &[]).await;
        assert_eq!(answer.status, 400, "{line}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.json(), unsupported, "{line}");
    }
    for version in ["", "EIO=abc&", "EIO=&", "EIO=5&", "EIO=2&"] {
        let path = format!("/socket.io/?{version}transport=websocket");
        let answer = ask_for_websocket(&gateway, &path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.json(), unsupported, "{path}");
    }
}

#[tokio::test]
async fn a_missing_or_unknown_transport_is_rejected() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let unknown = error(0, "Transport unknown");
    for transport in [
        "",
        "&transport=",
        "&transport=abc",
        "&transport=webtransport",
    ] {
        let path = format!("/socket.io/?EIO=4{transport}");
        for headers in [&[][..], &UPGRADE] {
            let answer = ask(gateway.address(), &format!("GET {path}"), headers).await;
            assert_eq!(answer.status, 400, "{path}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.json(), unknown, "{path}");
        }
    }
}

#[tokio::test]
async fn a_session_is_opened_by_get_only() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in [POLLING, WEBSOCKET] {
            let answer = ask(gateway.address(), &format!("{method} {path}"), &[]).await;
            assert_eq!(answer.status, 400, "{method} {path}");
            assert_eq!(answer.json(), error(2, "Bad handshake method"));
        }
    }
}

#[tokio::test]
async fn a_websocket_transport_needs_an_upgrade_request() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let answer = ask(gateway.address(), &format!("GET {WEBSOCKET}"), &[]).await;
    assert_eq!(answer.status, 426);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
}

#[tokio::test]
async fn an_unknown_sid_is_rejected() {
    let (_broker, gateway) = start(&SHORT_HEARTBEAT).await;
    let unknown = error(1, "Session ID unknown");
    for sid in ["abc", "", "AAAAAAAAAAAAAAAA"] {
        for (method, path, headers) in [
            ("GET", POLLING, &[][..]),
            ("POST", POLLING, &["content-length: 0"]),
            ("GET", WEBSOCKET, &UPGRADE),
        ] {
            let line = format!("{method} {path}&sid={sid}");
            let answer = ask(gateway.address(), &line, headers).await;
            assert_eq!(answer.status, 400, "{line}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.json(), unknown, "{line}");
        }
    }
}
