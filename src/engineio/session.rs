//! One Engine.IO session: what carries it, what waits for its client, and how it ends.
//!
//! ```text
//!  library ── frames ─────────┐
//!  (open, ping, CONNECT, ack) ├─ Session ── one WebSocket ── client
//!  events ── frames, Bytes ───┘
//! ```
//!
//! The task that pushes an event writes it on the spot, with [`Session::flush`]. Only a socket that would
//! block gets a task, which ends when everything is written, or the session when its client takes
//! nothing for as long as it may be silent.
//!
//! To close a session is to end its transport: the client sees `transport close` and connects again
//! ("io server disconnect", which the library would say, makes the official client stay away). What
//! waits goes out before; when a session is aborted, it does not.

mod ending;
mod pushing;
mod writing;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::outbound::Outbound;
use super::protocol::{Protocol, Verdict};
use super::registration::Registration;
use super::sessions::Sessions;
use crate::lock::Mutex;
use crate::net::UpgradedConnection;

pub use pushing::{OutboundEvent, Pushed};

/// A session that speaks `P`. It lives as long as the handshake's request, which the library keeps.
pub struct Session<P: Protocol> {
    pub(super) number: u64,
    pub(super) sessions: Weak<Sessions<P>>,
    registration: Registration,
    /// Known of sessions that began with polling.
    sid: OnceLock<String>,
    /// What the session speaks.
    pub protocol: P,
    /// How long the client may take nothing of what waits for it.
    timeout: Duration,
    phase: AtomicU8,
    state: Mutex<SessionState>,
    /// Held by the post that is being answered.
    posting: Semaphore,
    /// The library has pinged the client before its time, and is to be answered in its place.
    pub(super) pong_due: AtomicBool,
    /// The library's reader, which waits for the client, or for a packet that cannot pass yet.
    pub(super) reader: AtomicWaker,
    /// Something has changed that a task may wait for: room, the phase, which packets may pass.
    changed: Notify,
}

#[derive(Default)]
struct SessionState {
    outbound: Outbound,
    /// The WebSocket's connection, once there is one.
    connection: Option<Arc<UpgradedConnection>>,
    /// Whether there has been one.
    attached: bool,
    /// What the library writes first has not come: its OPEN packet and its first ping.
    opening: bool,
    /// Something was pushed since the last flush.
    unflushed: bool,
    /// A task writes.
    writing: bool,
    /// Somebody has found no room, and waits for it.
    awaited: bool,
    /// The library's writer, which waits for room.
    library: Option<Waker>,
}

/// The phases of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum SessionPhase {
    Open,
    /// What waits goes out, and then it ends.
    Closing,
    /// It has ended, and what waited is thrown away.
    Closed,
}

impl<P: Protocol> Session<P> {
    pub(super) fn new(
        number: u64,
        sessions: Weak<Sessions<P>>,
        registration: Registration,
        protocol: P,
        timeout: Duration,
    ) -> Self {
        Self {
            number,
            sessions,
            registration,
            sid: OnceLock::new(),
            protocol,
            timeout,
            phase: AtomicU8::new(SessionPhase::Open as u8),
            state: Mutex::default(),
            posting: Semaphore::new(1),
            pong_due: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            changed: Notify::new(),
        }
    }

    /// Whether the session is over a limit, and only carries the notice.
    pub fn is_over_limit(&self) -> bool {
        self.registration.over_limit
    }

    /// The client's address.
    pub fn address(&self) -> IpAddr {
        self.registration.address
    }

    /// Begins a post, of which a session has one at a time; `None`: another one is being answered.
    pub(super) fn begin_post(&self) -> Option<SemaphorePermit<'_>> {
        self.posting.try_acquire().ok()
    }

    /// Whether the session began with polling.
    pub fn began_with_polling(&self) -> bool {
        self.sid.get().is_some()
    }

    /// Whether nothing more is taken from the client.
    pub fn is_ending(&self) -> bool {
        self.phase.load(Ordering::Acquire) != SessionPhase::Open as u8
    }

    /// Whether the session has ended.
    pub fn is_closed(&self) -> bool {
        self.phase.load(Ordering::Acquire) == SessionPhase::Closed as u8
    }

    /// Whether the session has, or had, a WebSocket.
    pub fn is_attached(&self) -> bool {
        self.state.lock().attached
    }

    /// Whether events are frames, which the session sends itself.
    pub fn is_framed(&self) -> bool {
        self.state.lock().outbound.is_framed()
    }

    /// Wakes the tasks that wait for a packet to pass, or for another change.
    pub fn wake(&self) {
        self.changed.notify_waiters();
        self.reader.wake();
    }

    /// Waits for something to change.
    pub(super) async fn wait_for(&self, mut is_so: impl FnMut() -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the check, so that a change in between is seen.
            changed.as_mut().enable();
            if is_so() {
                return;
            }
            changed.await;
        }
    }

    /// Decides whether a packet of the client's, of which this is the beginning, passes.
    pub(super) fn inbound(self: &Arc<Self>, beginning: &[u8]) -> Verdict {
        match self.is_ending() {
            true => Verdict::Ignore,
            false => P::inbound(self, beginning),
        }
    }

    /// The session's WebSocket has come; false if it has one.
    pub(super) fn attach(&self) -> bool {
        let attached = std::mem::replace(&mut self.state.lock().attached, true);
        self.wake();
        !attached
    }

    /// The connection has become the session's. `answer`: what is to be sent with the first frame.
    pub(super) fn connect(
        &self,
        connection: Arc<UpgradedConnection>,
        is_upgrade: bool,
        answer: &[u8],
    ) {
        let mut state = self.state.lock();
        if self.is_closed() {
            connection.abort();
        }
        state.connection = Some(connection);
        state.outbound.push_control(answer);
        if !is_upgrade {
            state.outbound.set_framed();
            state.opening = true;
        }
    }

    /// From here on, the WebSocket carries the session.
    pub(super) fn upgraded(&self) {
        self.state.lock().outbound.set_framed();
        self.changed.notify_waiters();
    }

    /// Whether everything has been written, so that a closing session can end.
    pub(super) fn is_written(&self) -> bool {
        let state = self.state.lock();
        state.outbound.is_written() || state.connection.is_none()
    }

    /// Waits until what waits for the client has been written, or the session has ended. What a client has to
    /// poll for is not waited for.
    pub async fn written(&self) {
        self.wait_for(|| self.is_written()).await;
    }

    pub(super) fn named(&self, sid: String) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.name(&sid, self.number);
            self.sid.set(sid).ok();
        }
    }

    pub(super) fn sid(&self) -> Option<&str> {
        self.sid.get().map(String::as_str)
    }
}

impl<P: Protocol> Drop for Session<P> {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.forget(self.number, self.sid());
        }
    }
}
