//! Frames of every kind, in pieces of every size.

use std::net::Ipv4Addr;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::TaskTracker;

use super::super::registration::Registrations;
use super::super::session::{OutboundEvent, Pushed};
use super::super::sessions::Sessions;
use super::*;
use crate::net::{Bounds, Connection, Limits};

/// Hears everything but events and what is said of namespaces.
struct Plain;

impl Protocol for Plain {
    fn inbound(_: &Arc<Session<Self>>, beginning: &[u8]) -> Verdict {
        match beginning {
            [b'4', b'1' | b'2' | b'5', ..] => Verdict::Ignore,
            _ => Verdict::Pass,
        }
    }

    fn passes(_: &Arc<Session<Self>>, _: &[u8]) -> bool {
        true
    }

    fn answered(_: &Arc<Session<Self>>, _: &[u8]) {}

    fn has_joined(_: &Session<Self>) -> bool {
        true
    }

    const OLD_CLIENT: [&'static str; 2] = ["", ""];

    fn too_old(_: &[u8]) -> Option<String> {
        None
    }

    fn too_many(&self, _: &[u8]) -> Option<String> {
        None
    }

    fn closed(_: &Arc<Session<Self>>) {}
}

/// A client, and the filter of its session.
async fn connected() -> (TcpStream, FrameFilter<Plain>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    let connection = Connection::new(accepted.unwrap().0, None, TaskTracker::new());
    let connection = Arc::new(connection.upgrade().0);
    let sessions = Bounds {
        all: 1,
        address: 0,
        rate: 0,
    };
    let limits = Limits {
        sessions,
        proxies: 0,
    };
    let registrations = Registrations::new(&limits, Arc::default());
    let registration = registrations.register(Ipv4Addr::LOCALHOST.into());
    let session = Sessions::new(Duration::from_secs(60)).open(registration.unwrap(), Plain);
    assert!(session.attach());
    session.connect(connection.clone(), false, &[]);
    let filter = FrameFilter::new(session, connection, Bytes::new());
    (client.unwrap(), filter)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What the library reads of what a client sends, in pieces of these sizes.
fn read(sent: &[u8], pieces: &[usize]) -> Vec<u8> {
    runtime().block_on(async {
        let (mut client, mut filter) = connected().await;
        client.set_nodelay(true).unwrap();
        let sending = async {
            let mut rest = sent;
            for &piece in pieces.iter().cycle() {
                let (now, later) = rest.split_at(piece.min(rest.len()));
                // It may have heard enough.
                if now.is_empty() || client.write_all(now).await.is_err() {
                    break;
                }
                rest = later;
                tokio::task::yield_now().await;
            }
            client.shutdown().await.ok();
        };
        let reading = async {
            let mut read = Vec::new();
            filter.read_to_end(&mut read).await.unwrap();
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
    runtime().block_on(async {
        let (mut client, mut filter) = connected().await;
        let session = filter.session.clone();
        client.write_all(&[0x81, 0xfe, 0xff]).await.unwrap();
        let mut buffer = [0; 16];
        let ending = async {
            tokio::task::yield_now().await;
            session.close();
        };
        // What ends the session wakes its reader.
        let (length, ()) = tokio::join!(filter.read(&mut buffer), ending);
        assert_eq!(&buffer[..length.unwrap()], CLOSE);
        assert_eq!(filter.read(&mut buffer).await.unwrap(), 0);
    });
}

#[test]
fn a_ping_overtakes_half_a_megabyte_of_events() {
    runtime().block_on(async {
        let (mut client, mut filter) = connected().await;
        let session = filter.session.clone();
        // The first ping, which is answered in the client's place.
        let ping = crate::frame::text(&[b"2"]);
        filter.write_all(&ping).await.unwrap();
        let mut pong = vec![0; PONG.len()];
        filter.read_exact(&mut pong).await.unwrap();
        assert_eq!(pong, PONG);
        let event = |number: usize| format!("42[\"note\",{number},\"{}\"]", "x".repeat(10_000));
        // The kernel takes some, and then no more: the rest waits in the session.
        let mut pushed = 0;
        while session.push(&Text(event(pushed))) != Pushed::Full {
            session.flush();
            pushed += 1;
        }
        filter
            .write_all(&crate::frame::text(&[b"2"]))
            .await
            .unwrap();
        let reading = async {
            let mut received = Vec::new();
            let mut buffer = [0; 65_536];
            while texts(&received).len() <= pushed {
                let length = client.read(&mut buffer).await.unwrap();
                received.extend_from_slice(&buffer[..length]);
            }
            texts(&received)
        };
        let received = reading.await;
        let ping = received.iter().position(|text| text == "2").unwrap();
        let waited = received.len() - 1 - ping;
        assert!(
            waited * 10_000 > 500_000,
            "{waited} events received after it"
        );
        let events: Vec<_> = received.iter().filter(|text| *text != "2").collect();
        assert!(
            events
                .into_iter()
                .enumerate()
                .all(|(number, text)| *text == event(number))
        );
        // And whoever has waited for room has it.
        session.room_or(|| false).await;
        assert_eq!(session.push(&Text("42[]".to_owned())), Pushed::Queued);
    });
}

#[test]
fn a_closed_session_sends_what_waits_and_an_aborted_one_does_not() {
    for is_aborted in [false, true] {
        runtime().block_on(async {
            let (mut client, mut filter) = connected().await;
            let session = filter.session.clone();
            let event = format!("42[\"{}\"]", "x".repeat(10_000));
            let mut pushed = 0;
            while session.push(&Text(event.clone())) != Pushed::Full {
                session.flush();
                pushed += 1;
            }
            match is_aborted {
                true => session.abort(),
                false => session.close(),
            }
            assert_eq!(session.push(&Text(event.clone())), Pushed::Closed);
            let ending = tokio::spawn(async move {
                let mut heard = Vec::new();
                filter.read_to_end(&mut heard).await.unwrap();
                heard
            });
            let mut received = Vec::new();
            // An aborted connection may be reset.
            client.read_to_end(&mut received).await.ok();
            let received = texts(&received).len();
            match is_aborted {
                true => assert!(received < pushed, "{received} of {pushed}"),
                false => assert_eq!(received, pushed),
            }
            assert_eq!(ending.await.unwrap(), CLOSE);
        });
    }
}

/// An event that is this text.
struct Text(String);

impl OutboundEvent for Text {
    fn frame(&self) -> Bytes {
        crate::frame::text(&[self.0.as_bytes()])
    }

    fn emit(&self) -> Result<usize, Pushed> {
        Err(Pushed::Closed)
    }
}

fn texts(frames: &[u8]) -> Vec<String> {
    let texts = crate::frame::split(frames).filter_map(|frame| frame.text);
    texts
        .map(|text| String::from_utf8(text.to_vec()).unwrap())
        .collect()
}
