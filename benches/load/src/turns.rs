//! One room after the other.

use std::ops::Range;

use crate::clock::Clock;
use crate::mark::Mark;

/// Rooms that take turns.
#[derive(Debug)]
pub(crate) struct Turns {
    rooms: Range<u32>,
    next: u32,
}

/// The messages of all rooms, marked as they are sent.
pub(crate) struct Messages {
    clock: Clock,
    /// How many each room has had.
    published: Vec<u32>,
}

impl Turns {
    /// The rooms, of which there is one at least.
    pub(crate) fn new(rooms: Range<u32>) -> Self {
        let next = rooms.start;
        Self { rooms, next }
    }

    pub(crate) fn next_room(&mut self) -> u32 {
        let room = self.next;
        self.next = room + 1;
        if self.next >= self.rooms.end {
            self.next = self.rooms.start;
        }
        room
    }
}

impl Messages {
    /// None yet.
    pub(crate) fn new(clock: Clock, rooms: u32) -> Self {
        Self {
            clock,
            published: vec![0; rooms as usize],
        }
    }

    /// The next message of a room, sent now.
    pub(crate) fn next(&mut self, room: u32) -> Mark {
        let published = &mut self.published[room as usize];
        let mark = Mark {
            room,
            sequence: *published,
            sent: self.clock.now(),
        };
        *published += 1;
        mark
    }

    /// How many there are in all rooms.
    pub(crate) fn sum(&self) -> u64 {
        self.published.iter().map(|&count| u64::from(count)).sum()
    }

    /// How many there are in each room.
    pub(crate) fn published(&self) -> &[u32] {
        &self.published
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_take_turns() {
        let mut turns = Turns::new(3..5);
        let rooms = [(); 5].map(|()| turns.next_room());
        assert_eq!(rooms, [3, 4, 3, 4, 3]);
    }

    #[test]
    fn messages_are_numbered_in_each_room() {
        let mut messages = Messages::new(Clock::new(), 2);
        let numbers = [0, 1, 1, 0].map(|room| messages.next(room).sequence);
        assert_eq!(numbers, [0, 0, 1, 1]);
        assert_eq!((messages.sum(), messages.published()), (4, &[2, 2][..]));
    }
}
