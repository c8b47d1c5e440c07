//! How many sessions there may be, and what becomes of those beyond.
//!
//! A client over a limit gets a `connect_error`, which takes a session. So there is some room for
//! sessions that carry nothing but this notice, and past that a plain HTTP error, which a client
//! cannot read but waits after.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tracing::{debug, warn};

use super::counts::SessionCounts;
use crate::lock::Mutex;
use crate::net::{Bounds, LimitExceeded, Limits, Permit, Permits};
use crate::throttle::Throttle;

/// Connections and sessions that only carry a notice: they take moments.
const NOTICES: Bounds = Bounds {
    all: 256,
    address: 128,
    rate: 0,
};

/// How many of an address's notices may take a session, which polls and costs as much as any other.
/// A WebSocket without a session costs little, and all agents of an office have one address.
const NOTICE_SESSIONS: usize = 8;

/// Sessions that have ended without joining anything, which the library keeps until its connect timeout,
/// at about 8 KB each. Those beyond count as sessions for as long.
const ENDED: Bounds = Bounds {
    all: 4096,
    address: 0,
    rate: 0,
};

/// Registers sessions, as many as there may be.
#[derive(Debug)]
pub struct Registrations {
    sessions: Arc<Permits>,
    ended: Arc<Permits>,
    notices: Arc<Permits>,
    counts: Arc<SessionCounts>,
    log: Throttle<(), 60>,
}

/// A session's permit, for as long as the session is kept.
#[derive(Debug)]
pub struct Registration {
    permit: Mutex<Option<Permit>>,
    ended: Arc<Permits>,
    /// The client's address.
    pub(super) address: IpAddr,
    /// Whether the session is over a limit, and only carries the notice.
    pub(super) over_limit: bool,
}

impl Registration {
    /// Returns the permit before the session is dropped: for nothing, or, if the library keeps the
    /// session for a while, for one of those of ended sessions, if there is one.
    pub(super) fn release(&self, is_kept: bool) {
        let mut permit = self.permit.lock();
        if !is_kept {
            permit.take();
        } else if let Ok(ended) = self.ended.take(self.address) {
            *permit = Some(ended);
        }
    }
}

impl Registrations {
    /// As many as `limits` say.
    pub fn new(limits: &Limits, counts: Arc<SessionCounts>) -> Self {
        Self {
            sessions: Permits::new(limits.sessions),
            ended: Permits::new(ENDED),
            notices: Permits::new(NOTICES),
            counts,
            log: Throttle::default(),
        }
    }

    /// Registers a session of a client at `address`.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Registration, LimitExceeded> {
        match self.sessions.take(address) {
            Ok(permit) => Ok(Registration {
                permit: Mutex::new(Some(permit)),
                ended: self.ended.clone(),
                address,
                over_limit: false,
            }),
            Err(exceeded) => {
                self.counts.over_limit.count(&exceeded);
                debug!(limit = %exceeded, %address, "a session is over a limit");
                if exceeded == LimitExceeded::All && self.log.note(&()).is_some() {
                    warn!("MAX_CONNECTIONS is reached: new sessions are refused");
                }
                Err(exceeded)
            }
        }
    }

    /// The same, or a session that only carries the notice.
    ///
    /// # Errors
    /// The limit that is exceeded, with no room for the notice either.
    pub(super) fn register(&self, address: IpAddr) -> Result<Registration, LimitExceeded> {
        if let Ok(registration) = self.admit(address) {
            return Ok(registration);
        }
        match self
            .notices
            .take_within(NOTICE_SESSIONS, address, Instant::now())
        {
            Ok(permit) => Ok(Registration {
                permit: Mutex::new(Some(permit)),
                ended: self.ended.clone(),
                address,
                over_limit: true,
            }),
            Err(exceeded) => {
                self.counts.turned_away.count();
                Err(exceeded)
            }
        }
    }

    /// A permit for a notice to a client at `address`, over a WebSocket without a session.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(super) fn permit_notice(&self, address: IpAddr) -> Result<Permit, LimitExceeded> {
        self.notices.take(address)
    }

    /// A client was answered with an HTTP error, for want of a permit for the notice.
    pub(super) fn turned_away(&self) {
        self.counts.turned_away.count();
    }
}
