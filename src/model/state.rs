//! The state of everything, and what happens in it.

use std::sync::Arc;

use super::broker::{Broker, new_events};
use super::client::{Client, Place, heard, set_room};
use super::mutant::Mutant;
use super::reading::Tail;
use super::record::Stored;
use super::replica::{Replica, Step};
use super::{AGE, World};
use crate::conversation::Join;
use crate::source::amqp::Ack;

/// Everything there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) broker: Broker,
    pub(super) replicas: [Replica; 2],
    pub(super) client: Client,
    pub(super) faults: u8,
    pub(super) moves: u8,
    pub(super) time: u8,
    /// What has been seen to be wrong.
    pub(super) wrong: Option<&'static str>,
}

/// What happens next. A number is that of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Consume(usize),
    Take(usize),
    Append(usize),
    Attach(usize),
    Read(usize),
    ReadFull(usize),
    Acknowledge(usize),
    /// The source sees that its channel is lost.
    Notice(usize),
    /// It has finished what it had in hand, and the process ends.
    Finish(usize),
    Serve,
    /// With room for one thing.
    ServeFull,
    /// The member is served though what it waits for has not come.
    GiveUpWaiting,
    /// The same, though it might still come.
    GiveUpEarly,
    Join(usize),
    Quit,
    Publish,
    LoseSource(usize),
    /// So many of its appends have come into the stream.
    LoseAppender(usize, usize),
    LoseTail(usize),
    Kill(usize),
    Leave(usize),
    /// The stream loses so many records.
    Crash(u64),
}

impl Action {
    /// Whether it is one of those that are counted.
    pub(super) const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::ReadFull(_)
                | Self::ServeFull
                | Self::GiveUpEarly
                | Self::LoseSource(_)
                | Self::LoseAppender(..)
                | Self::LoseTail(_)
                | Self::Kill(_)
                | Self::Leave(_)
                | Self::Crash(_)
        )
    }
}

impl State {
    fn replica(&mut self, number: usize) -> &mut Replica {
        &mut self.replicas[number]
    }

    /// The broker delivers what it can.
    pub(super) fn settle(&mut self) {
        while let Some((number, tag, message)) = self.broker.deliver() {
            let source = &mut self.replica(number).source;
            if source.consumes && !source.is_lost {
                source.inbox.push_back((tag, message));
            }
        }
    }

    /// The member hears what was said to it.
    fn hear(&mut self) -> Step {
        let Some(at) = self.client.at else {
            heard();
            return Ok(());
        };
        let replica = &self.replicas[at];
        let news = new_events(&replica.hub.read);
        let life = self.broker.stream.life;
        let place = Place::of(&replica.hub, &news, replica.is_current, life);
        heard()
            .into_iter()
            .try_for_each(|said| self.client.hear(said, &place))
    }

    /// The broker's side of a source's channel ends; the source may not know.
    fn lose_source(&mut self, number: usize) {
        self.broker.close(number);
        let source = &mut self.replica(number).source;
        source.is_lost |= source.consumes;
    }

    fn restart(&mut self, number: usize) {
        self.broker.close(number);
        self.replica(number).restart();
        if self.client.at == Some(number) {
            self.client.at = None;
        }
    }

    pub(super) fn act(&mut self, action: Action, world: &World) -> Step {
        let mutant = world.mutant;
        let (time, end) = (self.time, self.broker.stream.end());
        match action {
            Action::Consume(number) => {
                let replica = &mut self.replicas[number];
                replica.source.consumes = true;
                let prefetch = match replica.has_restarted {
                    true => world.later_prefetch,
                    false => world.prefetch,
                };
                self.broker.consume(number, prefetch);
            }
            Action::Take(number) => self.replica(number).take(time, mutant),
            Action::Append(number) => {
                if let Some(stored) = self.replica(number).next() {
                    self.broker.stream.append(stored);
                    self.replica(number).confirmed();
                }
            }
            Action::Attach(number) => {
                let replica = &mut self.replicas[number];
                replica.attach(&self.broker.stream, mutant);
                replica.connect(mutant);
            }
            Action::Read(number) | Action::ReadFull(number) => {
                let replica = &mut self.replicas[number];
                if let Tail::Looks { .. } = replica.tail {
                    replica.look(&self.broker.stream);
                    return Ok(());
                }
                if let Action::ReadFull(_) = action {
                    set_room(0);
                }
                let read = replica.read(&self.broker.stream, time, mutant);
                set_room(usize::MAX);
                read?;
                // To the end: where only a part has been read, the rest might as well have come later.
                while self.reads(number) && matches!(self.replicas[number].tail, Tail::Reads(_)) {
                    self.replicas[number].read(&self.broker.stream, time, mutant)?;
                }
            }
            Action::Acknowledge(number) => self.acknowledge(number),
            Action::Notice(number) => {
                self.broker.close(number);
                self.replica(number).source.end();
            }
            Action::Finish(number) => {
                self.acknowledge(number);
                self.restart(number);
            }
            Action::Serve | Action::ServeFull | Action::GiveUpWaiting | Action::GiveUpEarly => {
                if action == Action::ServeFull {
                    // For `joined` or `reset`, or for one event.
                    set_room(1);
                }
                if let Some(at) = self.client.at {
                    Arc::make_mut(&mut self.replica(at).hub).serve();
                }
                set_room(usize::MAX);
            }
            Action::Join(number) => {
                self.moves -= 1;
                let cursor = self.client.cursor;
                let join = cursor.map_or(Join::Fresh { replay: true }, |(cursor, _)| {
                    Join::Resume(cursor)
                });
                self.client.at = Some(number);
                Arc::make_mut(&mut self.replica(number).hub).join(join);
            }
            Action::Quit => {
                self.moves -= 1;
                if let Some(at) = self.client.at.take() {
                    Arc::make_mut(&mut self.replica(at).hub).leave();
                }
            }
            Action::Publish => {
                self.time += AGE + 1;
                self.broker.publish(&world.messages[..1]);
            }
            Action::LoseSource(number) => self.lose_source(number),
            Action::LoseAppender(number, taken) => {
                for _ in 0..taken {
                    let stored = self.replica(number).next();
                    stored
                        .into_iter()
                        .for_each(|stored| self.broker.stream.append(stored));
                }
                // One more was published, and has not come to the broker.
                self.replica(number).next();
                self.replica(number).lose_appender(mutant);
            }
            Action::LoseTail(number) => self.replica(number).lose_tail(),
            Action::Kill(number) => self.restart(number),
            Action::Leave(number) => {
                self.replica(number).source.leaves = true;
                if mutant == Some(Mutant::CancelsFirst) {
                    self.broker.cancel(number);
                }
            }
            Action::Crash(count) => {
                self.broker.lose(count.min(end));
                for number in [0, 1] {
                    self.broker.close(number);
                    let replica = self.replica(number);
                    replica.source.end();
                    replica.lose_tail();
                    replica.lose_appender(mutant);
                }
            }
        }
        self.hear()
    }

    fn acknowledge(&mut self, number: usize) {
        let source = &mut self.replicas[number].source;
        for ack in source.acknowledge() {
            self.broker.acknowledge(number, |tag| match ack {
                Ack::Multiple(upto) => tag <= upto,
                Ack::One(one) => tag == one,
            });
        }
    }

    /// Whether a tail has something to do.
    pub(super) fn reads(&self, number: usize) -> bool {
        match self.replicas[number].tail {
            Tail::Away => false,
            Tail::Looks { marker, from, .. } => self.broker.stream.find(marker, from).is_some(),
            Tail::Reads(offset) => offset < self.broker.stream.end(),
        }
    }

    /// The messages in the stream, a bit for each.
    pub(super) fn appended(&self) -> u8 {
        let all = self.broker.stream.before(self.broker.stream.end());
        let bit = |(_, stored): &(u64, Stored)| stored.message.map_or(0, |message| 1 << message);
        all.iter().map(bit).fold(0, |all, bit| all | bit)
    }
}
