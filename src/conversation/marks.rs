//! The marks of the newest entries, by which a cursor shows that it means the entry that is there.

use std::collections::VecDeque;

use super::cursor::{Mark, Position};

/// How many entries' marks are kept: 16 MiB, when there are so many.
const KEPT: usize = 1 << 20;

/// The marks of the journal's newest entries, in their order. A journal in which all marks are the
/// same keeps none.
///
/// A cursor that is older than all of them cannot be checked, and is taken for what it says: what has
/// been read of the journal without a break since then is what there was.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(VecDeque<(Position, Mark)>);

impl Marks {
    /// The next entry of the journal.
    pub(super) fn push(&mut self, position: Position, mark: Mark) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((position, mark));
    }

    /// The mark of the entry at this position, as far as it is known.
    pub(super) fn of(&self, position: Position) -> Mark {
        let index = self.find(position);
        index.map_or(Mark::default(), |index| self.0[index].1)
    }

    /// Whether the entry at this position may have this mark.
    pub(super) fn may_be(&self, position: Position, mark: Mark) -> bool {
        let Some((oldest, _)) = self.0.front() else {
            return true;
        };
        position < *oldest
            || self
                .find(position)
                .is_ok_and(|index| self.0[index].1 == mark)
    }

    fn find(&self, position: Position) -> Result<usize, usize> {
        self.0
            .binary_search_by_key(&position, |(position, _)| *position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_an_entry_from_another_at_its_position() {
        let mut marks = Marks::default();
        assert!(marks.may_be(Position(9), Mark(1)), "none has a mark");
        for position in [3, 4, 7] {
            marks.push(Position(position), Mark(position as u32 * 10));
        }
        assert_eq!(marks.of(Position(4)), Mark(40));
        assert!(marks.may_be(Position(4), Mark(40)));
        assert!(!marks.may_be(Position(4), Mark(41)));
        assert!(!marks.may_be(Position(5), Mark(50)), "nothing is there");
        assert!(!marks.may_be(Position(8), Mark(0)));
        assert!(marks.may_be(Position(2), Mark(5)), "older than all");
    }
}
