//! Which namespaces a session has opened, and what it may still say.
//!
//! Everything that a client sends passes here before the library hears it. The library ends the
//! session of a client that speaks in a namespace which it has not joined, but only if somebody
//! else has: who follows what would be anybody's to find out. It also makes a namespace for each
//! CONNECT before anyone has shown a token, however many there are.

mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::inbound::Inbound;
use super::namespaces::{Namespaces, Ticket};
use super::transport::Transport;
use state::{Place, Stage, State};

/// The CONNECTs of one session.
pub(super) struct Connects {
    namespaces: Arc<Namespaces>,
    state: Mutex<State>,
}

/// A socket's visit to a namespace: kept as long as the socket lives.
pub(super) struct Visit {
    transport: Arc<Transport>,
    path: Box<str>,
    number: u64,
    /// What keeps the namespace.
    _ticket: Option<Ticket>,
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
    /// How long a namespace's path is that may have been seen in part only, in bytes: what is there
    /// then is not what the library hears.
    const LONGEST: usize = Inbound::PREFIX - "40".len() - char::MAX.len_utf8();
    /// After how many refused CONNECTs the connection is closed.
    const MOST_REFUSED: usize = 10;
    /// How many CONNECTs of one session are decided at a time.
    const MOST_OPENING: usize = 16;
    /// When a CONNECT of which the library has made nothing counts as lost.
    const LOST_AFTER: Duration = Duration::from_secs(5);
    /// How long the library may take to forget a socket that has gone, or the CONNECT of one that
    /// went at once: until then it takes a new CONNECT for a repetition, and does not answer.
    const FORGOTTEN_AFTER: Duration = Duration::from_millis(100);
    /// How many messages a client may send at once: all its CONNECTs, and more. Agents send their
    /// tokens, pongs and little else.
    const BURST: f64 = 1024.0;
    /// How many messages a second it may send for long.
    const RATE: f64 = 64.0;

    pub(super) fn new(namespaces: Arc<Namespaces>) -> Self {
        Self {
            namespaces,
            state: Mutex::new(State::new(Instant::now())),
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
            Inbound::Disconnect(path) | Inbound::Event(path) if state.is_opening(path) => {
                // The client may have its answer already, and whoever sent that not have said so:
                // what is ignored now would never be made good.
                Heard::Wait
            }
            Inbound::Disconnect(path) if state.is_open(path) => {
                state.leave(path, now);
                Heard::Pass
            }
            Inbound::Event(path) if state.is_open(path) => Heard::Pass,
            Inbound::Disconnect(_) | Inbound::Event(_) => Heard::Ignore,
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
        match state.places.get(path).map(|place| &place.stage) {
            None => {}
            Some(Stage::Leaving | Stage::Refused) => return Heard::Wait,
            Some(Stage::Asked { .. } | Stage::Visiting | Stage::Granted | Stage::Open) => {
                return Heard::Ignore;
            }
        }
        if state.has_just_left(path, now) {
            return Heard::Wait;
        }
        if state.opening >= Self::MOST_OPENING || !room() {
            return Heard::Wait;
        }
        let ticket = match path {
            "/" => None,
            _ if path.len() < Self::LONGEST && is_conversation(path) => {
                Some(self.namespaces.enter(path))
            }
            // `Invalid namespace`, says the library.
            _ => return state.refuse(),
        };
        let place = Place {
            visit: state.visits,
            stage: Stage::Asked { since: now, ticket },
        };
        state.visits += 1;
        state.places.insert(path.into(), place);
        state.opening += 1;
        state.idle_since = None;
        Heard::Pass
    }

    /// The visit to a namespace that is being opened, for its socket to hold.
    pub(super) fn visit(transport: &Arc<Transport>, path: &str) -> Option<Visit> {
        let mut state = transport.connects.lock();
        let place = state.places.get_mut(path)?;
        let Stage::Asked { ticket, .. } = &mut place.stage else {
            return None;
        };
        let ticket = ticket.take();
        place.stage = Stage::Visiting;
        Some(Visit {
            transport: transport.clone(),
            path: path.into(),
            number: place.visit,
            _ticket: ticket,
        })
    }

    /// A CONNECT was granted.
    pub(super) fn opened(&self, path: &str) {
        self.lock().decide(path, Stage::Open);
    }

    /// A CONNECT was refused. `Last`: once too often.
    pub(super) fn refused(&self, path: &str) -> Heard {
        let mut state = self.lock();
        state.decide(path, Stage::Refused);
        state.refuse()
    }

    /// A CONNECT was refused that does not speak against the client.
    pub(super) fn turned_away(&self, path: &str) {
        self.lock().decide(path, Stage::Refused);
    }

    /// The server is about to close what is open.
    pub(super) fn closing(&self, path: &str) {
        let mut state = self.lock();
        if let Some(place) = state.places.get_mut(path)
            && matches!(place.stage, Stage::Open)
        {
            place.stage = Stage::Leaving;
        }
    }

    /// The server has closed what it was about to.
    pub(super) fn closed(&self, path: &str) {
        let mut state = self.lock();
        let place = state.places.get(path);
        if place.is_some_and(|place| matches!(place.stage, Stage::Leaving)) {
            state.leave(path, Instant::now());
        }
    }

    /// Whether a CONNECT has ever been granted.
    pub(super) fn has_joined(&self) -> bool {
        self.lock().joined
    }

    /// Keeps a place for what is about to be opened; false if the session follows as many
    /// conversations as it may.
    pub(super) fn grant(&self, path: &str) -> bool {
        let mut state = self.lock();
        if state.open + state.granted >= Self::MOST {
            return false;
        }
        if let Some(place) = state.places.get_mut(path)
            && matches!(place.stage, Stage::Visiting)
        {
            place.stage = Stage::Granted;
            state.granted += 1;
        }
        true
    }

    /// Whether a CONNECT was lost, so that its client would wait in vain.
    pub(super) fn has_lost_one(&self) -> bool {
        let state = self.lock();
        state.opening > 0
            && state.places.values().any(|place| match place.stage {
                Stage::Asked { since, .. } => since.elapsed() >= Self::LOST_AFTER,
                _ => false,
            })
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

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.transport.connects.lock();
        let refused = state.places.get(&self.path).is_some_and(|place| {
            place.visit == self.number && matches!(place.stage, Stage::Refused)
        });
        if refused {
            state.leave(&self.path, Instant::now());
        }
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
mod tests;
