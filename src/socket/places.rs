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

/// Gives sessions their places.
#[derive(Debug)]
pub(super) struct Places {
    sessions: Arc<Slots>,
    told: Arc<Slots>,
    counts: Arc<Counts>,
    /// When the log was last told that there are too many.
    logged: Mutex<Option<Instant>>,
}

/// How often the log is told.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The place of a session, for as long as it is kept.
#[derive(Debug)]
pub(super) struct Place {
    slot: Mutex<Option<Slot>>,
    /// Whose it is.
    pub(super) address: IpAddr,
    /// Whether it has this place only to be told that it has none.
    pub(super) over_limit: bool,
}

impl Place {
    /// Gives the place back before the session is let go.
    pub(super) fn give_back(&self) {
        let slot = self.slot.lock();
        slot.unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Places {
    pub(super) fn new(limits: &Limits, counts: Arc<Counts>) -> Self {
        Self {
            sessions: Slots::new(limits.sessions),
            told: Slots::new(TOLD),
            counts,
            logged: Mutex::default(),
        }
    }

    /// A place for a session of a client at `address`.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Place, Full> {
        match self.sessions.take(address) {
            Ok(slot) => Ok(Place {
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

    /// The same, or one in which the session is told that it has none.
    ///
    /// # Errors
    /// There is not even one of those.
    pub(super) fn take(&self, address: IpAddr) -> Result<Place, Full> {
        if let Ok(place) = self.admit(address) {
            return Ok(place);
        }
        match self.told.take_one_of(SESSIONS_TOLD, address) {
            Ok(slot) => Ok(Place {
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

    fn log(&self) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|logged| logged.elapsed() >= LOG_EVERY) {
            *logged = Some(Instant::now());
            warn!("MAX_CONNECTIONS is reached: new sessions are refused");
        }
    }
}
