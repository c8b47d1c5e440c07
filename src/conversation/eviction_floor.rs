//! The eviction floor of conversations that have been dropped, so that a returning member is never
//! `resumed` when it may have missed something.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use super::cursor::Position;
use super::id::ConversationKey;

/// Remembers, in constant memory, up to which position events of a dropped conversation may be
/// gone.
///
/// A count-min sketch (Cormode and Muthukrishnan, 2005) that keeps maxima instead of counts: a
/// conversation marks one cell in each row, and is answered with the least of its cells. The
/// answer is never too low, so that an old cursor is never taken for complete. It is too high,
/// which costs an idle agent one needless `reset`, only where every one of its cells was marked by
/// others since: with 5,000 conversations that came and went meanwhile, once in 34,000 times.
pub(super) struct EvictionFloor {
    rows: [(RandomState, Box<[AtomicU64]>); ROWS],
    /// Nothing is known of any conversation up to this position.
    begun: AtomicU64,
}

const ROWS: usize = 4;
/// Cells in a row: 2 MiB for all the rows together.
const CELLS: usize = 1 << 16;

impl EvictionFloor {
    pub(super) fn new() -> Self {
        Self {
            rows: std::array::from_fn(|_| {
                let cells = std::iter::repeat_with(AtomicU64::default).take(CELLS);
                (RandomState::new(), cells.collect())
            }),
            begun: AtomicU64::new(0),
        }
    }

    /// Another journal begins, of which nothing is known up to `floor`.
    pub(super) fn begin(&self, floor: Position) {
        for cell in self.rows.iter().flat_map(|(_, cells)| cells) {
            cell.store(0, Ordering::Release);
        }
        self.begun.store(floor.0, Ordering::Release);
    }

    /// Events of `key` up to `floor` are gone.
    pub(super) fn raise(&self, key: &ConversationKey, floor: Position) {
        for cell in self.cells(key) {
            cell.fetch_max(floor.0, Ordering::AcqRel);
        }
    }

    /// No event of `key` after this position has been evicted.
    pub(super) fn floor(&self, key: &ConversationKey) -> Position {
        let least = self
            .cells(key)
            .map(|cell| cell.load(Ordering::Acquire))
            .min();
        let begun = self.begun.load(Ordering::Acquire);
        Position(least.unwrap_or_default().max(begun))
    }

    fn cells(&self, key: &ConversationKey) -> impl Iterator<Item = &AtomicU64> {
        self.rows.iter().map(move |(hasher, cells)| {
            let cell = hasher.hash_one(key) as usize % CELLS;
            &cells[cell]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::id::Id;
    use super::*;

    fn key(number: usize) -> ConversationKey {
        ConversationKey {
            tenant: Id::parse("acme").unwrap(),
            conversation: Id::parse(&format!("c-{number}")).unwrap(),
        }
    }

    #[test]
    fn a_floor_is_never_lower_than_what_was_raised() {
        let floors = EvictionFloor::new();
        for number in 1..=20_000 {
            floors.raise(&key(number), Position(number as u64));
        }
        for number in 1..=20_000 {
            assert!(floors.floor(&key(number)) >= Position(number as u64));
        }
    }

    #[test]
    fn a_quiet_conversation_is_hardly_ever_taken_for_an_evicted_one() {
        let floors = EvictionFloor::new();
        for number in 0..5_000 {
            floors.raise(&key(number), Position(1));
        }
        let mistaken = (5_000..15_000)
            .filter(|&number| floors.floor(&key(number)) > Position(0))
            .count();
        // Expected: (1 - e^(-5000/65536))^4 of 10,000, which is 0.3.
        assert!(mistaken < 10, "{mistaken}");
    }
}
