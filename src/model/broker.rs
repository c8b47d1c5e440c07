//! The broker, as far as it matters: one queue with a single active consumer, and one stream.

use std::collections::VecDeque;

use super::record::Stored;

/// A queue and a stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Broker {
    /// What was never delivered.
    ready: VecDeque<u8>,
    /// What came back, which goes first. What comes back later stands behind it: so quorum queues do it.
    returned: VecDeque<u8>,
    /// The replicas that consume, of which the first is the active one, each with its prefetch.
    consumers: Vec<(usize, usize)>,
    /// What each channel was delivered and has not acknowledged.
    delivered: [VecDeque<(u64, u8)>; 2],
    next_tag: [u64; 2],
    /// A bit for each message that was acknowledged.
    pub(super) acknowledged: u8,
    /// A bit for each message whose record was in a part of the stream that was lost.
    pub(super) lost: u8,
    pub(super) stream: Stream,
}

/// What stands in the stream, by its offset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Stream {
    records: Vec<Stored>,
    /// The oldest offset that is kept.
    pub(super) oldest: u64,
    /// How often it has been made again.
    pub(super) life: u8,
}

impl Stream {
    pub(super) fn append(&mut self, record: Stored) {
        self.records.push(record);
    }

    /// The offset that the next record gets.
    pub(super) fn end(&self) -> u64 {
        self.records.len() as u64
    }

    pub(super) fn at(&self, offset: u64) -> Option<Stored> {
        self.records.get(usize::try_from(offset).unwrap()).copied()
    }

    /// Where this record stands, from an offset on.
    pub(super) fn find(&self, id: u8, from: u64) -> Option<u64> {
        (from..self.end()).find(|offset| self.at(*offset).unwrap().id == id)
    }

    /// All that stands before this offset.
    pub(super) fn before(&self, end: u64) -> Vec<(u64, Stored)> {
        let all = (0..).zip(self.records.iter().copied());
        all.take_while(|(offset, _)| *offset < end).collect()
    }
}

/// The events among these records that are no repeats: the specification of what a window knows.
pub(super) fn new_events(records: &[(u64, Stored)]) -> Vec<(u64, Stored)> {
    let is_new = |index: usize| {
        let (_, record) = records[index];
        !records[..index].iter().any(|(_, earlier)| {
            earlier.message == record.message && record.time - earlier.time <= super::AGE
        })
    };
    let events = (0..records.len()).filter(|index| records[*index].1.message.is_some());
    events
        .filter(|index| is_new(*index))
        .map(|index| records[index])
        .collect()
}

impl Broker {
    pub(super) fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            returned: VecDeque::new(),
            consumers: Vec::new(),
            delivered: Default::default(),
            next_tag: [1, 1],
            acknowledged: 0,
            lost: 0,
            stream: Stream::default(),
        }
    }

    pub(super) fn publish(&mut self, messages: &[u8]) {
        self.ready.extend(messages);
    }

    pub(super) fn consume(&mut self, replica: usize, prefetch: usize) {
        self.next_tag[replica] = 1;
        self.consumers.push((replica, prefetch));
    }

    /// Whether nobody consumes: so long the others stand by.
    pub(super) fn is_free(&self) -> bool {
        self.consumers.is_empty()
    }

    /// Ends a consumer and leaves it what it was delivered.
    pub(super) fn cancel(&mut self, replica: usize) {
        self.consumers.retain(|(consumer, _)| *consumer != replica);
    }

    /// Ends a channel: what was not acknowledged goes back in its order.
    pub(super) fn close(&mut self, replica: usize) {
        // Before the next consumer becomes active.
        let back = self.delivered[replica].drain(..);
        self.returned.extend(back.map(|(_, message)| message));
        self.cancel(replica);
    }

    /// Acknowledges what was delivered by these tags; a tag that is none ends the channel.
    pub(super) fn acknowledge(&mut self, replica: usize, tags: impl Fn(u64) -> bool) {
        let (done, rest) = self.delivered[replica]
            .drain(..)
            .partition(|(tag, _)| tags(*tag));
        self.delivered[replica] = rest;
        let done: VecDeque<(u64, u8)> = done;
        for (_, message) in done {
            self.acknowledged |= 1 << message;
        }
    }

    /// The next delivery, if the active consumer may have one more.
    pub(super) fn deliver(&mut self) -> Option<(usize, u64, u8)> {
        let &(replica, prefetch) = self.consumers.first()?;
        if self.delivered[replica].len() >= prefetch {
            return None;
        }
        let returned = self.returned.pop_front();
        let message = returned.or_else(|| self.ready.pop_front())?;
        let tag = self.next_tag[replica];
        self.next_tag[replica] += 1;
        self.delivered[replica].push_back((tag, message));
        Some((replica, tag, message))
    }

    pub(super) fn is_drained(&self) -> bool {
        let delivered = self.delivered.iter().all(VecDeque::is_empty);
        delivered && self.ready.is_empty() && self.returned.is_empty()
    }

    /// Loses the last records of the stream; all of them: the stream is made again.
    pub(super) fn lose(&mut self, count: u64) {
        let kept = usize::try_from(self.stream.end() - count).unwrap();
        for lost in self.stream.records.drain(kept..) {
            self.lost |= lost.message.map_or(0, |message| 1 << message);
        }
        if kept == 0 {
            self.stream.oldest = 0;
            self.stream.life += 1;
        }
    }
}
