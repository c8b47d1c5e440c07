//! The consumer of the queue: the gateway's acknowledgements, and what it has in hand.

use std::collections::VecDeque;

use crate::journal::steps::RecordId;
use crate::source::amqp::{Ack, Acks};

/// The consumer of the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Source {
    /// Whether it consumes, as far as it knows.
    pub(super) consumes: bool,
    /// The broker has ended its channel, and it does not know.
    pub(super) is_lost: bool,
    /// It shuts down: no more is taken.
    pub(super) leaves: bool,
    /// Delivered, and not taken.
    pub(super) inbox: VecDeque<(u64, u8)>,
    /// Taken and submitted; and whether it has its place.
    pub(super) in_hand: VecDeque<(u64, RecordId, bool)>,
    pub(super) acks: Acks,
}

impl Source {
    /// A record has its place.
    pub(super) fn placed(&mut self, id: RecordId) {
        for (_, submitted, is_placed) in &mut self.in_hand {
            *is_placed |= *submitted == id;
        }
        while let Some((tag, _, true)) = self.in_hand.front() {
            self.acks.done(*tag);
            self.in_hand.pop_front();
        }
    }

    /// The channel has ended.
    pub(super) fn end(&mut self) {
        *self = Self {
            leaves: self.leaves,
            ..Self::default()
        };
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_hand.is_empty()
    }

    /// Which deliveries are acknowledged now.
    pub(super) fn acknowledge(&mut self) -> Vec<Ack> {
        self.acks.take()
    }
}
