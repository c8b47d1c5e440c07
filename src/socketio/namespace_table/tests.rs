//! What a session may say, and what becomes of its CONNECTs.

use std::net::Ipv4Addr;

use socketioxide::SocketIo;

use super::super::places::Places;
use super::super::release::Release;
use super::super::transport::Transports;
use super::*;
use crate::net::{Bounds, Limits};

const DOOR: &str = "/tenant/acme/conv/c-1";

fn session() -> (Arc<Transport>, SocketIo) {
    let (_, io) = SocketIo::new_layer();
    let namespaces = Namespaces::new(&io, |io, path| {
        io.ns(path, async || {});
    });
    let limits = Limits {
        sessions: Bounds {
            all: 1,
            address: 0,
            rate: 0,
        },
        proxies: 0,
    };
    let place = Places::new(&limits, Arc::default()).take(Ipv4Addr::LOCALHOST.into());
    (
        Transports::new(namespaces, Release::new(&io)).open(place.unwrap()),
        io,
    )
}

fn hear(session: &Transport, message: &str) -> Heard {
    session.connects.hear(message.as_bytes(), || true)
}

#[tokio::test]
async fn only_what_is_open_is_spoken_in_and_left() {
    let (session, _) = session();
    for door in ["/", DOOR] {
        let event = format!(r#"42{door},["x"]"#);
        let leave = format!("41{door},");
        assert_eq!(hear(&session, &event), Heard::Ignore);
        assert_eq!(hear(&session, &leave), Heard::Ignore);
        let connect = format!("40{door},{{}}");
        assert_eq!(hear(&session, &connect), Heard::Pass);
        // Until it is known whether it is open.
        assert_eq!(hear(&session, &event), Heard::Wait);
        assert_eq!(hear(&session, &leave), Heard::Wait);
        session.connects.opened(door);
        assert_eq!(hear(&session, &event), Heard::Pass);
        assert_eq!(hear(&session, &connect), Heard::Ignore);
        assert_eq!(hear(&session, &leave), Heard::Pass);
        assert_eq!(hear(&session, &event), Heard::Ignore);
        // The library may not be done with the CONNECT before.
        assert_eq!(hear(&session, &connect), Heard::Wait);
    }
}

#[tokio::test]
async fn who_is_sent_away_comes_back_when_that_is_done() {
    let (session, _) = session();
    for door in ["/", DOOR] {
        let connect = format!("40{door},{{}}");
        assert_eq!(hear(&session, &connect), Heard::Pass);
        session.connects.opened(door);
        session.connects.closing(door);
        assert_eq!(hear(&session, &format!("42{door},[]")), Heard::Ignore);
        assert_eq!(hear(&session, &connect), Heard::Wait);
        session.connects.closed(door);
        while hear(&session, &connect) == Heard::Wait {
            tokio::time::sleep(Connects::FORGOTTEN_AFTER / 4).await;
        }
        // What was said of the visit before does not end this one.
        session.connects.opened(door);
        session.connects.closed(door);
        assert_eq!(hear(&session, &connect), Heard::Ignore);
    }
}

#[tokio::test]
async fn a_namespace_is_there_before_its_connect_is_heard() {
    let (session, io) = session();
    assert_eq!(hear(&session, &format!("40{DOOR},")), Heard::Pass);
    assert!(io.of(DOOR).is_some());
    let visit = Connects::visit(&session, DOOR);
    assert_eq!(session.connects.refused(DOOR), Heard::Pass);
    // The library is not done with the first.
    assert_eq!(hear(&session, &format!("40{DOOR},")), Heard::Wait);
    drop(visit);
    while io.of(DOOR).is_some() {
        tokio::task::yield_now().await;
    }
    for path in ["/tenant/a", "/tenant//conv/b", "/tenant/a/conv/b/c", "/x"] {
        assert_eq!(hear(&session, &format!("40{path},")), Heard::Pass);
        assert!(io.of(path).is_none());
    }
}

#[tokio::test]
async fn the_tenth_refusal_is_the_last_word() {
    let (session, _) = session();
    for _ in 0..5 {
        assert_eq!(hear(&session, "40/admin,"), Heard::Pass);
    }
    for number in 0..4 {
        let path = format!("/tenant/a/conv/{number}");
        assert_eq!(hear(&session, &format!("40{path},")), Heard::Pass);
        assert_eq!(session.connects.refused(&path), Heard::Pass);
    }
    // One that is seen in part only is none that could be asked for.
    let long = format!("40/tenant/a/conv/{}", "é".repeat(Inbound::PREFIX));
    for length in Inbound::PREFIX - 1..=Inbound::PREFIX {
        let (session, _) = self::session();
        let seen = &long.as_bytes()[..length];
        for _ in 0..9 {
            assert_eq!(session.connects.hear(seen, || true), Heard::Pass);
        }
        assert_eq!(session.connects.hear(seen, || true), Heard::Last);
    }
    assert_eq!(hear(&session, "40"), Heard::Pass);
    assert_eq!(session.connects.refused("/"), Heard::Last);
    assert_eq!(hear(&session, "40"), Heard::Ignore);
    assert_eq!(hear(&session, "2"), Heard::Ignore);
}

#[tokio::test]
async fn connects_wait_for_those_before_them_and_for_room() {
    let (session, _) = session();
    assert_eq!(session.connects.hear(b"40", || false), Heard::Wait);
    let path = |number: usize| format!("/tenant/a/conv/{number}");
    for number in 0..Connects::MOST_OPENING {
        let connect = format!("40{},", path(number));
        assert_eq!(hear(&session, &connect), Heard::Pass);
    }
    assert_eq!(hear(&session, "40"), Heard::Wait);
    session.connects.opened(&path(0));
    assert_eq!(hear(&session, "40"), Heard::Pass);
}

#[tokio::test]
async fn who_talks_too_much_is_kept_waiting() {
    let (session, _) = session();
    let said = (0..2_000).take_while(|_| hear(&session, "3") == Heard::Pass);
    let said = said.count();
    assert!((1_024..1_500).contains(&said), "{said}");
}
