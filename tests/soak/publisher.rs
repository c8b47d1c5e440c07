//! The webhook service, one task for each queue and conversation: trickles, bursts and silences,
//! with repeats, stale statuses and deliveries that are no events in between.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use lapin::BasicProperties;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::brokers::Brokers;
use super::plan::{BURST, REPEAT_REACH, REPEAT_WITHIN, between, ms};
use super::script::{Conversation, Kind, STATUSES, Subject};
use super::world::{Phase, World};

/// How long after a burst the next may come.
const BURST_EVERY: (u64, u64) = (30_000, 90_000);

/// How many deliveries are handed to the broker before their confirms are waited for.
const AT_ONCE: usize = 100;

pub(crate) struct Publisher {
    world: Arc<World>,
    brokers: Arc<Brokers>,
    conversation: Arc<Conversation>,
    kind: Kind,
    chance: StdRng,
    next_number: u32,
    /// The messages that have statuses to come, and the rank of their last.
    open: VecDeque<(u32, u8)>,
    /// What was published lately, and when.
    recent: VecDeque<(Subject, Instant)>,
    poisons: usize,
}

type Delivery = (Vec<u8>, BasicProperties);

impl Publisher {
    pub(crate) fn new(
        world: Arc<World>,
        brokers: Arc<Brokers>,
        conversation: Arc<Conversation>,
        kind: Kind,
    ) -> Self {
        let chance = world.plan.chance(kind.name(), conversation.tag);
        Self {
            world,
            brokers,
            conversation,
            kind,
            chance,
            next_number: 0,
            open: VecDeque::new(),
            recent: VecDeque::new(),
            poisons: 0,
        }
    }

    /// Publishes until the run drains; in a drill, its share of the events.
    pub(crate) async fn run(mut self) {
        match self.world.plan.drill {
            Some(events) => self.drill(events).await,
            None => self.go_on().await,
        }
    }

    /// A few at a time, at a steady pace that has all events published in the time of the run.
    async fn drill(&mut self, events: usize) {
        let publishers = Kind::ALL.len() * self.world.conversations.len();
        let number = Kind::ALL.len() * self.conversation.tag + self.kind as usize;
        let share = events / publishers + usize::from(number < events % publishers);
        let time = self.world.plan.duration;
        self.world.all_have_joined().await;
        let began = Instant::now();
        let mut published = 0;
        while published < share && self.world.phase() == Phase::Running {
            let count = self.chance.random_range(1..=3).min(share - published);
            let mut deliveries = Vec::new();
            for _ in 0..count {
                // A repeat now and then, which is none of the events.
                if self.chance.random_range(0..10) == 0 {
                    deliveries.extend(self.repeat().map(|subject| self.delivery(subject)));
                }
                deliveries.push(self.new_event());
            }
            self.send(deliveries).await;
            published += count;
            let due = time.mul_f64(published as f64 / share as f64);
            let pause = due.saturating_sub(began.elapsed());
            tokio::select! {
                () = sleep(pause) => {}
                () = self.world.reaches(Phase::Draining) => {}
            }
        }
    }

    async fn go_on(&mut self) {
        let quiet = self.conversation.id == "quiet";
        let slow = self.conversation.id == "slow";
        let (soonest, latest) = BURST_EVERY;
        let mut next_burst = Instant::now() + between(&mut self.chance, ms(2_000), ms(latest));
        while self.world.phase() == Phase::Running {
            let pause = if quiet {
                self.publish_many(1, 40).await;
                between(&mut self.chance, ms(10_000), ms(70_000))
            } else if slow {
                self.publish_many(1, 2).await;
                between(&mut self.chance, ms(1_000), ms(6_000))
            } else if Instant::now() >= next_burst {
                self.publish_many(100, BURST).await;
                next_burst += between(&mut self.chance, ms(soonest), ms(latest));
                between(&mut self.chance, ms(0), ms(500))
            } else {
                self.publish_many(1, 6).await;
                match self.chance.random_range(0..40) {
                    0 => between(&mut self.chance, ms(1_000), ms(8_000)),
                    _ => between(&mut self.chance, ms(20), ms(400)),
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.world.reaches(Phase::Draining) => {}
            }
        }
    }

    async fn publish_many(&mut self, least: u32, most: u32) {
        let mut left = self.chance.random_range(least..=most) as usize;
        while left > 0 {
            let count = left.min(AT_ONCE);
            // Written down to the last one before the first is sent.
            let deliveries: Vec<_> = (0..count).map(|_| self.any()).collect();
            self.send(deliveries).await;
            left -= count;
        }
    }

    async fn send(&self, deliveries: Vec<Delivery>) {
        self.world.count_many("published", deliveries.len() as u64);
        let Conversation { tenant, id, .. } = &*self.conversation;
        let routing_key = format!("{}.{tenant}.{id}", self.kind.name());
        self.brokers.publish_all(&routing_key, deliveries).await;
    }

    fn any(&mut self) -> Delivery {
        match self.chance.random_range(0..100) {
            0 => self.poison(),
            1..=8 => match self.repeat() {
                Some(subject) => self.delivery(subject),
                None => self.new_event(),
            },
            _ => self.new_event(),
        }
    }

    fn new_event(&mut self) -> Delivery {
        let subject = match self.kind {
            Kind::Message => self.new_number(0),
            Kind::Status => self.next_tick(),
        };
        self.recent.push_back((subject, Instant::now()));
        if self.recent.len() > REPEAT_REACH {
            self.recent.pop_front();
        }
        self.delivery(subject)
    }

    fn new_number(&mut self, rank: u8) -> Subject {
        let number = self.next_number;
        self.next_number += 1;
        Subject { number, rank }
    }

    /// The first status of a new message, or the next of one that waits for it.
    fn next_tick(&mut self) -> Subject {
        let read = STATUSES.len() as u8 - 1;
        let waiting = self.open.len();
        if waiting == 0 || waiting < 20 && self.chance.random_bool(0.5) {
            let rank = self.chance.random_range(0..=read);
            let subject = self.new_number(rank);
            self.open.push_back((subject.number, rank));
            return subject;
        }
        let at = self.chance.random_range(0..waiting);
        let (number, rank) = self.open.remove(at).unwrap_or_default();
        if rank == read {
            return self.next_tick();
        }
        let rank = self.chance.random_range(rank + 1..=read);
        self.open.push_back((number, rank));
        Subject { number, rank }
    }

    /// Something that was published lately, or a status that is lower than one.
    fn repeat(&mut self) -> Option<Subject> {
        let fresh = |(_, at): &&(Subject, Instant)| at.elapsed() <= REPEAT_WITHIN;
        let recent: Vec<_> = self.recent.iter().filter(fresh).collect();
        let &&(mut subject, _) = recent.choose(&mut self.chance)?;
        if self.chance.random_bool(0.4) {
            subject.rank = self.chance.random_range(0..=subject.rank);
        }
        Some(subject)
    }

    fn delivery(&mut self, subject: Subject) -> Delivery {
        let new = self.conversation.script(self.kind).write(subject);
        self.world.count(if new { "new" } else { "repeats" });
        let body = body(&self.conversation, self.kind, subject);
        (body.to_string().into_bytes(), BasicProperties::default())
    }

    /// A delivery that can never be an event. It is found again by its AMQP message id.
    fn poison(&mut self) -> Delivery {
        let id = format!(
            "poison-{}-{}-{}",
            self.conversation.tag,
            self.kind.name(),
            self.poisons
        );
        self.poisons += 1;
        self.world.count("poisons");
        let properties = BasicProperties::default().with_message_id(id.as_str().into());
        (br#"{"tenantId": "no conversation"}"#.to_vec(), properties)
    }
}

fn body(conversation: &Conversation, kind: Kind, subject: Subject) -> Value {
    let mut body = json!({
        "tenantId": conversation.tenant,
        "conversationId": conversation.id,
        "messageId": conversation.message_id(kind, subject.number),
    });
    match kind {
        Kind::Message => body["text"] = "x".repeat(Conversation::length(subject.number)).into(),
        Kind::Status => body["status"] = STATUSES[usize::from(subject.rank)].into(),
    }
    body
}

/// Publishes one more event of each kind in every conversation, and returns where it is written
/// down.
pub(crate) async fn publish_markers(
    world: &World,
    brokers: &Brokers,
    round: u32,
) -> Vec<[usize; 2]> {
    let mut lines = Vec::new();
    for conversation in &world.conversations {
        let mut at = [0; 2];
        for kind in Kind::ALL {
            // Numbers that no publisher gets to.
            let subject = Subject {
                number: u32::MAX - round,
                rank: 0,
            };
            {
                let mut script = conversation.script(kind);
                script.write(subject);
                at[kind as usize] = script.lines().len() - 1;
            }
            world.count("published");
            world.count("new");
            let body = body(conversation, kind, subject);
            let delivery = (body.to_string().into_bytes(), BasicProperties::default());
            brokers.publish_all(kind.name(), vec![delivery]).await;
        }
        lines.push(at);
    }
    lines
}
