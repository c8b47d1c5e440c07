//! Puts a load on a server, and reads what it costs.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::time::sleep;

use crate::agent::Agent;
use crate::broker::{Broker, Hold};
use crate::clock::Clock;
use crate::crowd::Crowd;
use crate::mark::Mark;
use crate::pace::at_rate;
use crate::relay::Relay;
use crate::scenario::{Load, Rooms, Span};
use crate::server::Server;
use crate::wait::until;

/// Lets acknowledgements and the like go out before the processor time is read, so that what belongs
/// to a span is in it.
const TRAILING: Duration = Duration::from_millis(100);

/// Between two bursts.
const CALM: Duration = Duration::from_millis(200);

/// By what messages go to the server.
enum Way<'a> {
    Broker(&'a Broker),
    Relay(Relay),
}

pub(crate) struct Driver<'a> {
    server: &'a Server,
    way: Way<'a>,
    clock: Clock,
    pub(crate) crowd: Crowd,
    rooms: Rooms,
    /// How many agents there are.
    agents: u32,
    /// How many messages each room has had.
    pub(crate) published: Vec<u32>,
    next_room: u32,
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
        let way = match *load {
            Load::Relay { connections, .. } => {
                Way::Relay(Relay::connect(server.address(), connections).await?)
            }
            _ => Way::Broker(broker),
        };
        let clock = Clock::new();
        Ok(Self {
            server,
            way,
            clock,
            crowd: Crowd::new(server.address(), clock)?,
            rooms,
            agents: 0,
            published: vec![0; rooms.rooms as usize],
            next_room: 0,
            late: Duration::ZERO,
        })
    }

    /// Puts the load on the server.
    pub(crate) async fn run(&mut self, load: &Load, hold: Option<Hold>) -> anyhow::Result<Outcome> {
        match *load {
            Load::Rate { rate, span, .. } | Load::Relay { rate, span, .. } => {
                self.at_rate(rate, span).await
            }
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
        self.settled().await?;
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
        let room = self.next_room;
        self.next_room = (room + 1) % self.rooms.rooms;
        let published = &mut self.published[room as usize];
        let mark = Mark {
            room,
            sequence: *published,
            sent: self.clock.now(),
        };
        *published += 1;
        match &mut self.way {
            Way::Broker(broker) => broker.publish(mark).await,
            Way::Relay(relay) => relay.send(mark),
        }
    }

    /// Waits until everything has been taken, by the broker or by the relay.
    async fn settled(&mut self) -> anyhow::Result<()> {
        match &self.way {
            Way::Broker(broker) => broker.confirmed().await,
            Way::Relay(relay) => {
                let all = self.published.iter().map(|&count| u64::from(count)).sum();
                let limit = Duration::from_secs(20);
                until("all requests are answered", limit, async || {
                    Ok(relay.answered() >= all)
                })
                .await
            }
        }
    }

    /// Waits until all sockets have everything, or get no more.
    async fn delivered(&mut self) -> anyhow::Result<()> {
        let published: u64 = self.published.iter().map(|&count| u64::from(count)).sum();
        let events = published * u64::from(self.rooms.members);
        self.crowd.receive(events).await?;
        self.settled().await
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
