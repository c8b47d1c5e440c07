//! Puts a load on a server, and reads what it costs.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::time::sleep;

use crate::agent::Agent;
use crate::broker::{Broker, Hold};
use crate::clock::Clock;
use crate::crowd::Crowd;
use crate::pace::at_rate;
use crate::relay::Relay;
use crate::scenario::{Load, Rooms, Span};
use crate::server::Server;
use crate::turns::{Messages, Turns};
use crate::wait::{go_on, until};

/// Lets acknowledgements and the like go out before the processor time is read, so that what belongs
/// to a span is in it.
const TRAILING: Duration = Duration::from_millis(100);

/// How long the last requests to the relay may take.
const ANSWERS: Duration = Duration::from_secs(20);

/// Between two bursts.
const CALM: Duration = Duration::from_millis(200);

pub(crate) struct Driver<'a> {
    server: &'a Server,
    broker: &'a Broker,
    relay: Option<Relay>,
    clock: Clock,
    pub(crate) crowd: Crowd,
    rooms: Rooms,
    /// How many agents there are.
    agents: u32,
    pub(crate) messages: Messages,
    turns: Turns,
    /// By how much the publisher was behind its clock at most.
    pub(crate) late: Duration,
}

/// What a load has shown, apart from what the sockets have seen.
pub(crate) struct Outcome {
    pub(crate) cost: f64,
    pub(crate) rate: Option<f64>,
}

/// Where a measured span began.
struct Begun {
    at: Instant,
    cpu: Duration,
    received: u64,
}

impl<'a> Driver<'a> {
    /// Nobody has joined yet.
    pub(crate) async fn new(
        load: &Load,
        rooms: Rooms,
        server: &'a Server,
        broker: &'a Broker,
    ) -> anyhow::Result<Self> {
        let relay = match *load {
            Load::Relay { connections, .. } => {
                Some(Relay::connect(server.address(), connections, rooms.rooms).await?)
            }
            _ => None,
        };
        let clock = Clock::new();
        Ok(Self {
            server,
            broker,
            relay,
            clock,
            crowd: Crowd::new(server.address(), clock)?,
            rooms,
            agents: 0,
            messages: Messages::new(clock, rooms.rooms),
            turns: Turns::new(0..rooms.rooms),
            late: Duration::ZERO,
        })
    }

    /// Puts the load on the server.
    pub(crate) async fn run(&mut self, load: &Load, hold: Option<Hold>) -> anyhow::Result<Outcome> {
        match *load {
            Load::Rate { rate, span, .. } => self.at_rate(rate, span).await,
            Load::Relay { span, .. } => self.relay(span).await,
            Load::Drain { warm, messages, .. } => self.drain(hold, warm, messages).await,
            Load::Bursts {
                size, warm, bursts, ..
            } => self.bursts(size, warm, bursts).await,
            Load::Connects { warm, sockets } => self.connects(warm, sockets).await,
            Load::Idle {
                warm,
                sockets,
                settle,
            } => self.idle(warm, sockets, settle).await,
        }
    }

    /// A load at a rate, first not measured and then measured.
    async fn at_rate(&mut self, rate: u32, span: Span) -> anyhow::Result<Outcome> {
        self.join(self.rooms.sockets()).await?;
        self.publish_at(rate, span.warm).await?;
        self.delivered().await?;
        let begun = self.begin().await?;
        self.late = self.publish_at(rate, span.measured).await?;
        self.delivered().await?;
        self.end(begun).await
    }

    /// A request over each connection as soon as the one before is answered.
    async fn relay(&mut self, span: Span) -> anyhow::Result<Outcome> {
        self.join(self.rooms.sockets()).await?;
        self.emit_for(span.warm).await?;
        self.delivered().await?;
        let begun = self.begin().await?;
        self.emit_for(span.measured).await?;
        self.delivered().await?;
        self.end(begun).await
    }

    /// The queue is filled while the server is kept from it, and then it is not.
    async fn drain(
        &mut self,
        hold: Option<Hold>,
        warm: u32,
        messages: u32,
    ) -> anyhow::Result<Outcome> {
        let hold = hold.context("nothing keeps the server from its queue")?;
        self.join(self.rooms.sockets()).await?;
        self.publish(warm + messages).await?;
        self.broker.confirmed().await?;
        hold.release().await?;
        let first = u64::from(warm) * u64::from(self.rooms.members);
        self.crowd.receive(first).await?;
        let begun = self.now()?;
        self.delivered().await?;
        self.end(begun).await
    }

    async fn bursts(&mut self, size: u32, warm: u32, bursts: u32) -> anyhow::Result<Outcome> {
        self.join(self.rooms.sockets()).await?;
        for _ in 0..warm {
            self.publish(size).await?;
            self.delivered().await?;
        }
        let begun = self.begin().await?;
        let mut active = Duration::ZERO;
        for _ in 0..bursts {
            let began = Instant::now();
            self.publish(size).await?;
            self.delivered().await?;
            active += began.elapsed();
            sleep(CALM).await;
        }
        let received = self.crowd.received()? - begun.received;
        let outcome = self.end(begun).await?;
        Ok(Outcome {
            rate: Some(received as f64 / active.as_secs_f64()),
            ..outcome
        })
    }

    async fn connects(&mut self, warm: u32, sockets: u32) -> anyhow::Result<Outcome> {
        self.join(warm).await?;
        let agents = self.agents(sockets)?;
        let begun = self.begin().await?;
        self.crowd.join(agents).await?;
        let took = begun.at.elapsed();
        sleep(TRAILING).await;
        let cpu = self.server.cpu()? - begun.cpu;
        Ok(Outcome {
            cost: micros(cpu) / f64::from(sockets),
            rate: Some(f64::from(sockets) / took.as_secs_f64()),
        })
    }

    async fn idle(&mut self, warm: u32, sockets: u32, settle: Duration) -> anyhow::Result<Outcome> {
        self.join(warm).await?;
        sleep(settle).await;
        let before = self.server.memory()?;
        self.join(sockets).await?;
        sleep(settle).await;
        let more = self.server.memory()?.saturating_sub(before);
        Ok(Outcome {
            cost: more as f64 / 1024.0 / f64::from(sockets),
            rate: None,
        })
    }

    /// More agents, over all rooms evenly.
    fn agents(&mut self, count: u32) -> anyhow::Result<Vec<Agent>> {
        let first = self.agents;
        self.agents += count;
        let members = self.rooms.members;
        (first..self.agents)
            .map(|number| Agent::new(number, number / members))
            .collect()
    }

    async fn join(&mut self, count: u32) -> anyhow::Result<()> {
        let agents = self.agents(count)?;
        self.crowd.join(agents).await
    }

    async fn publish_at(&mut self, rate: u32, length: Duration) -> anyhow::Result<Duration> {
        at_rate(rate, length, async || self.publish_one().await).await
    }

    async fn publish(&mut self, messages: u32) -> anyhow::Result<()> {
        for _ in 0..messages {
            self.publish_one().await?;
        }
        Ok(())
    }

    /// Publishes to the next room.
    async fn publish_one(&mut self) -> anyhow::Result<()> {
        let mark = self.messages.next(self.turns.next_room());
        self.broker.publish(mark).await
    }

    /// Keeps all connections to the relay busy, and waits for the last answers.
    async fn emit_for(&mut self, length: Duration) -> anyhow::Result<()> {
        let relay = self.relay.as_mut().context("the relay is not connected")?;
        let began = Instant::now();
        while began.elapsed() < length {
            go_on()?;
            let (connection, room) = relay.free().await?;
            relay.send(connection, self.messages.next(room)).await?;
        }
        until("all requests are answered", ANSWERS, async || {
            Ok(relay.answered() == self.messages.sum())
        })
        .await
    }

    /// Waits until all sockets have everything, or get no more, and the broker has confirmed it.
    async fn delivered(&self) -> anyhow::Result<()> {
        let events = self.messages.sum() * u64::from(self.rooms.members);
        self.crowd.receive(events).await?;
        self.broker.confirmed().await
    }

    /// Begins to measure, latencies too.
    async fn begin(&mut self) -> anyhow::Result<Begun> {
        sleep(TRAILING).await;
        self.crowd.measure_from(self.clock.now());
        self.now()
    }

    fn now(&self) -> anyhow::Result<Begun> {
        Ok(Begun {
            at: Instant::now(),
            cpu: self.server.cpu()?,
            received: self.crowd.received()?,
        })
    }

    async fn end(&mut self, begun: Begun) -> anyhow::Result<Outcome> {
        let took = begun.at.elapsed();
        let received = self.crowd.received()? - begun.received;
        sleep(TRAILING).await;
        let cpu = self.server.cpu()? - begun.cpu;
        Ok(Outcome {
            cost: micros(cpu) / received as f64,
            rate: Some(received as f64 / took.as_secs_f64()),
        })
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
