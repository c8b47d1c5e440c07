//! How a session ends: closed, aborted, left by its client, or dropped by the library.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Session, SessionPhase, SessionState};
use crate::engineio::protocol::Protocol;

impl<P: Protocol> Session<P> {
    /// Ends the session by ending its transport, when what waits for the client has gone out.
    pub fn close(&self) {
        self.enter(SessionPhase::Closing);
        self.wake();
    }

    /// Ends the session, and throws away what waits for the client.
    pub fn abort(&self) {
        self.fail(&mut self.state.lock());
    }

    /// The connection is broken: its reader notices as well.
    pub(super) fn fail(&self, state: &mut SessionState) {
        self.enter(SessionPhase::Closed);
        state.outbound.clear();
        if let Some(connection) = &state.connection {
            connection.abort();
        }
        if let Some(library) = state.library.take() {
            library.wake();
        }
        self.wake();
    }

    fn enter(&self, phase: SessionPhase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    /// Its client has left: the registration is free for another, though the library takes a moment
    /// to notice, and keeps a session that joined nothing until its connect timeout.
    pub(in crate::engineio) fn left(&self) {
        self.registration.release(!P::has_joined(self));
    }

    /// The library has dropped the WebSocket: the session is over, whether the library has noticed or
    /// not.
    pub(in crate::engineio) fn detach(self: &Arc<Self>) {
        let closing = self
            .phase
            .swap(SessionPhase::Closed as u8, Ordering::AcqRel)
            == SessionPhase::Closing as u8;
        let mut state = self.state.lock();
        // What was pushed and not flushed yet.
        self.write(&mut state);
        let connection = state.connection.take();
        drop(state);
        if closing && let Some(connection) = connection {
            let session = self.clone();
            connection.linger(async move {
                session
                    .wait_for(|| session.state.lock().outbound.is_written())
                    .await;
            });
        }
        self.over();
    }

    /// The session has ended: its members leave at once.
    pub(in crate::engineio) fn over(self: &Arc<Self>) {
        self.enter(SessionPhase::Closed);
        self.left();
        P::closed(self);
        self.wake();
    }
}
