//! Engine.IO over a WebSocket: each packet in a message of its own.

use engineio_client::{Decoder, Message, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::{NOWHERE, Socket, WEBSOCKET, auth};
use super::{NO_PINGS, start};

#[tokio::test]
async fn each_packet_is_one_websocket_message() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    for name in ["a", "b", "c"] {
        socket.send(&format!("40/{name},")).await;
    }
    for name in ["a", "b", "c"] {
        let refused = format!(r#"44/{name},{{"message":"Invalid namespace"}}"#);
        socket.receives(&refused).await;
    }
}

#[tokio::test]
async fn a_payload_of_several_packets_is_not_split_over_a_websocket() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    // One CONNECT, to a namespace with a strange name.
    socket.send("40/a\u{1e}40/b").await;
    let answer = socket.text().await.unwrap();
    assert!(answer.starts_with("44/a\u{1e}40/b,"), "{answer}");
}

#[tokio::test]
async fn a_malformed_packet_closes_the_session() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    for packet in ["abc", "9", "0{}", "", "\u{1f600}"] {
        let mut socket = Socket::open(&gateway).await;
        socket.send(packet).await;
        let mut received = socket.ended().await;
        received.retain(|packet| packet != "1");
        assert_eq!(received, [""; 0], "{packet:?}");
    }
}

#[tokio::test]
async fn unexpected_binary_messages_are_ignored() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    socket.send_binary(&[1, 2, 3, 4]).await;
    socket.send_binary(&[]).await;
    socket.stays_open("binary messages").await;
}

#[tokio::test]
async fn websocket_ping_frames_are_answered_with_their_payload() {
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut socket = Socket::open(&gateway).await;
    let pong = socket.ping(b"are you there").await;
    assert_eq!(pong, Message::Pong(b"are you there".to_vec()));
    socket.send("40/nowhere").await;
    socket.receives(NOWHERE).await;
}

/// What a request is answered with at once, as text.
async fn answer_in_one_read(connection: &mut TcpStream, request: &[u8]) -> String {
    connection.write_all(request).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = connection.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

/// Each write is a packet on the network, and wakes whoever is at the other end.
#[tokio::test]
async fn the_open_packet_comes_with_the_handshake_and_joined_with_the_answer_to_connect() {
    const CLIENTS: usize = 20;
    let (_broker, gateway) = start(&NO_PINGS).await;
    let mut joined_at_once = 0;
    for _ in 0..CLIENTS {
        let mut connection = TcpStream::connect(gateway.address()).await.unwrap();
        let handshake = Decoder::request(gateway.address(), WEBSOCKET);
        let opened = answer_in_one_read(&mut connection, handshake.as_bytes()).await;
        assert!(opened.starts_with("HTTP/1.1 101 "), "{opened}");
        assert!(opened.contains(r#"0{"sid":"#), "{opened}");
        let connect = frame::text(&format!("40{}", auth()));
        let answer = answer_in_one_read(&mut connection, &connect).await;
        assert!(answer.contains(r#"40{"sid":"#), "{answer}");
        joined_at_once += usize::from(answer.contains(r#"42["joined","#));
    }
    // With several threads, one may write the answer before another has the member join.
    assert!(joined_at_once > CLIENTS / 2, "{joined_at_once}");
}
