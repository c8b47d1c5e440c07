//! Which namespaces a session has opened, and what it may still say.
//!
//! Everything that a client sends passes here before the library hears it. The library ends the
//! session of a client that speaks in a namespace which it has not joined, but only if somebody
//! else has: who follows what would be anybody's to find out. It also makes a namespace for each
//! CONNECT before anyone has shown a token, however many there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::inbound::Inbound;
use super::namespaces::{Namespaces, Ticket};

/// The CONNECTs of one session.
pub(super) struct Connects {
    namespaces: Arc<Namespaces>,
    state: Mutex<State>,
}

struct State {
    places: HashMap<Box<str>, Place>,
    opening: usize,
    refused: usize,
    /// Since when nothing is open, nor opening.
    idle_since: Option<Instant>,
    /// What the client may still say at once.
    allowance: f64,
    refilled: Instant,
}

/// A namespace of this session.
enum Place {
    /// It is being decided. The ticket waits for the socket that will hold it.
    Opening {
        since: Instant,
        ticket: Option<Ticket>,
    },
    Open,
}

/// What becomes of something that a client has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// The library is to hear it.
    Pass,
    /// It has no effect.
    Ignore,
    /// It has to wait until what was said before is done.
    Wait,
    /// It was the last word of a session that has been refused too often. The library is to hear it.
    Last,
}

impl Connects {
    /// How many conversations one connection may follow.
    pub(super) const MOST: usize = 256;
    /// After how many refused CONNECTs the connection is closed.
    const MOST_REFUSED: usize = 10;
    /// How many CONNECTs of one session are decided at a time.
    const MOST_OPENING: usize = 16;
    /// When a CONNECT that was not decided counts as lost: longer than any way to check a token.
    const LOST_AFTER: Duration = Duration::from_secs(15);
    /// How many messages a client may send at once: all its CONNECTs, and more. Agents send their
    /// tokens, pongs and little else.
    const BURST: f64 = 1024.0;
    /// How many messages a second it may send for long.
    const RATE: f64 = 64.0;

    pub(super) fn new(namespaces: Arc<Namespaces>) -> Self {
        let now = Instant::now();
        Self {
            namespaces,
            state: Mutex::new(State {
                places: HashMap::new(),
                opening: 0,
                refused: 0,
                idle_since: Some(now),
                allowance: Self::BURST,
                refilled: now,
            }),
        }
    }

    /// Decides about the beginning of a message. `room`: whether an answer would find room.
    pub(super) fn hear(&self, message: &[u8], room: impl FnOnce() -> bool) -> Heard {
        let mut state = self.lock();
        if state.refused >= Self::MOST_REFUSED {
            return Heard::Ignore;
        }
        let now = Instant::now();
        let elapsed = now - std::mem::replace(&mut state.refilled, now);
        state.allowance = (state.allowance + elapsed.as_secs_f64() * Self::RATE).min(Self::BURST);
        if state.allowance < 1.0 {
            return Heard::Wait;
        }
        let heard = match Inbound::read(message) {
            Inbound::Engine => Heard::Pass,
            Inbound::Unwanted => Heard::Ignore,
            Inbound::Connect(path) => self.connect(&mut state, path, room, now),
            Inbound::Disconnect(path) => match state.places.get(path) {
                Some(Place::Open) => {
                    state.forget(path);
                    Heard::Pass
                }
                _ => Heard::Ignore,
            },
            Inbound::Event(path) => match state.places.get(path) {
                Some(Place::Open) => Heard::Pass,
                _ => Heard::Ignore,
            },
        };
        if heard != Heard::Wait {
            state.allowance -= 1.0;
        }
        heard
    }

    fn connect(
        &self,
        state: &mut State,
        path: &str,
        room: impl FnOnce() -> bool,
        now: Instant,
    ) -> Heard {
        if state.opening >= Self::MOST_OPENING {
            state.give_up_lost(now);
        }
        if state.places.contains_key(path) {
            return Heard::Ignore;
        }
        if state.opening >= Self::MOST_OPENING || !room() {
            return Heard::Wait;
        }
        let ticket = match path {
            "/" => None,
            _ if is_conversation(path) => Some(self.namespaces.enter(path)),
            // `Invalid namespace`, says the library.
            _ => return state.refuse(),
        };
        let place = Place::Opening { since: now, ticket };
        state.places.insert(path.into(), place);
        state.opening += 1;
        state.idle_since = None;
        Heard::Pass
    }

    /// The ticket of a namespace that is being opened, for the socket to hold.
    pub(super) fn ticket(&self, path: &str) -> Option<Ticket> {
        match self.lock().places.get_mut(path) {
            Some(Place::Opening { ticket, .. }) => ticket.take(),
            _ => None,
        }
    }

    /// A CONNECT was granted.
    pub(super) fn opened(&self, path: &str) {
        let mut state = self.lock();
        if let Some(place @ Place::Opening { .. }) = state.places.get_mut(path) {
            *place = Place::Open;
            state.opening -= 1;
        }
    }

    /// A CONNECT was refused. `Last`: once too often.
    pub(super) fn refused(&self, path: &str) -> Heard {
        let mut state = self.lock();
        state.forget(path);
        state.refuse()
    }

    /// A CONNECT was refused that does not speak against the client, or the server has closed what
    /// was open.
    pub(super) fn closed(&self, path: &str) {
        self.lock().forget(path);
    }

    /// Whether the session may follow another conversation, besides those that are being opened.
    pub(super) fn is_full(&self) -> bool {
        let state = self.lock();
        state.places.len() - state.opening >= Self::MOST
    }

    /// For how long the session has followed nothing.
    pub(super) fn idle(&self) -> Duration {
        let since = self.lock().idle_since;
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, path: &str) {
        if let Some(Place::Opening { .. }) = self.places.remove(path) {
            self.opening -= 1;
        }
        if self.places.is_empty() {
            self.places = HashMap::new();
            self.idle_since.get_or_insert_with(Instant::now);
        }
    }

    fn refuse(&mut self) -> Heard {
        self.refused += 1;
        if self.refused >= Connects::MOST_REFUSED {
            Heard::Last
        } else {
            Heard::Pass
        }
    }

    /// The library takes no notice of a CONNECT that comes while it still cleans up after the one
    /// before; that one must not take a place for ever.
    fn give_up_lost(&mut self, now: Instant) {
        let before = self.places.len();
        self.places.retain(|_, place| match place {
            Place::Opening { since, .. } => now - *since < Connects::LOST_AFTER,
            Place::Open => true,
        });
        self.opening -= before - self.places.len();
    }
}

/// Whether the path is that of a conversation's namespace, with whatever in place of the ids.
fn is_conversation(path: &str) -> bool {
    let ids = path
        .strip_prefix("/tenant/")
        .and_then(|rest| rest.split_once("/conv/"));
    ids.is_some_and(|(tenant, conversation)| {
        let is_segment = |text: &str| !text.is_empty() && !text.contains('/');
        is_segment(tenant) && is_segment(conversation)
    })
}

impl std::fmt::Debug for Connects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        f.debug_struct("Connects")
            .field("places", &state.places.len())
            .field("opening", &state.opening)
            .field("refused", &state.refused)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use socketioxide::SocketIo;

    use super::*;

    const DOOR: &str = "/tenant/acme/conv/c-1";

    fn connects() -> (Connects, SocketIo) {
        let (_, io) = SocketIo::new_layer();
        let namespaces = Namespaces::new(&io, |io, path| {
            io.ns(path, async || {});
        });
        (Connects::new(namespaces), io)
    }

    fn hear(connects: &Connects, message: &str) -> Heard {
        connects.hear(message.as_bytes(), || true)
    }

    #[tokio::test]
    async fn only_what_is_open_is_spoken_in_and_left() {
        let (connects, _) = connects();
        for door in ["/", DOOR] {
            let event = format!(r#"42{door},["x"]"#);
            let leave = format!("41{door},");
            assert_eq!(hear(&connects, &event), Heard::Ignore);
            assert_eq!(hear(&connects, &leave), Heard::Ignore);
            assert_eq!(hear(&connects, &format!("40{door},{{}}")), Heard::Pass);
            assert_eq!(hear(&connects, &event), Heard::Ignore);
            assert_eq!(hear(&connects, &leave), Heard::Ignore);
            connects.opened(door);
            assert_eq!(hear(&connects, &event), Heard::Pass);
            assert_eq!(hear(&connects, &format!("40{door},{{}}")), Heard::Ignore);
            assert_eq!(hear(&connects, &leave), Heard::Pass);
            assert_eq!(hear(&connects, &event), Heard::Ignore);
        }
    }

    #[tokio::test]
    async fn a_namespace_is_there_before_its_connect_is_heard() {
        let (connects, io) = connects();
        assert_eq!(hear(&connects, &format!("40{DOOR},")), Heard::Pass);
        assert!(io.of(DOOR).is_some());
        assert_eq!(connects.refused(DOOR), Heard::Pass);
        while io.of(DOOR).is_some() {
            tokio::task::yield_now().await;
        }
        for path in ["/tenant/a", "/tenant//conv/b", "/tenant/a/conv/b/c", "/x"] {
            assert_eq!(hear(&connects, &format!("40{path},")), Heard::Pass);
            assert!(io.of(path).is_none());
        }
    }

    #[tokio::test]
    async fn the_tenth_refusal_is_the_last_word() {
        let (connects, _) = connects();
        for _ in 0..5 {
            assert_eq!(hear(&connects, "40/admin,"), Heard::Pass);
        }
        for _ in 0..4 {
            assert_eq!(hear(&connects, "40"), Heard::Pass);
            assert_eq!(connects.refused("/"), Heard::Pass);
        }
        assert_eq!(hear(&connects, "40"), Heard::Pass);
        assert_eq!(connects.refused("/"), Heard::Last);
        assert_eq!(hear(&connects, "40"), Heard::Ignore);
        assert_eq!(hear(&connects, "2"), Heard::Ignore);
    }

    #[tokio::test]
    async fn connects_wait_for_those_before_them_and_for_room() {
        let (connects, _) = connects();
        assert_eq!(connects.hear(b"40", || false), Heard::Wait);
        let path = |number: usize| format!("/tenant/a/conv/{number}");
        for number in 0..Connects::MOST_OPENING {
            let connect = format!("40{},", path(number));
            assert_eq!(hear(&connects, &connect), Heard::Pass);
        }
        assert_eq!(hear(&connects, "40"), Heard::Wait);
        connects.opened(&path(0));
        assert_eq!(hear(&connects, "40"), Heard::Pass);
    }

    #[tokio::test]
    async fn who_talks_too_much_is_kept_waiting() {
        let (connects, _) = connects();
        let said = (0..2_000).take_while(|_| hear(&connects, "3") == Heard::Pass);
        let said = said.count();
        assert!((1_024..1_500).contains(&said), "{said}");
    }
}
