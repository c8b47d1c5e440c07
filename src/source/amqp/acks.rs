//! Which deliveries of a channel may be acknowledged, and with how few commands.

use std::collections::BTreeSet;

/// The deliveries of one channel that are done. Tags count from 1, without a gap.
///
/// An acknowledgement costs a round through the client's I/O loop and work in the broker; one for
/// many (`multiple`) costs the same. So everything below the first delivery that is not done is
/// acknowledged at once, and only what was done beyond it (that one waits to be dead-lettered)
/// one by one, so that a poison delivery does not use up the prefetch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Acks {
    /// All deliveries up to this tag are done.
    frontier: u64,
    /// The greatest tag within the frontier that has not been acknowledged.
    unacknowledged: Option<u64>,
    /// Done beyond the frontier.
    beyond: BTreeSet<u64>,
    /// Those of `beyond` that have been acknowledged one by one.
    acknowledged_alone: BTreeSet<u64>,
    /// Done since the last acknowledgement.
    waiting: usize,
}

/// A command for the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ack {
    Multiple(u64),
    One(u64),
}

impl Acks {
    /// The delivery is done: its event is in the journal, or it is in the dead letter queue.
    pub(crate) fn done(&mut self, tag: u64) {
        self.waiting += 1;
        if tag != self.frontier + 1 {
            self.beyond.insert(tag);
            return;
        }
        self.advance(tag);
        while self.beyond.remove(&(self.frontier + 1)) {
            self.advance(self.frontier + 1);
        }
    }

    fn advance(&mut self, tag: u64) {
        self.frontier = tag;
        // The broker refuses a tag that it has seen acknowledged, also with `multiple`.
        if !self.acknowledged_alone.remove(&tag) {
            self.unacknowledged = Some(tag);
        }
    }

    /// How many deliveries were done since the last [`take`](Self::take).
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// The commands that acknowledge everything that is done.
    pub(crate) fn take(&mut self) -> Vec<Ack> {
        self.waiting = 0;
        let multiple = self.unacknowledged.take().map(Ack::Multiple);
        let alone: Vec<_> = self
            .beyond
            .difference(&self.acknowledged_alone)
            .copied()
            .collect();
        self.acknowledged_alone.extend(&alone);
        multiple
            .into_iter()
            .chain(alone.into_iter().map(Ack::One))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn deliveries_in_order_are_acknowledged_together() {
        let mut acks = Acks::default();
        (1..=64).for_each(|tag| acks.done(tag));
        assert_eq!(acks.take(), [Ack::Multiple(64)]);
        assert_eq!(acks.take(), []);
    }

    #[test]
    fn a_poison_delivery_does_not_hold_up_the_others() {
        let mut acks = Acks::default();
        [1, 3, 4].into_iter().for_each(|tag| acks.done(tag));
        assert_eq!(acks.take(), [Ack::Multiple(1), Ack::One(3), Ack::One(4)]);
        acks.done(2);
        assert_eq!(acks.take(), [Ack::Multiple(2)]);
        acks.done(5);
        assert_eq!(acks.take(), [Ack::Multiple(5)]);
    }

    proptest! {
        /// Plays the broker: whatever the order in which deliveries are done and acknowledgements
        /// are sent, each is for a delivery that is done and still unacknowledged.
        #[test]
        fn the_broker_never_sees_a_tag_it_does_not_know(
            order in Just((1_u64..=60).collect::<Vec<_>>()).prop_shuffle(),
            pauses in prop::collection::vec(any::<bool>(), 60),
        ) {
            let mut acks = Acks::default();
            let mut done = BTreeSet::new();
            let mut unacknowledged: BTreeSet<u64> = (1..=60).collect();
            for (tag, pause) in order.into_iter().zip(pauses.into_iter().chain([true])) {
                acks.done(tag);
                done.insert(tag);
                if !pause && done.len() < 60 {
                    continue;
                }
                for ack in acks.take() {
                    let (Ack::Multiple(tag) | Ack::One(tag)) = ack;
                    prop_assert!(unacknowledged.contains(&tag), "{ack:?}");
                    let covered: Vec<_> = match ack {
                        Ack::Multiple(tag) => unacknowledged.range(..=tag).copied().collect(),
                        Ack::One(tag) => vec![tag],
                    };
                    for tag in covered {
                        prop_assert!(done.contains(&tag), "{ack:?} covers {tag}");
                        unacknowledged.remove(&tag);
                    }
                }
            }
            prop_assert!(unacknowledged.is_empty());
        }
    }
}
