//! What follows from a record that was read: a pure step.

use super::reading::{Delivered, Reading, Start};
use super::record::{Body, Record, RecordId};
use crate::conversation::{Epoch, Mark, Position};

/// What a replica knows of the stream that it follows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Following {
    reading: Reading,
    epoch: Option<Epoch>,
    /// The record that was appended when the consumer began: what comes after that is new.
    marker: Option<RecordId>,
    /// Whether that has come.
    is_marked: bool,
    /// The stream has been read to its end, and its epoch is known.
    is_current: bool,
}

/// What a delivery of the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was read before.
    Known,
    /// The stream is not the one that was read: nothing counts of what was.
    Broken,
    /// The next record.
    Next(Next),
}

/// What follows from a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next {
    /// Nothing is known of what stands up to here.
    pub(crate) begins: Option<Position>,
    pub(crate) position: Position,
    pub(crate) mark: Mark,
    /// The stream is of this epoch, which was not known.
    pub(crate) epoch: Option<Epoch>,
    /// Whoever has written it does not know the epoch.
    pub(crate) is_told: bool,
    /// There is no epoch: one is to be drawn.
    pub(crate) draws: bool,
    /// With it, the stream has been read to its end.
    pub(crate) becomes_current: bool,
}

impl Following {
    /// Begins to consume again. When it was `after` an offset, the stream has to have come further: see
    /// [`goes_on`](Self::goes_on).
    pub(crate) fn attach(&mut self) -> Start {
        self.marker = None;
        self.is_marked = false;
        self.is_current = false;
        self.reading.attach()
    }

    /// Whether a stream can be the one that was read to `last`, when a record has just been appended at
    /// this offset.
    pub(crate) fn goes_on(last: u64, appended: Option<u64>) -> bool {
        appended.is_some_and(|appended| appended > last)
    }

    /// The record that was appended when the consumer began.
    pub(crate) fn mark(&mut self, marker: RecordId) {
        self.marker = Some(marker);
    }

    /// Nothing is known.
    pub(crate) fn forget(&mut self) {
        self.reading.forget();
        self.epoch = None;
        self.marker = None;
        self.is_marked = false;
        self.is_current = false;
    }

    /// The connection is lost.
    pub(crate) fn lost(&mut self) {
        self.is_current = false;
    }

    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Whether the consumer has come to what is new.
    pub(crate) fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// A record was delivered.
    pub(crate) fn take(&mut self, offset: u64, record: &Record) -> Taken {
        let begins = match self.reading.delivered(offset, record.id) {
            Delivered::Broken => return Taken::Broken,
            Delivered::Known => return Taken::Known,
            Delivered::First => Some(Position(offset)),
            Delivered::Next => None,
        };
        let told = match record.body {
            Body::Replica(_) => record.epoch,
            Body::Epoch if self.epoch.is_none() => record.epoch,
            _ => None,
        };
        let epoch = told.filter(|told| self.epoch != Some(*told));
        self.epoch = epoch.or(self.epoch);
        let is_told = matches!(record.body, Body::Epoch) && self.epoch != record.epoch;
        let is_marker = self.marker == Some(record.id);
        self.is_marked |= is_marker;
        let becomes_current = self.is_marked && self.epoch.is_some() && !self.is_current;
        self.is_current |= becomes_current;
        Taken::Next(Next {
            begins,
            position: Position(offset + 1),
            mark: record.id.mark(),
            epoch,
            is_told,
            draws: is_marker && self.epoch.is_none(),
            becomes_current,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Id;
    use crate::conversation::Selection;

    fn record(epoch: Option<u64>, body: Body) -> Record {
        Record::new(epoch.map(Epoch), body)
    }

    fn next(taken: Taken) -> Next {
        match taken {
            Taken::Next(next) => next,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_stream_is_current_with_its_marker_and_its_epoch() {
        let other = Body::Disconnect(Selection {
            tenant: Id::parse("acme").unwrap(),
            conversation: None,
            agent: None,
        });
        let marker = record(None, Body::Unknown);
        let mut following = Following::default();
        assert_eq!(following.attach(), Start::Reach);
        following.mark(marker.id);
        let first = next(following.take(7, &record(None, other)));
        assert_eq!(
            (first.begins, first.position),
            (Some(Position(7)), Position(8))
        );
        let marked = next(following.take(9, &marker));
        assert_eq!((marked.begins, marked.draws), (None, true));
        assert!(!marked.becomes_current && following.is_marked());
        let drawn = next(following.take(10, &record(Some(1), Body::Epoch)));
        assert_eq!((drawn.epoch, drawn.is_told), (Some(Epoch(1)), false));
        assert!(drawn.becomes_current && !drawn.draws);
        // The first that was drawn is the stream's.
        let later = next(following.take(11, &record(Some(2), Body::Epoch)));
        assert_eq!((later.epoch, later.is_told), (None, true));
        assert_eq!(following.epoch(), Some(Epoch(1)));
        assert!(!later.becomes_current);
    }
}
