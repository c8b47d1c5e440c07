//! What a session has opened, is opening, and has just left.

use std::collections::HashMap;
use std::time::Instant;

use super::super::namespaces::Ticket;
use super::{Connects, Heard};

/// The namespaces of one session, and what else it may say.
pub(super) struct State {
    pub(super) places: HashMap<Box<str>, Place>,
    /// How many of them are being decided, and how many are open.
    pub(super) opening: usize,
    pub(super) open: usize,
    /// How many of those that are being decided are as good as open.
    pub(super) granted: usize,
    /// Whether one of them has ever been open.
    pub(super) joined: bool,
    pub(super) visits: u64,
    pub(super) refused: usize,
    /// Namespaces whose sockets have just gone.
    pub(super) left: Vec<(Box<str>, Instant)>,
    /// Since when nothing is open, nor opening.
    pub(super) idle_since: Option<Instant>,
    /// What the client may still say at once.
    pub(super) allowance: f64,
    pub(super) refilled: Instant,
}

/// A namespace of this session.
pub(super) struct Place {
    /// Tells visits to the same namespace apart.
    pub(super) visit: u64,
    pub(super) stage: Stage,
}

pub(super) enum Stage {
    /// The library is to make a socket, which will hold the ticket.
    Asked {
        since: Instant,
        ticket: Option<Ticket>,
    },
    /// There is a socket, and it is being decided.
    Visiting,
    /// It was decided for, and the client is about to hear so.
    Granted,
    Open,
    /// The server is about to close it. The client may answer that with another CONNECT before the
    /// library, or whoever closes it, is done.
    Leaving,
    /// It was decided against, and the library has not finished with it: it would take the next
    /// CONNECT for a repetition.
    Refused,
}

impl Stage {
    fn is_opening(&self) -> bool {
        matches!(self, Self::Asked { .. } | Self::Visiting | Self::Granted)
    }
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            places: HashMap::new(),
            opening: 0,
            open: 0,
            granted: 0,
            joined: false,
            visits: 0,
            refused: 0,
            left: Vec::new(),
            idle_since: Some(now),
            allowance: Connects::BURST,
            refilled: now,
        }
    }

    pub(super) fn is_open(&self, path: &str) -> bool {
        let place = self.places.get(path);
        place.is_some_and(|place| matches!(place.stage, Stage::Open))
    }

    pub(super) fn is_opening(&self, path: &str) -> bool {
        let place = self.places.get(path);
        place.is_some_and(|place| place.stage.is_opening())
    }

    pub(super) fn decide(&mut self, path: &str, stage: Stage) {
        if let Some(place) = self.places.get_mut(path)
            && place.stage.is_opening()
        {
            self.opening -= 1;
            self.granted -= usize::from(matches!(place.stage, Stage::Granted));
            if matches!(stage, Stage::Open) {
                self.open += 1;
                self.joined = true;
            }
            place.stage = stage;
        }
    }

    fn forget(&mut self, path: &str) {
        match self.places.remove(path).map(|place| place.stage) {
            Some(Stage::Asked { .. } | Stage::Visiting) => self.opening -= 1,
            Some(Stage::Granted) => {
                self.opening -= 1;
                self.granted -= 1;
            }
            Some(Stage::Open | Stage::Leaving) => self.open -= 1,
            Some(Stage::Refused) | None => {}
        }
        if self.places.is_empty() {
            self.places = HashMap::new();
            self.idle_since.get_or_insert_with(Instant::now);
        }
    }

    /// Forgets what the library may remember for a moment.
    pub(super) fn leave(&mut self, path: &str, now: Instant) {
        self.forget(path);
        self.left.retain(|(left, _)| **left != *path);
        self.left.push((path.into(), now));
    }

    pub(super) fn refuse(&mut self) -> Heard {
        self.refused += 1;
        if self.refused >= Connects::MOST_REFUSED {
            Heard::Last
        } else {
            Heard::Pass
        }
    }

    pub(super) fn has_just_left(&mut self, path: &str, now: Instant) -> bool {
        self.left
            .retain(|(_, at)| now.saturating_duration_since(*at) < Connects::FORGOTTEN_AFTER);
        self.left.iter().any(|(left, _)| **left == *path)
    }
}
