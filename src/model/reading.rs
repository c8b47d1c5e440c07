//! How a replica reads the stream.

use std::sync::Arc;

use super::Mutant;
use super::broker::{Stream, new_events};
use super::record::{accepted, record_id};
use super::replica::{Replica, Step};
use crate::conversation::{Epoch, Mark, Position, Published};
use crate::journal::steps::{Body, Following, Start, Taken};

/// How the stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tail {
    /// Without a connection.
    Away,
    /// Looks whether this record comes to stand behind what was read last; and where the stream ended.
    Looks { marker: u8, last: u64, from: u64 },
    /// From this offset.
    Reads(u64),
}

impl Replica {
    /// The tail gets a record, if there is one.
    pub(super) fn read(&mut self, stream: &Stream, now: u8, mutant: Option<Mutant>) -> Step {
        let Tail::Reads(offset) = self.tail else {
            return Ok(());
        };
        let Some(stored) = stream.at(offset) else {
            return Ok(());
        };
        self.tail = Tail::Reads(offset + 1);
        let record = stored.record();
        let next = match self.following.take(offset, &record) {
            Taken::Broken => {
                self.begin_again(stream);
                return Ok(());
            }
            Taken::Known => return Ok(()),
            Taken::Next(next) => next,
        };
        let hub = Arc::make_mut(&mut self.hub);
        let (mut position, mut mark) = (next.position, next.mark);
        match mutant {
            Some(Mutant::LocalPositions) => {
                position = Position(hub.read.len() as u64 + 1);
            }
            Some(Mutant::NoMarks | Mutant::NoMarksAndEpochs) => mark = Mark(1),
            _ => {}
        }
        if let Some(floor) = next.begins {
            hub.read.clear();
            hub.conversation.begin(match mutant {
                Some(Mutant::LocalPositions) => Position(0),
                _ => floor,
            });
        }
        hub.read.push((offset, stored));
        if let Body::Event(event) = record.body {
            let time = match mutant {
                Some(Mutant::LocalClock) => now,
                _ => stored.time,
            };
            let published = hub
                .conversation
                .record(event, (position, mark), accepted(time));
            let news = new_events(&stream.before(offset + 1));
            let is_new = news.last().is_some_and(|(new, _)| *new == offset);
            if is_new != matches!(published, Published::New(_)) {
                return Err("what is a repeat on one replica is none on another");
            }
            let kept = hub.conversation.entries();
            let kept_from = news.len().saturating_sub(kept.len());
            let expected = news[kept_from..].iter().map(|(new, _)| Position(new + 1));
            if !kept.iter().copied().eq(expected) {
                return Err("a position names another entry than in the stream");
            }
        } else {
            hub.conversation.pass(position, mark);
        }
        self.wanted.read(record.id);
        self.source.placed(record.id);
        if let Some(epoch) = next.epoch {
            let epoch = match mutant {
                Some(Mutant::NoMarksAndEpochs) => Epoch(1),
                _ => epoch,
            };
            hub.conversation.set_epoch(epoch);
        }
        if next.is_told && self.following.is_marked() {
            let known = self.following.epoch();
            let known = known.and_then(|epoch| u8::try_from(epoch.0).ok());
            self.notice(|_| known);
        }
        if next.draws {
            self.notice(Some);
        }
        if next.becomes_current {
            self.set_current(true);
        }
        Ok(())
    }

    /// The tail has a connection.
    pub(super) fn attach(&mut self, stream: &Stream, mutant: Option<Mutant>) {
        let unchecked = match (&self.tail, mutant, self.hub.read.last()) {
            (Tail::Away, Some(Mutant::NoVerification), Some((last, _))) => Some(last + 1),
            _ => None,
        };
        if let Some(next) = unchecked {
            return self.consume(next);
        }
        self.set_current(false);
        match self.following.attach() {
            Start::Reach => self.consume(stream.oldest),
            Start::Offset(last) => {
                let marker = self.notice(|_| None);
                let from = stream.end();
                self.tail = Tail::Looks { marker, last, from };
            }
        }
    }

    fn consume(&mut self, offset: u64) {
        self.set_current(false);
        self.tail = Tail::Reads(offset);
        let marker = self.notice(|_| None);
        self.following.mark(record_id(marker));
    }

    /// Sees whether the stream goes on where it was read to.
    pub(super) fn look(&mut self, stream: &Stream) {
        let Tail::Looks { marker, last, from } = self.tail else {
            return;
        };
        let Some(appended) = stream.find(marker, from) else {
            return;
        };
        match Following::goes_on(last, Some(appended)) {
            true => self.consume(last.max(stream.oldest)),
            false => self.begin_again(stream),
        }
    }

    fn begin_again(&mut self, stream: &Stream) {
        self.following.forget();
        self.wanted.give_up();
        // Whoever waits hears of it: the channel is closed.
        self.source.is_lost |= !self.source.in_hand.is_empty();
        self.attach(stream, None);
    }

    /// The tail's connection is lost.
    pub(super) fn lose_tail(&mut self) {
        self.following.lost();
        self.set_current(false);
        self.tail = Tail::Away;
    }

    fn set_current(&mut self, is_current: bool) {
        self.is_current = is_current;
        self.is_ready |= is_current;
    }
}
