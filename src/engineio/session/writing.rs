//! How a session writes: the library's frames and those of events, in turn.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use tokio::time::timeout;
use tracing::debug;

use super::{Session, SessionState};
use crate::engineio::open::Open;
use crate::engineio::outbound::Outbound;
use crate::engineio::protocol::Protocol;
use crate::net::UpgradedConnection;

/// What becomes of a packet of the library's.
enum Rewritten {
    As(String),
    Dropped,
    Unchanged,
}

impl<P: Protocol> Session<P> {
    /// The library has written these frames: they go out ahead of events, unless the protocol keeps
    /// one of them back. False: there is no room, and `waker` is woken when there is.
    ///
    /// # Errors
    /// The session has ended.
    pub(in crate::engineio) fn write_control(
        self: &Arc<Self>,
        frames: &[u8],
        waker: &Waker,
    ) -> io::Result<bool> {
        let mut state = self.state.lock();
        if self.is_closed() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if !state.outbound.has_control_room() {
            state.library = Some(waker.clone());
            return Ok(false);
        }
        drop(state);
        // What the protocol does about a packet, such as a member that joins, comes after the packet.
        let mut passed = 0;
        for frame in crate::frame::split(frames) {
            let whole = passed..passed + frame.whole.len();
            passed = whole.end;
            let Some(text) = frame.text else {
                self.state.lock().outbound.push_control(frame.whole);
                continue;
            };
            match self.rewritten(text) {
                Rewritten::As(packet) => {
                    let frame = crate::frame::text(&[packet.as_bytes()]);
                    self.state.lock().outbound.push_control(&frame);
                    continue;
                }
                Rewritten::Dropped => continue,
                Rewritten::Unchanged => {}
            }
            if P::passes(self, text) {
                self.state.lock().outbound.push_control(frame.whole);
            }
            self.outbound(text);
        }
        // The library writes whole frames; if it did not, they would have to stay together.
        let mut state = self.state.lock();
        state.outbound.push_control(&frames[passed..]);
        self.write(&mut state);
        Ok(true)
    }

    /// The beginning of what the library writes over a session's first WebSocket, put right. Its OPEN
    /// packet names a limit that is not that of clients, and its first ping comes at once, where a
    /// client expects a ping when the interval has passed.
    fn rewritten(&self, packet: &[u8]) -> Rewritten {
        let mut state = self.state.lock();
        if !state.opening {
            return Rewritten::Unchanged;
        }
        match packet {
            [b'0', ..] => match Open::correct(packet).and_then(|open| open.packet()) {
                Some(open) => Rewritten::As(open),
                None => Rewritten::Unchanged,
            },
            b"2" => {
                state.opening = false;
                self.pong_due.store(true, Ordering::Release);
                drop(state);
                self.reader.wake();
                Rewritten::Dropped
            }
            _ => Rewritten::Unchanged,
        }
    }

    /// A packet of the library's is on its way.
    pub(in crate::engineio) fn outbound(self: &Arc<Self>, packet: &[u8]) {
        if let [b'4', kind @ (b'0' | b'2' | b'4'), ..] = packet {
            let mut state = self.state.lock();
            // An answer, or an event: what was counted when it was asked for, or emitted.
            state.outbound.fetched();
            let room = state.take_room();
            drop(state);
            if room {
                self.changed.notify_waiters();
            }
            if *kind != b'2' {
                P::answered(self, packet);
                self.wake();
            }
        }
    }

    /// Writes what waits, as far as the kernel takes it, unless a task is at it.
    pub(super) fn write(self: &Arc<Self>, state: &mut SessionState) {
        if state.writing {
            return;
        }
        let Some(connection) = &state.connection else {
            return;
        };
        match write_out(&mut state.outbound, connection) {
            Ok(true) => {}
            Ok(false) => {
                state.writing = true;
                tokio::spawn(write_on(self.clone(), connection.clone()));
            }
            Err(_) => {
                self.fail(state);
                return;
            }
        }
        self.progress(state);
    }

    /// Wakes those that wait for room, or for everything to be written.
    fn progress(&self, state: &mut SessionState) {
        if state.take_room() {
            self.changed.notify_waiters();
        }
        if let Some(library) = state.library.take_if(|_| state.outbound.has_control_room()) {
            library.wake();
        }
        if state.outbound.is_written() && self.is_ending() {
            self.wake();
        }
    }
}

/// Writes as much as the kernel takes. True: all of it.
fn write_out(outbound: &mut Outbound, connection: &UpgradedConnection) -> io::Result<bool> {
    while !outbound.is_written() {
        let mut slices = [IoSlice::new(&[]); Outbound::SLICES];
        let count = outbound.slices(&mut slices);
        match connection.try_write(&slices[..count]) {
            Ok(written) => outbound.advance(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Writes whenever the kernel takes something, until everything is written.
async fn write_on<P: Protocol>(session: Arc<Session<P>>, connection: Arc<UpgradedConnection>) {
    loop {
        let writable = timeout(session.timeout, connection.writable()).await;
        if !matches!(writable, Ok(Ok(()))) {
            debug!("a client has stopped reading");
            session.abort();
            return;
        }
        let mut state = session.state.lock();
        match write_out(&mut state.outbound, &connection) {
            Ok(is_all) => {
                state.writing = !is_all;
                session.progress(&mut state);
                // The session may have ended meanwhile: lingering waits for this.
                if is_all {
                    session.wake();
                    return;
                }
            }
            Err(_) => {
                state.writing = false;
                return session.fail(&mut state);
            }
        }
    }
}
