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

/// The sessions that are let in to be told that there is no room: they take moments.
const TOLD: Bounds = Bounds {
    all: 256,
    address: 8,
    rate: 0,
};

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
    /// There is not even one to be told in.
    pub(super) fn take(&self, address: IpAddr) -> Result<Place, Full> {
        let full = match self.sessions.take(address) {
            Ok(slot) => {
                return Ok(Place {
                    slot: Mutex::new(Some(slot)),
                    address,
                    over_limit: false,
                });
            }
            Err(full) => full,
        };
        self.counts.over_limit.of(full).count();
        debug!(%full, %address, "a session is over a limit");
        if full == Full::All {
            self.log();
        }
        match self.told.take(address) {
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

    fn log(&self) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|logged| logged.elapsed() >= LOG_EVERY) {
            *logged = Some(Instant::now());
            warn!("MAX_CONNECTIONS is reached: new sessions are refused");
        }
    }
}
