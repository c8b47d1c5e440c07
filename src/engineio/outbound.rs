//! What a session has for its client and has not sent.
//!
//! Over a WebSocket there are two lanes. The library's frames (open, ping, CONNECT answers,
//! acknowledgements) go out at the next frame boundary, ahead of events, so that a ping is answered
//! however much waits; events keep their order. A frame that is half written is finished first.
//!
//! A session that polls has its packets in the library's channel. This only counts them: python-engineio
//! refuses an answer of more than 16 packets.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf as _, Bytes, BytesMut};

/// What waits for one client.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    /// Frames of the library, whole but for the first, which may be half written.
    control: BytesMut,
    /// The rest of an event's frame that is half written. There is none while one of the library's
    /// is.
    partial: Bytes,
    /// Frames of events, in order.
    events: VecDeque<Bytes>,
    /// What `partial` and `events` have, in bytes.
    event_bytes: usize,
    /// The lengths of packets in the library's channel, in bytes.
    unfetched: VecDeque<usize>,
    unfetched_bytes: usize,
    /// Whether events are frames: the session has a WebSocket, and nothing else any more.
    framed: bool,
}

impl Outbound {
    /// How much may wait, in bytes. A packet beyond that waits for the others, however large it is.
    pub(super) const LIMIT: usize = 512 * 1024;

    /// How much waits for a flush, in bytes: a batch that is all for one session does not fill its room.
    pub(super) const UNFLUSHED_LIMIT: usize = Self::LIMIT / 4;

    /// How many packets a poll may find: pings and what else the library says come on top.
    pub(super) const UNFETCHED: usize = 14;

    /// How many of the library's bytes may wait. A client that reads leaves none.
    const CONTROL_LIMIT: usize = 64 * 1024;

    /// How many pieces are written with one system call.
    pub(super) const SLICES: usize = 128;

    /// Whether events are written as frames from now on.
    pub(super) fn is_framed(&self) -> bool {
        self.framed
    }

    /// From here on, events are frames: the WebSocket carries the session.
    pub(super) fn set_framed(&mut self) {
        self.framed = true;
    }

    /// Whether another event has room. After an upgrade none has, before the library's channel has
    /// gone out: its packets are older.
    pub(super) fn has_room(&self) -> bool {
        if self.framed {
            self.unfetched.is_empty() && self.event_bytes < Self::LIMIT
        } else {
            self.unfetched.len() < Self::UNFETCHED && self.unfetched_bytes < Self::LIMIT
        }
    }

    /// Whether what waits is to be written without a flush.
    pub(super) fn is_large(&self) -> bool {
        self.event_bytes >= Self::UNFLUSHED_LIMIT
    }

    /// Whether the library may write more.
    pub(super) fn has_control_room(&self) -> bool {
        self.control.len() < Self::CONTROL_LIMIT
    }

    /// Appends an event's frame.
    pub(super) fn push_event(&mut self, frame: Bytes) {
        self.event_bytes += frame.len();
        self.events.push_back(frame);
    }

    /// Appends whole frames of the library.
    pub(super) fn push_control(&mut self, frames: &[u8]) {
        self.control.extend_from_slice(frames);
    }

    /// The library's channel has a packet of this length more.
    pub(super) fn emitted(&mut self, length: usize) {
        self.unfetched.push_back(length);
        self.unfetched_bytes += length;
    }

    /// One of those has gone out: with a poll's answer, or over the WebSocket after an upgrade.
    pub(super) fn fetched(&mut self) {
        self.unfetched_bytes -= self.unfetched.pop_front().unwrap_or_default();
        if self.unfetched.is_empty() {
            self.unfetched = VecDeque::new();
        }
    }

    /// Whether everything that is written as frames has been.
    pub(super) fn is_written(&self) -> bool {
        self.control.is_empty() && self.event_bytes == 0
    }

    /// What is to be written next, in as many pieces as there is room for; answers how many.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = [&self.partial[..], &self.control[..]].into_iter();
        let pieces = pieces.chain(self.events.iter().map(|frame| &frame[..]));
        let pieces = pieces.filter(|piece| !piece.is_empty());
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    /// So many bytes of that have been written.
    pub(super) fn advance(&mut self, mut written: usize) {
        let partial = written.min(self.partial.len());
        self.partial.advance(partial);
        self.event_bytes -= partial;
        written -= partial;
        let control = written.min(self.control.len());
        self.control.advance(control);
        written -= control;
        if self.control.is_empty() {
            // A session says little: most of the time there is nothing to keep room for.
            self.control = BytesMut::new();
        }
        while written > 0
            && let Some(mut frame) = self.events.pop_front()
        {
            let length = written.min(frame.len());
            frame.advance(length);
            self.event_bytes -= length;
            written -= length;
            self.partial = frame;
        }
        if self.event_bytes == 0 {
            self.partial = Bytes::new();
            self.events = VecDeque::new();
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        *self = Self {
            framed: self.framed,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame;

    fn framed() -> Outbound {
        let mut outbound = Outbound::default();
        outbound.set_framed();
        outbound
    }

    /// Writes so many bytes, at most.
    fn write(outbound: &mut Outbound, most: usize, written: &mut Vec<u8>) {
        let mut slices = [IoSlice::new(&[]); Outbound::SLICES];
        let count = outbound.slices(&mut slices);
        let all: Vec<u8> = slices[..count]
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect();
        let length = most.min(all.len());
        written.extend_from_slice(&all[..length]);
        outbound.advance(length);
    }

    fn texts(frames: &[u8]) -> Vec<String> {
        let texts = frame::split(frames).map(|frame| frame.text.unwrap().to_vec());
        texts.map(|text| String::from_utf8(text).unwrap()).collect()
    }

    #[test]
    fn a_frame_of_the_library_goes_out_at_the_next_boundary_ahead_of_events() {
        let mut outbound = framed();
        for text in ["event 1", "event 2", "event 3"] {
            outbound.push_event(frame::text(&[text.as_bytes()]));
        }
        let mut written = Vec::new();
        write(&mut outbound, 3, &mut written);
        outbound.push_control(&frame::text(&[b"2"]));
        write(&mut outbound, usize::MAX, &mut written);
        assert!(outbound.is_written());
        assert_eq!(texts(&written), ["event 1", "2", "event 2", "event 3"]);
    }

    #[test]
    fn events_have_room_up_to_the_limit_and_again_when_they_are_written() {
        let mut outbound = framed();
        let large = frame::text(&[&vec![b'x'; 300_000]]);
        outbound.push_event(large.clone());
        assert!(outbound.has_room());
        outbound.push_event(large.clone());
        assert!(!outbound.has_room() && outbound.has_control_room());
        outbound.advance(2 * large.len() - Outbound::LIMIT);
        assert!(!outbound.has_room());
        outbound.advance(1);
        assert!(outbound.has_room());
        outbound.clear();
        assert!(outbound.is_written() && outbound.is_framed());
    }

    #[test]
    fn a_poll_finds_as_many_packets_as_it_may() {
        let mut outbound = Outbound::default();
        for _ in 0..Outbound::UNFETCHED {
            assert!(outbound.has_room());
            outbound.emitted(10);
        }
        assert!(!outbound.has_room());
        outbound.fetched();
        assert!(outbound.has_room());
        outbound.emitted(Outbound::LIMIT);
        (1..Outbound::UNFETCHED).for_each(|_| outbound.fetched());
        assert!(!outbound.has_room(), "a large one is left");
        outbound.fetched();
        assert!(outbound.has_room());
    }

    #[test]
    fn after_an_upgrade_events_wait_for_the_channel() {
        let mut outbound = Outbound::default();
        outbound.emitted(10);
        outbound.set_framed();
        assert!(!outbound.has_room());
        outbound.fetched();
        assert!(outbound.has_room());
    }

    proptest! {
        /// Whatever the sizes of frames and writes: all frames come out whole, each lane's in order.
        #[test]
        fn frames_come_out_whole_and_in_order(
            steps in prop::collection::vec((any::<bool>(), 0..400_usize, 0..500_usize), 1..60),
        ) {
            let mut outbound = framed();
            let mut written = Vec::new();
            let mut pushed = [Vec::new(), Vec::new()];
            for (number, (is_event, length, most)) in steps.into_iter().enumerate() {
                let text = format!("{}{number} {}", if is_event { 'e' } else { 'c' }, "x".repeat(length));
                let frame = frame::text(&[text.as_bytes()]);
                match is_event {
                    true => outbound.push_event(frame),
                    false => outbound.push_control(&frame),
                }
                pushed[usize::from(is_event)].push(text);
                write(&mut outbound, most, &mut written);
            }
            while !outbound.is_written() {
                write(&mut outbound, 100, &mut written);
            }
            let (events, control): (Vec<_>, Vec<_>) =
                texts(&written).into_iter().partition(|text| text.starts_with('e'));
            prop_assert_eq!([control, events], pushed);
        }
    }
}
