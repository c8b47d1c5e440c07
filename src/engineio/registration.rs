//! How many sessions there may be, and what becomes of those beyond.
//!
//! Whoever is over a limit is told so where clients listen: by `connect_error`, for which there
//! has to be a session. So there is some room for sessions that are only let in to be told, and
//! past that a plain HTTP error, which a client cannot read but waits after.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::counts::Counts;
use crate::net::{Bounds, Full, Limits, Slot, Slots};

/// Connections and sessions that are let in to be told something: they take moments.
const TOLD: Bounds = Bounds {
    all: 256,
    address: 128,
    rate: 0,
};

/// How many of an address's may be sessions, which poll: each costs as much as any other. A
/// WebSocket that carries none costs little, and all agents of an office have one address.
const SESSIONS_TOLD: usize = 8;

/// Registers sessions, as many as there may be.
#[derive(Debug)]
pub struct Registrations {
    sessions: Arc<Slots>,
    told: Arc<Slots>,
    counts: Arc<Counts>,
    /// When it was last logged that there are too many.
    logged: Mutex<Option<Instant>>,
}

/// How often that is logged, at most.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// That a session counts, for as long as it is kept.
#[derive(Debug)]
pub struct Registration {
    slot: Mutex<Option<Slot>>,
    /// The client's address.
    pub(super) address: IpAddr,
    /// Whether it is here only to be told that it is one too many.
    pub(super) over_limit: bool,
}

impl Registration {
    /// Ends before the session is let go.
    pub(super) fn give_back(&self) {
        let slot = self.slot.lock();
        slot.unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Registrations {
    /// As many as `limits` say.
    pub fn new(limits: &Limits, counts: Arc<Counts>) -> Self {
        Self {
            sessions: Slots::new(limits.sessions),
            told: Slots::new(TOLD),
            counts,
            logged: Mutex::default(),
        }
    }

    /// Registers a session of a client at `address`.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Registration, Full> {
        match self.sessions.take(address) {
            Ok(slot) => Ok(Registration {
                slot: Mutex::new(Some(slot)),
                address,
                over_limit: false,
            }),
            Err(full) => {
                self.counts.over_limit.of(full).count();
                debug!(%full, %address, "a session is over a limit");
                if full == Full::All {
                    self.log();
                }
                Err(full)
            }
        }
    }

    /// The same, or one that is only to be told that it is one too many.
    ///
    /// # Errors
    /// The limit that is exceeded, with no room even to say so.
    pub(super) fn register(&self, address: IpAddr) -> Result<Registration, Full> {
        if let Ok(registration) = self.admit(address) {
            return Ok(registration);
        }
        match self.told.take_one_of(SESSIONS_TOLD, address) {
            Ok(slot) => Ok(Registration {
                slot: Mutex::new(Some(slot)),
                address,
                over_limit: true,
            }),
            Err(full) => {
                self.counts.turned_away.count();
                Err(full)
            }
        }
    }

    /// Room to tell a client at `address` something over a WebSocket that carries no session.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn room_to_tell(&self, address: IpAddr) -> Result<Slot, Full> {
        self.told.take(address)
    }

    /// A client was answered with an HTTP error, for want of room to be told.
    pub(super) fn turned_away(&self) {
        self.counts.turned_away.count();
    }

    fn log(&self) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            *logged = Some(Instant::now());
            warn!("MAX_CONNECTIONS is reached: new sessions are refused");
        }
    }
}
