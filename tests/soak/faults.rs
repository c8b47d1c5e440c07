//! What goes wrong: on the way to the broker, on the way to the members, and with the gateway.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use super::brokers::Brokers;
use super::judge::Fault;
use super::plan::{PING_INTERVAL, PING_TIMEOUT, between, ms};
use super::world::{Phase, Site, World};
use crate::harness::gateway::Ended;
use crate::harness::proxy::Direction;
use crate::harness::{DEADLINE, Proxy, Signal, TestGateway};

/// In seconds; a stall can be longer than what both sides bear.
const BROKER_HEARTBEAT: u32 = 2;

/// The gateway waits longer and longer for a broker that goes away again within half a minute. So
/// much time lies between two faults that cost the connection: outages stay within the time for
/// which repeats are recognised.
pub(crate) const BETWEEN_OUTAGES: Duration = Duration::from_secs(45);

/// How many proxies stand between the gateway and its members.
const PROXIES: usize = 2;

/// The gateway, one process generation after the other.
pub(crate) struct Gateways {
    world: Arc<World>,
    brokers: Arc<Brokers>,
    program: PathBuf,
    chance: StdRng,
    way_to_broker: Proxy,
    ways_to_members: Arc<Ways>,
    present: TestGateway,
    /// How many were there before it.
    generation: u32,
    /// The last lines of the logs of those before.
    past: Vec<String>,
}

/// The proxies in front of the gateways that are there: of the first, then of the next.
#[derive(Default)]
pub(crate) struct Ways(pub(crate) Mutex<Vec<Arc<Proxy>>>);

impl Gateways {
    /// Starts the first.
    pub(crate) async fn start(world: Arc<World>, brokers: Arc<Brokers>, program: PathBuf) -> Self {
        let chance = world.plan.chance("gateways", 0);
        let way_to_broker = brokers.way(0).await;
        let start = start(&world, &brokers, &program, &way_to_broker, &[]);
        let present = start.await;
        let gateways = Self {
            ways_to_members: Arc::default(),
            world,
            brokers,
            program,
            chance,
            way_to_broker,
            present,
            generation: 0,
            past: Vec::new(),
        };
        gateways.present.ready().await;
        drop(gateways.open().await);
        gateways
    }

    pub(crate) fn ways_to_members(&self) -> Arc<Ways> {
        self.ways_to_members.clone()
    }

    /// The last lines of each gateway's log.
    pub(crate) fn log(&self) -> String {
        let present = last_lines(self.present.log().into_iter());
        let generations = self.past.iter().chain([&present]);
        generations.cloned().collect::<Vec<_>>().join("\n\n")
    }

    /// Brings about faults of the broker's connection and of the gateway until the run drains.
    pub(crate) async fn run(mut self) -> Self {
        let mut last_outage: Option<Instant> = None;
        while self.world.phase() == Phase::Running {
            let pause = between(&mut self.chance, ms(3_000), ms(12_000));
            self.rest(pause).await;
            let (restarts, outages) = (
                self.world.plan.has("restarts"),
                self.world.plan.has("broker"),
            );
            let lot = self.chance.random_range(0..100);
            if self.world.phase() != Phase::Running {
                break;
            }
            let calm = last_outage.is_none_or(|last| last.elapsed() >= BETWEEN_OUTAGES);
            match lot {
                0..20 if restarts => {
                    self.restart(lot % 3).await;
                    // A new gateway is not yet tired of waiting.
                    last_outage = None;
                }
                20..60 if outages && calm => {
                    self.outage(lot % 2 == 0).await;
                    last_outage = Some(Instant::now());
                }
                20.. if outages => self.trouble(lot % 3).await,
                _ => {}
            }
        }
        self.way_to_broker.resume();
        self.way_to_broker.restore();
        self
    }

    /// Ends the present gateway as an operator does; whether it did what it should.
    pub(crate) async fn stop(self) {
        self.present.signal(Signal::TERM);
        expect_success(&self.world, &self.present.ended().await);
    }

    /// Costs the gateway its connection to the broker.
    async fn outage(&mut self, cut: bool) {
        outage(&self.world, &mut self.chance, &[&self.way_to_broker], cut).await;
    }

    /// Slows the way to the broker down.
    async fn trouble(&mut self, kind: u32) {
        trouble(&self.world, &mut self.chance, &[&self.way_to_broker], kind).await;
    }

    async fn restart(&mut self, kind: u32) {
        self.generation += 1;
        match kind {
            0 => {
                self.world.fault("gateway killed", Duration::ZERO);
                self.present.signal(Signal::KILL);
            }
            1 => {
                self.world.fault("gateway terminated", Duration::ZERO);
                self.present.signal(Signal::TERM);
            }
            _ => self.world.fault("gateway handed over", Duration::ZERO),
        }
        // On another port, and perhaps beside the past one: the broker delivers to one of them.
        let next = start(
            &self.world,
            &self.brokers,
            &self.program,
            &self.way_to_broker,
            &[],
        );
        let next = next.await;
        let past = std::mem::replace(&mut self.present, next);
        let ways = self.open().await;
        match kind {
            0 | 1 => {}
            _ => {
                self.rest(ms(1_000)).await;
                past.signal(Signal::TERM);
            }
        }
        let past = past.ended().await;
        if kind != 0 {
            expect_success(&self.world, &past);
        }
        self.past.push(last_lines(past.log.lines()));
        drop(ways);
        let deadline = Instant::now() + DEADLINE;
        while self.present.get("/readyz").await.1["status"] != "ready" {
            assert!(
                Instant::now() < deadline,
                "the gateway does not become ready"
            );
            sleep(ms(50)).await;
        }
    }

    /// Has members connect to the present gateway; with the proxies of the one before.
    async fn open(&self) -> Vec<Arc<Proxy>> {
        let (ways, addresses) = ways_to(&self.present).await;
        *self.world.processes.lock().unwrap() = [(self.generation, self.present.pid())].into();
        self.world.sites.send_replace(vec![Site {
            generation: self.generation,
            addresses,
        }]);
        std::mem::replace(&mut *self.ways_to_members.0.lock().unwrap(), ways)
    }

    async fn rest(&self, time: Duration) {
        rest(&self.world, time).await;
    }
}

impl Ways {
    fn get(&self, number: usize) -> Arc<Proxy> {
        self.0.lock().unwrap()[number].clone()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Proxies in front of a gateway, and all its addresses: its own, and theirs.
pub(crate) async fn ways_to(gateway: &TestGateway) -> (Vec<Arc<Proxy>>, Vec<String>) {
    let mut addresses = vec![gateway.address().to_owned()];
    let mut ways = Vec::new();
    for _ in 0..PROXIES {
        let proxy = Proxy::to(gateway.address().to_owned()).await;
        addresses.push(proxy.address().to_owned());
        ways.push(Arc::new(proxy));
    }
    (ways, addresses)
}

/// Costs gateways their connections to the broker by these ways.
pub(crate) async fn outage(world: &World, chance: &mut StdRng, ways: &[&Proxy], cut: bool) {
    if cut {
        let time = between(chance, ms(100), ms(4_000));
        world.fault("broker cut", time);
        ways.iter().for_each(|way| way.cut());
        rest(world, time).await;
        ways.iter().for_each(|way| way.restore());
    } else {
        let time = between(chance, ms(4_000), ms(10_000));
        world.fault("broker stalled beyond the heartbeat", time);
        let directions = directions(chance);
        ways.iter()
            .for_each(|way| way.stall(directions.iter().copied()));
        rest(world, time).await;
        ways.iter().for_each(|way| way.resume());
    }
}

/// Slows these ways to the broker down.
pub(crate) async fn trouble(world: &World, chance: &mut StdRng, ways: &[&Proxy], kind: u32) {
    let mut time = between(chance, ms(2_000), ms(10_000));
    let directions = directions(chance);
    let directions = || directions.iter().copied();
    match kind {
        0 => {
            time = between(chance, ms(100), ms(1_500));
            world.fault("broker stalled", time);
            ways.iter().for_each(|way| way.stall(directions()));
        }
        1 => {
            world.fault("broker delayed", time);
            let delay = between(chance, ms(10), ms(300));
            ways.iter().for_each(|way| way.delay(directions(), delay));
        }
        _ => {
            world.fault("broker throttled", time);
            let (bytes, pause) = throttle(chance);
            ways.iter()
                .for_each(|way| way.throttle(directions(), bytes, pause));
        }
    }
    rest(world, time).await;
    ways.iter().for_each(|way| way.resume());
}

/// Brings about faults of the connections by way of one proxy until the run drains.
pub(crate) async fn trouble_members(world: Arc<World>, ways: Arc<Ways>, number: usize) {
    let mut chance = world.plan.chance("clients", number);
    while world.phase() == Phase::Running {
        let pause = between(&mut chance, ms(1_000), ms(6_000));
        rest(&world, pause).await;
        let way = ways.get(number);
        let directions = directions(&mut chance);
        let mut time = between(&mut chance, ms(1_000), ms(8_000));
        match chance.random_range(0..4) {
            0 => {
                time = between(&mut chance, ms(50), ms(3_000));
                world.fault("clients cut", time);
                way.cut();
            }
            1 => {
                world.fault("clients stalled", time);
                way.stall(directions);
            }
            2 => {
                world.fault("clients delayed", time);
                way.delay(directions, between(&mut chance, ms(10), ms(400)));
            }
            _ => {
                world.fault("clients throttled", time);
                let (bytes, pause) = throttle(&mut chance);
                way.throttle(directions, bytes, pause);
            }
        }
        rest(&world, time).await;
        way.restore();
        way.resume();
    }
}

pub(crate) async fn rest(world: &World, time: Duration) {
    tokio::select! {
        () = sleep(time) => {}
        () = world.reaches(Phase::Draining) => {}
    }
}

fn directions(chance: &mut StdRng) -> Vec<Direction> {
    match chance.random_range(0..3) {
        0 => vec![Direction::ToServer],
        1 => vec![Direction::ToClient],
        _ => Direction::BOTH.to_vec(),
    }
}

/// So many bytes at a time, and the time between.
fn throttle(chance: &mut StdRng) -> (usize, Duration) {
    let bytes = chance.random_range(400..8_000);
    (bytes, between(chance, ms(10), ms(80)))
}

pub(crate) async fn start(
    world: &World,
    brokers: &Brokers,
    program: &std::path::Path,
    way_to_broker: &Proxy,
    more: &[(&str, &str)],
) -> TestGateway {
    let mut url = brokers.url_by_way_of(way_to_broker);
    if world.plan.drill.is_none() {
        url += &format!("?heartbeat={BROKER_HEARTBEAT}");
    }
    let prefetch = world.plan.prefetch.to_string();
    let ping_interval = PING_INTERVAL.as_millis().to_string();
    let ping_timeout = PING_TIMEOUT.as_millis().to_string();
    let window = world.plan.window().to_string();
    let replayed = world.plan.replayed().to_string();
    let mut variables = vec![
        ("AMQP_URL", &*url),
        ("AMQP_PREFETCH", &*prefetch),
        ("AMQP_QUEUE_TYPE", world.plan.queue_type),
        ("REPLAY_WINDOW_SECONDS", &*window),
        ("REPLAY_MAX_EVENTS", &*replayed),
        ("PING_INTERVAL_MS", &*ping_interval),
        ("PING_TIMEOUT_MS", &*ping_timeout),
    ];
    if world.plan.drill.is_none() {
        // Small enough that members who are slow miss something.
        variables.push(("MAX_LAG_BYTES", "20000"));
    }
    variables.extend(more);
    TestGateway::start_program(program, brokers.first(), &variables).await
}

pub(crate) fn last_lines(log: impl Iterator<Item = impl AsRef<str>>) -> String {
    const MOST: usize = 30;
    let mut last = VecDeque::new();
    for line in log {
        last.push_back(line.as_ref().to_owned());
        if last.len() > MOST {
            last.pop_front();
        }
    }
    Vec::from(last).join("\n")
}

pub(crate) fn expect_success(world: &World, ended: &Ended) {
    if !ended.status.success() {
        let report = format!(
            "a gateway that was told to end: {}\n{}",
            ended.status, ended.log
        );
        world.find_at_large(Fault::Contract, report);
    }
}
