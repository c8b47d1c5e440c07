//! What was published and not confirmed, and is published again when the connection was lost: a pure step.

use std::collections::VecDeque;

use bytes::Bytes;

use super::record::RecordId;

/// A record on its way into the stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Outgoing {
    pub(crate) id: RecordId,
    pub(crate) body: Bytes,
    /// Whether the tail needs it to find its way: it does not wait until the stream has been read.
    pub(crate) is_notice: bool,
}

/// What the broker has not confirmed, in the order in which it is to come into the stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Unconfirmed {
    /// Published on this connection.
    published: VecDeque<Outgoing>,
    /// Published on connections that were lost: comes before anything new.
    again: VecDeque<Outgoing>,
}

impl Unconfirmed {
    /// There is another connection.
    pub(crate) fn connected(&mut self) {
        // What is left of an earlier time comes behind what was published again since.
        self.published.append(&mut self.again);
        std::mem::swap(&mut self.published, &mut self.again);
    }

    /// What is to be published again next; submissions are when the stream has been read to its end.
    pub(crate) fn again(&mut self, is_current: bool) -> Option<Outgoing> {
        match is_current {
            true => self.again.pop_front(),
            false => {
                let notice = self.again.iter().position(|outgoing| outgoing.is_notice)?;
                self.again.remove(notice)
            }
        }
    }

    /// Whether nothing new may be published yet.
    pub(crate) fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// A record was published.
    pub(crate) fn publish(&mut self, outgoing: Outgoing) {
        self.published.push_back(outgoing);
    }

    /// The broker has confirmed the oldest of what was published on this connection.
    pub(crate) fn confirmed(&mut self) -> Option<Outgoing> {
        self.published.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(number: u8, is_notice: bool) -> Outgoing {
        Outgoing {
            id: format!("{number:x}").parse().unwrap(),
            body: Bytes::new(),
            is_notice,
        }
    }

    #[test]
    fn what_was_not_confirmed_comes_again_in_its_order_however_often_the_connection_is_lost() {
        let mut unconfirmed = Unconfirmed::default();
        let all: Vec<_> = (1..=4).map(|number| outgoing(number, false)).collect();
        all.iter()
            .cloned()
            .for_each(|outgoing| unconfirmed.publish(outgoing));
        assert_eq!(unconfirmed.confirmed(), Some(all[0].clone()));
        unconfirmed.connected();
        let first = unconfirmed.again(true).unwrap();
        assert_eq!(first, all[1]);
        unconfirmed.publish(first);
        // Once more, with a part of it still to be published.
        unconfirmed.connected();
        let again: Vec<_> = std::iter::from_fn(|| unconfirmed.again(true)).collect();
        assert_eq!(again, all[1..]);
    }

    #[test]
    fn only_notices_come_before_the_stream_has_been_read() {
        let mut unconfirmed = Unconfirmed::default();
        for outgoing in [outgoing(1, false), outgoing(2, true)] {
            unconfirmed.publish(outgoing);
        }
        unconfirmed.connected();
        assert_eq!(unconfirmed.again(false), Some(outgoing(2, true)));
        assert_eq!(unconfirmed.again(false), None);
        assert!(unconfirmed.has_again());
        assert_eq!(unconfirmed.again(true), Some(outgoing(1, false)));
    }
}
