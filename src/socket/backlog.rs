//! How much of what was emitted to a session has not gone out yet.
//!
//! socketioxide's channel counts packets, says nothing of bytes, and has to have room for more
//! than ours: with no place for a ping it ends the session, and an upgrade from polling stands
//! still without one for its NOOP. So members leave some of it alone, and know from below what
//! has gone out: a WebSocket's bytes from its connection, a poll's packets from its answer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What waits in a session.
#[derive(Debug, Default)]
pub(super) struct Backlog(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// For each packet, how much the WebSocket will have written when it has gone out.
    ends: VecDeque<u64>,
    bytes: VecDeque<usize>,
    sum: usize,
    by_websocket: bool,
}

/// How a session's packets go out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// With the answers to polls.
    Polls,
    /// Over a connection that has written so many bytes.
    WebSocket(u64),
}

impl Backlog {
    /// Of a channel of 128: pings, CONNECTs and what other namespaces emit at the same moment find
    /// room in the rest.
    const WEBSOCKET_PACKETS: usize = 96;
    /// python-engineio refuses an answer of more than 16 packets.
    const POLLED_PACKETS: usize = 14;
    /// A packet beyond that waits for the others, however large it is.
    const BYTES: usize = 512 * 1024;

    /// Whether another packet may be emitted now.
    pub(super) fn has_room(&self, way: Way) -> bool {
        let mut waiting = self.lock();
        waiting.follow(way);
        let packets = match way {
            Way::Polls => Self::POLLED_PACKETS,
            Way::WebSocket(_) => Self::WEBSOCKET_PACKETS,
        };
        waiting.ends.len() < packets && waiting.sum < Self::BYTES
    }

    /// A packet of `length` bytes was emitted.
    pub(super) fn emitted(&self, way: Way, length: usize) {
        let mut waiting = self.lock();
        waiting.follow(way);
        let framed = length + frame_header(length);
        let start = match (waiting.ends.back(), way) {
            (Some(&end), _) => end,
            (None, Way::WebSocket(written)) => written,
            (None, Way::Polls) => 0,
        };
        waiting.ends.push_back(start + framed as u64);
        waiting.bytes.push_back(length);
        waiting.sum += length;
    }

    /// A poll was answered with so many packets.
    pub(super) fn polled(&self, packets: usize) {
        let mut waiting = self.lock();
        for _ in 0..packets {
            waiting.pop();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn follow(&mut self, way: Way) {
        let Way::WebSocket(written) = way else {
            return;
        };
        if !self.by_websocket {
            // Upgraded: the few that no poll has fetched go out first, and are let go here.
            *self = Self {
                by_websocket: true,
                ..Self::default()
            };
        }
        while self.ends.front().is_some_and(|&end| end <= written) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        self.ends.pop_front();
        self.sum -= self.bytes.pop_front().unwrap_or_default();
    }
}

/// The header of a server's WebSocket frame (RFC 6455, section 5.2), in bytes.
const fn frame_header(length: usize) -> usize {
    match length {
        0..=125 => 2,
        126..=65_535 => 4,
        _ => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_has_room_again_when_its_bytes_are_written() {
        let backlog = Backlog::default();
        let mut emitted = 0;
        while backlog.has_room(Way::WebSocket(1_000)) {
            backlog.emitted(Way::WebSocket(1_000), 100);
            emitted += 1;
        }
        assert_eq!(emitted, Backlog::WEBSOCKET_PACKETS);
        assert!(!backlog.has_room(Way::WebSocket(1_101)));
        assert!(backlog.has_room(Way::WebSocket(1_102)));
        backlog.emitted(Way::WebSocket(1_102), 100);
        assert!(!backlog.has_room(Way::WebSocket(1_102)));
        // All has gone out, and a ping with it: what comes next is counted from there.
        let written = 1_000 + 97 * 102 + 3;
        assert!(backlog.has_room(Way::WebSocket(written)));
        assert!(backlog.lock().ends.is_empty());
    }

    #[test]
    fn large_packets_wait_for_each_other() {
        let backlog = Backlog::default();
        for way in [Way::Polls, Way::WebSocket(0)] {
            assert!(backlog.has_room(way));
            backlog.emitted(way, 300_000);
            assert!(backlog.has_room(way));
            backlog.emitted(way, 300_000);
            assert!(!backlog.has_room(way));
            backlog.polled(2);
        }
    }

    #[test]
    fn a_poll_takes_as_many_packets_as_its_answer_has() {
        let backlog = Backlog::default();
        for _ in 0..Backlog::POLLED_PACKETS {
            assert!(backlog.has_room(Way::Polls));
            backlog.emitted(Way::Polls, 10);
        }
        assert!(!backlog.has_room(Way::Polls));
        backlog.polled(3);
        assert_eq!(backlog.lock().ends.len(), Backlog::POLLED_PACKETS - 3);
        backlog.polled(100);
        assert!(backlog.lock().ends.is_empty());
        assert_eq!(backlog.lock().sum, 0);
    }
}
