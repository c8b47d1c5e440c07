//! Events for a session, and the room that there is for them.

use std::sync::Arc;

use bytes::Bytes;

use super::{Session, SessionState};
use crate::engineio::protocol::Protocol;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It goes out by itself, or with what was queued before.
    Sent,
    /// It goes out with the next [`Session::flush`].
    Queued,
    /// There is no room for it now.
    Full,
    /// The session has ended.
    Closed,
}

/// An event for a session.
pub trait OutboundEvent {
    /// The frame for a WebSocket.
    fn frame(&self) -> Bytes;
    /// Emits it through the library, for a session that polls; with its length, in bytes.
    ///
    /// # Errors
    /// [`Pushed::Full`] or [`Pushed::Closed`].
    fn emit(&self) -> Result<usize, Pushed>;
}

impl<P: Protocol> Session<P> {
    /// Pushes an event, which goes out when the session is flushed.
    pub fn push(self: &Arc<Self>, event: &impl OutboundEvent) -> Pushed {
        if self.is_ending() {
            return Pushed::Closed;
        }
        let mut state = self.state.lock();
        if !state.has_room() {
            return Pushed::Full;
        }
        if !state.outbound.is_framed() {
            return match event.emit() {
                Ok(length) => {
                    state.outbound.emitted(length);
                    Pushed::Sent
                }
                Err(refused) => {
                    state.awaited = true;
                    refused
                }
            };
        }
        state.outbound.push_event(event.frame());
        if state.outbound.is_large() {
            self.write(&mut state);
        }
        match std::mem::replace(&mut state.unflushed, true) {
            true => Pushed::Sent,
            false => Pushed::Queued,
        }
    }

    /// Pushes the last frame of a membership, for which there is always room, and flushes. False:
    /// the session polls, and the library has to say it.
    pub fn push_last(self: &Arc<Self>, frame: impl FnOnce() -> Bytes) -> bool {
        let mut state = self.state.lock();
        if !state.outbound.is_framed() {
            return false;
        }
        if !self.is_closed() {
            state.outbound.push_event(frame());
            self.write(&mut state);
        }
        true
    }

    /// Sends what was pushed: with one system call, mostly.
    pub fn flush(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.unflushed = false;
        self.write(&mut state);
    }

    /// Waits until there is room, the session has ended, or `is_so` (of which somebody
    /// [wakes](Self::wake) the session).
    pub async fn room_or(&self, is_so: impl Fn() -> bool) {
        self.wait_for(|| is_so() || self.is_ending() || self.state.lock().has_room())
            .await;
    }

    /// The answer to a CONNECT of a session that polls: it takes up one of a poll's packets. False: it
    /// has to wait until the client has fetched others. (Once the WebSocket is there, polls fetch
    /// nothing more, and what is answered goes out when it carries the session.)
    pub fn expect_answer(&self) -> bool {
        let mut state = self.state.lock();
        if state.attached {
            if !state.outbound.is_framed() {
                state.outbound.emitted(0);
            }
            return true;
        }
        let has_room = state.has_room();
        if has_room {
            state.outbound.emitted(0);
        }
        has_room
    }
}

impl SessionState {
    /// Whether there is room. Whoever finds none is woken when there is.
    fn has_room(&mut self) -> bool {
        let has_room = self.outbound.has_room();
        self.awaited |= !has_room;
        has_room
    }

    /// Whether there is room that somebody waits for.
    pub(super) fn take_room(&mut self) -> bool {
        self.awaited && self.outbound.has_room() && std::mem::take(&mut self.awaited)
    }
}
