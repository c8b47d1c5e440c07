//! Packets that no agent sends are ignored or end their own session, and the packets of a connection are
//! limited.

use engineio_client::frame::Opcode;
use engineio_client::{Message, WEBSOCKET, WebSocket};
use serde_json::json;
use tokio::net::TcpStream;

use crate::harness::{Broker, Client, Received, TestGateway, claims, message, sign};

const NAMESPACE: &str = "/tenant/acme/conv/c-1";

fn refused(message: &str) -> Received {
    Received::Refused(message.to_owned())
}

#[tokio::test]
async fn packets_for_a_namespace_not_joined_are_ignored_and_reveal_nothing() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let followed = Client::open(gateway.address(), "").await;
    let mut member = followed;
    let auth = json!({"token": sign(&claims("acme"))});
    member.connect(NAMESPACE, &auth).await;
    member.joined().await;
    // To one that is followed by others, and to one that is by nobody.
    for namespace in [NAMESPACE, "/tenant/acme/conv/nobody", "/", "/nowhere"] {
        let mut stranger = Client::open(gateway.address(), "").await;
        for packet in [
            format!("42{namespace},[\"x\"]"),
            format!("42{namespace},1[\"refresh_token\",{{}}]"),
            format!("41{namespace},"),
            format!("43{namespace},1[]"),
            format!("44{namespace},{{}}"),
            format!("451-{namespace},[\"x\",{{\"_placeholder\":true,\"num\":0}}]"),
            format!("461-{namespace},1[{{\"_placeholder\":true,\"num\":0}}]"),
        ] {
            stranger.send(&packet).await;
        }
        stranger.send_binary(b"attachment").await;
        // The next answer is that to the next question.
        stranger.connect(namespace, &json!({})).await;
        let expected = match namespace {
            "/nowhere" => "Invalid namespace",
            _ => "Authentication required",
        };
        assert_eq!(stranger.next().await, refused(expected), "{namespace}");
    }
    broker
        .publish("inbound_message", &message("acme", "c-1", "m-1"))
        .await;
    assert_eq!(agent.event().await.message_id(), "m-1");
    assert_eq!(member.event().await.message_id(), "m-1");
}

#[tokio::test]
async fn ten_rejected_connects_close_the_connection() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    for namespaces in [
        &[NAMESPACE][..],
        &["/"],
        &["/nowhere"],
        &[NAMESPACE, "/nowhere", "/"],
    ] {
        let mut client = Client::open(gateway.address(), "").await;
        for namespace in namespaces.iter().cycle().take(10) {
            client
                .connect(namespace, &json!({"token": "garbage"}))
                .await;
            assert!(matches!(client.next().await, Received::Refused(_)));
        }
        assert_eq!(client.next().await, Received::Closed);
    }
    let mut polling = Client::open_polling(gateway.address(), "").await;
    for number in 0..10 {
        polling
            .connect(&format!("{NAMESPACE}{number}"), &json!({}))
            .await;
        assert!(matches!(polling.next().await, Received::Refused(_)));
    }
    assert_eq!(polling.next().await, Received::Closed);
}

#[tokio::test]
async fn a_connection_opens_at_most_256_namespaces() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let auth = json!({"token": sign(&claims("acme"))});
    let namespace = |number: usize| format!("/tenant/acme/conv/{number}");
    let mut client = Client::open(gateway.address(), "").await;
    for number in 0..256 {
        client.connect(&namespace(number), &auth).await;
    }
    let mut joined = 0;
    while joined < 256 {
        match client.next().await {
            Received::Connected(_) => {}
            event => joined += usize::from(event.name() == "joined"),
        }
    }
    for _ in 0..20 {
        client.connect(&namespace(256), &auth).await;
        assert_eq!(client.next().await, refused("Too many connections"));
    }
    client.leave(&namespace(0)).await;
    client.connect(&namespace(256), &auth).await;
    client.joined().await;
    for number in [1, 255, 256] {
        let message = message("acme", &number.to_string(), "m-1");
        broker.publish("inbound_message", &message).await;
        assert_eq!(client.event().await.message_id(), "m-1");
    }
    let mut polling = Client::open_polling(gateway.address(), "").await;
    let namespaces: Vec<_> = (0..256).map(namespace).collect();
    let poster = polling.connect_all(&namespaces, &auth);
    let mut joined = 0;
    while joined < 256 {
        match polling.next().await {
            Received::Connected(_) => {}
            event => joined += usize::from(event.name() == "joined"),
        }
    }
    poster.await.unwrap();
}

/// What a frame is, whether it is a message's last, and what it carries.
type Frame<'a> = (Opcode, bool, &'a [u8]);

/// A client that chooses its frames.
async fn frames(gateway: &TestGateway, frames: &[Frame<'_>]) -> Option<String> {
    let address = gateway.address();
    let stream = TcpStream::connect(address).await.unwrap();
    let target = format!("{WEBSOCKET}&tenantId=acme&conversationId=c-1");
    let socket = WebSocket::connect(stream, address, &target).await;
    let mut socket = socket.unwrap();
    socket.text().await.unwrap();
    for &(opcode, last, payload) in frames {
        // The server may have hung up by now.
        socket.send_frame(opcode, last, payload).await.ok();
    }
    loop {
        match socket.next().await {
            Ok(Some(Message::Text(ping))) if ping == "2" => {}
            Ok(Some(Message::Text(text))) => return Some(text),
            Ok(Some(Message::Pong(_))) => {}
            _ => return None,
        }
    }
}

#[tokio::test]
async fn fragmented_messages_are_reassembled_and_oversized_ones_close_the_session() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let connect = format!("40{}", json!({"token": sign(&claims("acme"))}));
    let pieces = |size: usize| -> Vec<Frame<'_>> {
        let pieces: Vec<_> = connect.as_bytes().chunks(size).collect();
        let last = pieces.len() - 1;
        let frames = pieces.into_iter().enumerate().map(|(number, piece)| {
            let opcode = match number {
                0 => Opcode::Text,
                _ => Opcode::Continuation,
            };
            (opcode, number == last, piece)
        });
        frames.collect()
    };
    for size in [1, 2, 3, 50, 10_000] {
        let mut with_pings = Vec::new();
        for piece in pieces(size) {
            with_pings.push(piece);
            with_pings.push((Opcode::Pong, true, &b"x"[..]));
        }
        let answer = frames(&gateway, &with_pings).await.unwrap();
        assert!(answer.starts_with("40{"), "{answer}");
    }
    let padding = "x".repeat(64 * 1024);
    let event = format!("42[{padding:?}]");
    for hostile in [
        &[(Opcode::Text, true, event.as_bytes())][..],
        &[
            (Opcode::Text, false, padding.as_bytes()),
            (Opcode::Continuation, true, padding.as_bytes()),
        ],
        &[(Opcode::Continuation, true, b"40")],
        &[(Opcode::Text, false, b"4"), (Opcode::Text, true, b"40")],
    ] {
        assert_eq!(frames(&gateway, hostile).await, None);
    }
    // What is binary is nothing, in one piece or in many.
    let mut binary = vec![
        (Opcode::Binary, true, &b"40"[..]),
        (Opcode::Binary, false, b"40"),
        (Opcode::Continuation, true, b"{}"),
    ];
    binary.extend(pieces(10_000));
    let answer = frames(&gateway, &binary).await.unwrap();
    assert!(answer.starts_with("40{"), "{answer}");
}

#[tokio::test]
async fn malformed_packets_affect_only_their_own_session() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for packet in [
        "",
        "4",
        "47",
        "9",
        "x",
        "0",
        "4é",
        "5",
        "2probe",
        "\u{0}",
        "40/\u{1e}",
    ] {
        let mut client = Client::open(gateway.address(), "").await;
        client.send(packet).await;
        // Some end the session, some mean nothing; what is asked then is answered or is not.
        client.try_send("40").await;
        let answer = client.next().await;
        let known = [
            Received::Closed,
            refused("Authentication required"),
            refused("Invalid namespace"),
        ];
        assert!(known.contains(&answer), "{packet:?}: {answer:?}");
    }
    for (body, statuses) in [
        (String::new(), 200..=400),
        ("4".to_owned(), 200..=400),
        ("\x1e\x1e\x1e".to_owned(), 200..=400),
        ("b!!!!".to_owned(), 200..=200),
        ("x".repeat(64 * 1024 + 1), 413..=413),
    ] {
        let mut polling = Client::open_polling(gateway.address(), "").await;
        let status = polling.post(&body).await;
        assert!(statuses.contains(&status), "{body:.20}: {status}");
    }
    broker
        .publish("inbound_message", &message("acme", "c-1", "m-1"))
        .await;
    assert_eq!(agent.event().await.message_id(), "m-1");
    let (status, _) = gateway.get("/healthz").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn requests_without_an_upgrade_or_with_an_unknown_sid_are_rejected() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let path = "/socket.io/?EIO=4&transport=websocket";
    let (status, _) = gateway.get(path).await;
    assert_eq!(status, 426);
    let unknown = "&sid=AAAAAAAAAAAAAAAA";
    let (status, _) = gateway.get(&format!("{path}{unknown}")).await;
    assert_eq!(status, 400);
    let polling = format!("/socket.io/?EIO=4&transport=polling{unknown}");
    let (status, body) = gateway.get(&polling).await;
    assert_eq!(
        (status, &body["message"]),
        (400, &json!("Session ID unknown"))
    );
    let (status, body) = gateway.get("/socket.io/?EIO=3&transport=polling").await;
    assert_eq!(status, 400, "{body}");
}
