//! How far the stream has been read, and whether what comes next goes on from there: a pure step.

use super::record::RecordId;

/// How far the stream has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Reading {
    /// The offset and the id of the last record.
    last: Option<(u64, RecordId)>,
    /// The next delivery has to be the last record again.
    verifies: bool,
}

/// Where to read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// As far back as it matters: nothing is known.
    Reach,
    /// From the last record, to see whether it still stands there.
    Offset(u64),
}

/// What a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivered {
    /// The first of all that is known from now on.
    First,
    /// The next one.
    Next,
    /// One that was read before.
    Known,
    /// Of another stream, or behind a gap: nothing counts that was read before.
    Broken,
}

impl Reading {
    /// Begins to consume again.
    pub(super) fn attach(&mut self) -> Start {
        self.verifies = self.last.is_some();
        self.last
            .map_or(Start::Reach, |(offset, _)| Start::Offset(offset))
    }

    /// Nothing is known.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// A record was delivered.
    pub(super) fn delivered(&mut self, offset: u64, id: RecordId) -> Delivered {
        let Some((last, last_id)) = self.last else {
            self.last = Some((offset, id));
            return Delivered::First;
        };
        if self.verifies {
            self.verifies = false;
            // The broker begins wherever it can, and does not say so: at the oldest that it still has,
            // when that one is gone.
            return match (offset, id) == (last, last_id) {
                true => Delivered::Known,
                false => Delivered::Broken,
            };
        }
        // A gap is normal: the broker keeps records of its own in the stream.
        if offset <= last {
            return Delivered::Known;
        }
        self.last = Some((offset, id));
        Delivered::Next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> RecordId {
        format!("{number:x}").parse().unwrap()
    }

    #[test]
    fn offsets_grow_with_gaps_and_what_comes_again_is_known() {
        let mut reading = Reading::default();
        assert_eq!(reading.attach(), Start::Reach);
        assert_eq!(reading.delivered(5, id(1)), Delivered::First);
        assert_eq!(reading.delivered(6, id(2)), Delivered::Next);
        assert_eq!(reading.delivered(5, id(1)), Delivered::Known);
        assert_eq!(reading.delivered(9, id(3)), Delivered::Next);
        assert_eq!(reading.attach(), Start::Offset(9));
        assert_eq!(reading.delivered(9, id(3)), Delivered::Known);
        assert_eq!(reading.delivered(10, id(4)), Delivered::Next);
    }

    #[test]
    fn a_stream_that_does_not_go_on_is_told() {
        for (offset, number) in [(9, 4), (3, 4), (12, 4), (0, 3)] {
            let mut reading = Reading::default();
            reading.delivered(9, id(3));
            reading.attach();
            assert_eq!(reading.delivered(offset, id(number)), Delivered::Broken);
            reading.forget();
            assert_eq!(reading.attach(), Start::Reach);
            assert_eq!(reading.delivered(0, id(5)), Delivered::First);
        }
    }
}
