//! Frames of every kind, in pieces of every size.

use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;
use socketioxide::SocketIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::runtime::Builder;

use super::super::namespaces::Namespaces;
use super::super::places::Places;
use super::super::transport::Transports;
use super::*;
use crate::net::{Bounds, Limits};

fn session() -> Arc<Transport> {
    let (_, io) = SocketIo::new_layer();
    let namespaces = Namespaces::new(&io, |_, _| {});
    let release = Release::new(&io);
    let sessions = Bounds {
        all: 1,
        address: 0,
        rate: 0,
    };
    let limits = Limits {
        sessions,
        proxies: 0,
    };
    let place = Places::new(&limits, Arc::default()).take(Ipv4Addr::LOCALHOST.into());
    Transports::new(namespaces, release).open(place.unwrap())
}

/// A session that has joined, and needs no release.
fn joined() -> Arc<Transport> {
    let session = session();
    let connect = b"40/tenant/a/conv/joined,";
    assert_eq!(session.connects.hear(connect, || true), Heard::Pass);
    session.connects.opened("/tenant/a/conv/joined");
    session
}

/// What the library reads of what a client sends, in pieces of these sizes.
fn read(sent: &[u8], pieces: &[usize]) -> Vec<u8> {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = duplex(64);
        let mut guard = Guard::new(server, joined());
        let sending = async {
            let mut rest = sent;
            for &piece in pieces.iter().cycle() {
                let (now, later) = rest.split_at(piece.min(rest.len()));
                // It may have heard enough.
                if now.is_empty() || client.write_all(now).await.is_err() {
                    break;
                }
                rest = later;
            }
            drop(client);
        };
        let reading = async {
            let mut read = Vec::new();
            guard.read_to_end(&mut read).await.unwrap();
            drop(guard);
            read
        };
        tokio::join!(sending, reading).1
    })
}

/// A frame from a client (RFC 6455, section 5.2).
fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    frame
}

/// What a client says, and whether it is to be heard.
fn saying() -> impl Strategy<Value = (u8, Vec<u8>, bool)> {
    let text = |text: &str, heard| Just((0x81, text.as_bytes().to_vec(), heard)).boxed();
    prop_oneof![
        text("3", true),
        text("not a packet", true),
        text("2probe", true),
        text("40/admin,", true),
        text(r#"42["event"]"#, false),
        text("41/tenant/a/conv/b,", false),
        text(r#"451-["x",{"_placeholder":true,"num":0}]"#, false),
        vec(any::<u8>(), 0..300).prop_map(|bytes| (0x82, bytes, false)),
        vec(any::<u8>(), 0..125).prop_map(|bytes| (0x89, bytes, true)),
        vec(any::<u8>(), 0..125).prop_map(|bytes| (0x8a, bytes, true)),
    ]
}

proptest! {
    #[test]
    fn what_may_be_heard_is_read_as_it_came_and_nothing_else(
        sayings in vec((saying(), any::<[u8; 4]>()), 0..9),
        pieces in vec(1..100_usize, 1..5),
    ) {
        let mut sent = Vec::new();
        let mut heard = Vec::new();
        for ((first, payload, is_heard), mask) in sayings {
            let frame = frame(first, &payload, mask);
            sent.extend_from_slice(&frame);
            if is_heard {
                heard.extend_from_slice(&frame);
            }
        }
        prop_assert_eq!(read(&sent, &pieces), heard);
    }

    #[test]
    fn a_message_in_any_pieces_is_judged_by_all_of_it(
        cuts in vec(1..6_usize, 1..8),
        pieces in vec(1..100_usize, 1..5),
        mask in any::<[u8; 4]>(),
    ) {
        for (text, is_heard) in [("40/admin,{}", true), (r#"42["some event"]"#, false)] {
            let mut sent = Vec::new();
            let mut rest = text.as_bytes();
            let mut cuts = cuts.iter().cycle();
            let mut opcode = 1;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                let last = if later.is_empty() { 0x80 } else { 0 };
                sent.extend(frame(last | opcode, now, mask));
                (rest, opcode) = (later, 0);
            }
            let expected = if is_heard { sent.clone() } else { Vec::new() };
            prop_assert_eq!(read(&sent, &pieces), expected);
        }
    }

    #[test]
    fn any_bytes_come_to_an_end(
        sent in vec(any::<u8>(), 0..2_000),
        pieces in vec(1..100_usize, 1..5),
    ) {
        prop_assert!(read(&sent, &pieces).len() <= sent.len());
    }
}

#[test]
fn half_a_frame_does_not_keep_a_session_from_its_end() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = duplex(64);
        let transport = joined();
        let mut guard = Guard::new(server, transport.clone());
        client.write_all(&[0x81, 0xfe, 0xff]).await.unwrap();
        let mut buffer = [0; 16];
        tokio::select! {
            biased;
            read = guard.read(&mut buffer) => panic!("{read:?}"),
            () = tokio::task::yield_now() => {}
        }
        transport.end();
        // The connection wakes the reader, as its end does here.
        drop(client);
        let length = guard.read(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], GOODBYE);
        assert_eq!(guard.read(&mut buffer).await.unwrap(), 0);
    });
}

#[test]
fn a_session_that_joined_nothing_is_released_before_its_end() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let close = frame(0x88, &1000_u16.to_be_bytes(), [0; 4]);
    let wrong = frame(0x81, b"not a packet", [7; 4]);
    let nothing = Vec::new();
    for in_time in [true, false] {
        for last in [&close, &wrong, &nothing] {
            runtime.block_on(async {
                let (mut client, server) = duplex(1024);
                let transport = session();
                let release = transport.release().unwrap().clone();
                let mut guard = Guard::new(server, transport);
                client.write_all(last).await.unwrap();
                client.shutdown().await.unwrap();
                let mut connect = vec![0; release.connect().len()];
                guard.read_exact(&mut connect).await.unwrap();
                assert_eq!(connect, release.connect());
                let mut rest = Vec::new();
                guard.write_all(b"a word").await.unwrap();
                tokio::select! {
                    biased;
                    read = guard.read_u8() => panic!("{read:?} before it is answered"),
                    () = tokio::time::sleep(PATIENCE / 2) => {}
                }
                let answer = [&connect[6..], br#"{"sid":"x"}"#].concat();
                if in_time {
                    guard.write_all(&answer).await.unwrap();
                }
                guard.read_to_end(&mut rest).await.unwrap();
                assert_eq!(&rest, last);
                if !in_time {
                    guard.write_all(&answer).await.unwrap();
                }
                drop(guard);
                let mut seen = Vec::new();
                client.read_to_end(&mut seen).await.unwrap();
                assert_eq!(seen, b"a word");
            });
        }
    }
}
