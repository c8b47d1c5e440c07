//! What a session may say, and what becomes of its CONNECTs.

use std::sync::Arc;

use socketioxide::SocketIo;

use super::super::namespaces::Namespaces;
use super::*;
use Verdict::{Ignore, Pass, Wait};

const OWN: &str = "/tenant/acme/conv/c-1";

/// The member of a granted CONNECT.
fn member(admission: &str) -> &'static str {
    assert_eq!(admission, "admission");
    "member"
}

struct Session {
    table: NamespaceTable<&'static str, &'static str>,
    namespaces: Arc<Namespaces>,
    io: SocketIo,
}

impl Session {
    fn new() -> Self {
        let (_, io) = SocketIo::new_layer();
        let namespaces = Namespaces::new(&io, |io, path| {
            io.ns(path, async || {});
        });
        Self {
            table: NamespaceTable::new(Instant::now()),
            namespaces,
            io,
        }
    }

    fn hear(&mut self, message: &str) -> Verdict {
        self.hear_with(message.as_bytes(), true)
    }

    fn hear_with(&mut self, message: &[u8], room: bool) -> Verdict {
        let Self {
            table, namespaces, ..
        } = self;
        let enter = |path: &str| namespaces.enter(path);
        table.inbound(message, Instant::now(), enter, || room).0
    }

    /// The library makes a socket and lets it in; with the socket's number.
    fn admitted(&mut self, path: &str) -> u64 {
        let (socket, _) = self.table.socket_created(path).unwrap();
        assert!(self.table.grant(path, "admission"));
        assert_eq!(self.table.admitted(path, true, member), Some("member"));
        socket
    }
}

#[tokio::test]
async fn only_what_is_open_is_spoken_in_and_left() {
    let mut session = Session::new();
    for path in ["/", OWN] {
        let event = format!(r#"42{path},["x"]"#);
        let leave = format!("41{path},");
        assert_eq!(session.hear(&event), Ignore);
        assert_eq!(session.hear(&leave), Ignore);
        let connect = format!("40{path},{{}}");
        assert_eq!(session.hear(&connect), Pass);
        // Until it is known whether it is open.
        assert_eq!(session.hear(&event), Wait(None));
        assert_eq!(session.hear(&leave), Wait(None));
        let socket = session.admitted(path);
        assert_eq!(session.hear(&event), Pass);
        assert_eq!(session.hear(&connect), Ignore);
        assert_eq!(session.hear(&leave), Pass);
        assert_eq!(session.hear(&event), Ignore);
        // The library is not done with the socket.
        assert_eq!(session.hear(&connect), Wait(None));
        session.table.socket_removed(socket);
        assert_eq!(session.hear(&connect), Pass);
    }
}

#[tokio::test]
async fn who_is_disconnected_comes_back_when_that_is_done() {
    let mut session = Session::new();
    for path in ["/", OWN] {
        let connect = format!("40{path},{{}}");
        assert_eq!(session.hear(&connect), Pass);
        let socket = session.admitted(path);
        assert_eq!(session.table.leave(path), Some("member"));
        session.table.disconnect_sent(path);
        assert_eq!(session.hear(&format!("42{path},[]")), Ignore);
        assert_eq!(session.hear(&connect), Wait(None));
        assert!(session.table.take_sent_disconnect(path));
        assert!(!session.table.take_sent_disconnect(path));
        session.table.socket_removed(socket);
        assert_eq!(session.hear(&connect), Pass);
        session.admitted(path);
        // What is reported of the socket before does not end this one.
        session.table.socket_removed(socket);
        assert_eq!(session.hear(&connect), Ignore);
    }
}

#[tokio::test]
async fn a_member_joins_when_its_answer_is_on_its_way() {
    let mut session = Session::new();
    for answer_comes_first in [true, false] {
        let path = format!("{OWN}{answer_comes_first}");
        assert_eq!(session.hear(&format!("40{path},")), Pass);
        session.table.socket_created(&path).unwrap();
        assert!(session.table.grant(&path, "admission"));
        if answer_comes_first {
            assert_eq!(session.table.answered(&path), None);
            let admitted = session.table.admitted(&path, false, member);
            assert_eq!(admitted, Some("member"));
        } else {
            assert_eq!(session.table.admitted(&path, false, member), None);
            assert_eq!(session.table.members().count(), 1, "the first alone");
            assert_eq!(session.table.answered(&path), Some("member"));
        }
        assert_eq!(session.table.answered(&path), None);
    }
    assert_eq!(session.table.members().count(), 2);
    assert_eq!(session.table.close(), ["member"; 2]);
}

#[tokio::test]
async fn a_namespace_is_there_before_its_connect_is_heard() {
    let mut session = Session::new();
    let connect = format!("40{OWN},");
    assert_eq!(session.hear(&connect), Pass);
    assert!(session.io.of(OWN).is_some());
    let (socket, guard) = session.table.socket_created(OWN).unwrap();
    session.table.refuse(OWN, true);
    // The library is not done with the first.
    assert_eq!(session.hear(&connect), Wait(None));
    drop(guard);
    session.table.socket_removed(socket);
    while session.io.of(OWN).is_some() {
        tokio::task::yield_now().await;
    }
    for path in ["/tenant/a", "/tenant//conv/b", "/tenant/a/conv/b/c", "/x"] {
        assert_eq!(session.hear(&format!("40{path},")), Pass);
        assert!(session.io.of(path).is_none());
    }
}

#[tokio::test]
async fn the_tenth_refusal_is_the_last_word() {
    let mut session = Session::new();
    for _ in 0..5 {
        assert_eq!(session.hear("40/admin,"), Pass);
    }
    for number in 0..4 {
        let path = format!("/tenant/a/conv/{number}");
        assert_eq!(session.hear(&format!("40{path},")), Pass);
        session.table.refuse(&path, true);
    }
    for _ in 0..9 {
        assert!(!session.table.refusal_answered());
    }
    assert_eq!(session.hear("40"), Pass);
    session.table.refuse("/", true);
    assert_eq!(session.hear("40"), Ignore);
    assert_eq!(session.hear("2"), Ignore);
    assert!(session.table.refusal_answered());
    // One that is seen in part only is none that could be asked for.
    let long = format!("40/tenant/a/conv/{}", "é".repeat(PREFIX));
    for length in PREFIX - 1..=PREFIX {
        let mut session = Session::new();
        let seen = &long.as_bytes()[..length];
        for _ in 0..10 {
            assert_eq!(session.hear_with(seen, true), Pass);
        }
        assert_eq!(session.hear_with(seen, true), Ignore);
    }
}

#[tokio::test]
async fn connects_wait_for_those_before_them_and_for_room() {
    let mut session = Session::new();
    assert_eq!(session.hear_with(b"40", false), Wait(None));
    let path = |number: usize| format!("/tenant/a/conv/{number}");
    for number in 0..NamespaceTable::<&str, &str>::MAX_DECIDING {
        let connect = format!("40{},", path(number));
        assert_eq!(session.hear(&connect), Pass);
    }
    assert_eq!(session.hear("40"), Wait(None));
    session.admitted(&path(0));
    assert_eq!(session.hear("40"), Pass);
}

#[tokio::test]
async fn who_talks_too_much_is_kept_waiting_until_it_may_go_on() {
    let mut session = Session::new();
    let passed = (0..2_000).take_while(|_| session.hear("3") == Pass);
    let passed = passed.count();
    assert!((1_024..1_500).contains(&passed), "{passed}");
    let Wait(Some(until)) = session.hear("3") else {
        panic!("it goes on at once");
    };
    let Session {
        table, namespaces, ..
    } = &mut session;
    let enter = |path: &str| namespaces.enter(path);
    assert_eq!(table.inbound(b"3", until, enter, || true).0, Pass);
}
