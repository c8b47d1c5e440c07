//! Several gateways that share a stream, and what goes wrong with them: they are killed, terminated and
//! replaced, alone and all at once, and lose their ways to the broker.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use super::brokers::Brokers;
use super::cluster;
use super::faults::{self, BETWEEN_OUTAGES, Ways, expect_success, last_lines, rest, ways_to};
use super::nginx::Nginx;
use super::plan::{KILL_EVERY, between, ms};
use super::world::{Phase, Site, World};
use crate::harness::{Proxy, Signal, TestGateway};

/// How long a replica may take until it is ready, on a busy machine whose broker has lost a server.
const READY_WITHIN: Duration = Duration::from_secs(120);

const STREAM: (&str, &str) = ("JOURNAL", "stream");

pub(crate) struct Replicas {
    world: Arc<World>,
    brokers: Arc<Brokers>,
    program: PathBuf,
    chance: StdRng,
    replicas: Vec<Replica>,
    ways_to_members: Arc<Ways>,
    nginx: Option<Nginx>,
    /// How many processes were started.
    started: u32,
    /// The last lines of the logs of those that have ended.
    past: Vec<String>,
}

/// One of the gateways, one process after the other.
struct Replica {
    way_to_broker: Proxy,
    /// When that was cut or stalled.
    last_outage: Option<Instant>,
    /// Where it listens: anywhere, unless it has to be where it was before.
    port: String,
    /// None between the end of one and the start of the next.
    present: Option<TestGateway>,
    /// Where members find it, while they do.
    addresses: Vec<String>,
}

impl Replicas {
    pub(crate) async fn start(
        world: Arc<World>,
        brokers: Arc<Brokers>,
        program: PathBuf,
        count: usize,
    ) -> Self {
        let nginx = match world.plan.nginx {
            true => Some(Nginx::start().await),
            false => None,
        };
        let mut replicas = Self {
            chance: world.plan.chance("replicas", 0),
            world,
            brokers,
            program,
            replicas: Vec::new(),
            ways_to_members: Arc::default(),
            nginx,
            started: 0,
            past: Vec::new(),
        };
        for number in 0..count {
            let way_to_broker = replicas.brokers.way(number).await;
            let port = match &replicas.nginx {
                Some(nginx) => nginx.replicas[number].to_string(),
                None => "0".to_owned(),
            };
            replicas.replicas.push(Replica {
                way_to_broker,
                last_outage: None,
                port,
                present: None,
                addresses: Vec::new(),
            });
            replicas.launch(number).await;
            replicas.open(number).await;
        }
        replicas
    }

    pub(crate) fn ways_to_members(&self) -> Arc<Ways> {
        self.ways_to_members.clone()
    }

    /// The last lines of each process's log.
    pub(crate) fn log(&self) -> String {
        let present = self.replicas.iter().filter_map(|one| one.present.as_ref());
        let present = present.map(|present| last_lines(present.log().into_iter()));
        let past = self.past.iter().rev().take(6).rev().cloned();
        past.chain(present).collect::<Vec<_>>().join("\n\n")
    }

    /// Brings about faults until the run drains.
    pub(crate) async fn run(mut self) -> Self {
        match self.world.plan.drill {
            Some(_) => self.drill().await,
            None => self.chance().await,
        }
        for replica in &self.replicas {
            replica.way_to_broker.resume();
            replica.way_to_broker.restore();
        }
        self
    }

    /// Ends all of them as an operator does; whether they did what they should.
    pub(crate) async fn stop(mut self) {
        for number in 0..self.replicas.len() {
            if let Some(present) = self.signal(number, Signal::TERM) {
                self.end(present, true).await;
            }
        }
    }

    /// Kills one after the other, and starts it again at once; when half of the time is over, the
    /// stream's leader goes as well.
    async fn drill(&mut self) {
        self.world.all_have_joined().await;
        self.world.say("all members have joined");
        let (began, half) = (Instant::now(), self.world.plan.duration / 2);
        let mut leader = None;
        let mut round = 0;
        while self.world.phase() == Phase::Running {
            round += 1;
            let due = KILL_EVERY * round;
            let pause = due.saturating_sub(began.elapsed());
            rest(&self.world, pause).await;
            if self.world.phase() != Phase::Running {
                break;
            }
            if leader.is_none() && began.elapsed() >= half && self.brokers.are_several() {
                let (world, brokers) = (self.world.clone(), self.brokers.clone());
                leader = Some(tokio::spawn(async move {
                    cluster::kill_leader(&world, &brokers).await;
                }));
            }
            self.restart(round as usize % self.replicas.len(), 0, Duration::ZERO)
                .await;
        }
        if let Some(leader) = leader {
            leader.await.unwrap();
        }
    }

    async fn chance(&mut self) {
        while self.world.phase() == Phase::Running {
            let pause = between(&mut self.chance, ms(2_000), ms(9_000));
            rest(&self.world, pause).await;
            let plan = &self.world.plan;
            let (restarts, outages) = (plan.has("restarts"), plan.has("broker"));
            let lot = self.chance.random_range(0..100);
            let number = self.chance.random_range(0..self.replicas.len());
            let away = between(&mut self.chance, ms(0), ms(4_000));
            if self.world.phase() != Phase::Running {
                break;
            }
            match lot {
                0..45 if restarts => self.restart(number, lot % 3, away).await,
                45..52 if restarts => self.kill_all(away).await,
                52..80 if outages => self.outage(number, lot % 2 == 0, lot < 57).await,
                52.. if outages => {
                    let way = &self.replicas[number].way_to_broker;
                    faults::trouble(&self.world, &mut self.chance, &[way], lot % 3).await;
                }
                _ => {}
            }
        }
    }

    /// Costs a replica its connections to the broker, or all of them.
    async fn outage(&mut self, number: usize, cut: bool, all: bool) {
        let chosen = |other: usize| all || other == number;
        let replicas = self.replicas.iter_mut().enumerate();
        // A gateway is not yet tired of waiting when it begins.
        let calm = replicas
            .filter(|(other, _)| chosen(*other))
            .map(|(_, replica)| replica)
            .filter(|replica| {
                let last = replica.last_outage;
                last.is_none_or(|last| last.elapsed() >= BETWEEN_OUTAGES)
            });
        let mut ways = Vec::new();
        for replica in calm {
            replica.last_outage = Some(Instant::now());
            ways.push(&replica.way_to_broker);
        }
        if !ways.is_empty() {
            faults::outage(&self.world, &mut self.chance, &ways, cut).await;
        }
    }

    async fn restart(&mut self, number: usize, kind: u32, away: Duration) {
        if kind == 2 {
            self.replace(number).await;
            return;
        }
        let (fault, signal) = match kind {
            0 => ("replica killed", Signal::KILL),
            _ => ("replica terminated", Signal::TERM),
        };
        self.world.fault(fault, Duration::ZERO);
        let mut past = self.signal(number, signal);
        if kind == 0 {
            // The next may have to listen where this one did.
            self.end(past.take(), false).await;
        }
        rest(&self.world, away).await;
        self.launch(number).await;
        self.end(past, true).await;
        self.open(number).await;
    }

    /// Starts another before it ends the present one.
    async fn replace(&mut self, number: usize) {
        self.world.fault("replica handed over", Duration::ZERO);
        let past = self.replicas[number].present.take();
        self.launch(number).await;
        self.open(number).await;
        if let Some(past) = &past {
            past.signal(Signal::TERM);
        }
        self.end(past, true).await;
    }

    async fn kill_all(&mut self, away: Duration) {
        self.world.fault("all replicas killed", Duration::ZERO);
        for number in 0..self.replicas.len() {
            let past = self.signal(number, Signal::KILL);
            self.end(past, false).await;
        }
        rest(&self.world, away).await;
        for number in 0..self.replicas.len() {
            self.launch(number).await;
        }
        for number in 0..self.replicas.len() {
            self.open(number).await;
        }
    }

    /// Signals the present process, which gets no more members; it is what has to end.
    fn signal(&mut self, number: usize, signal: Signal) -> Option<TestGateway> {
        let past = self.replicas[number].present.take();
        if let Some(past) = &past {
            past.signal(signal);
        }
        self.close(number);
        past
    }

    /// Starts the replica's next process.
    async fn launch(&mut self, number: usize) {
        let replica = &mut self.replicas[number];
        let variables = [STREAM, ("PORT", &*replica.port), ("TRUSTED_PROXIES", "1")];
        let variables = match self.nginx {
            None => &variables[..1],
            Some(_) => &variables[..],
        };
        let way = &replica.way_to_broker;
        let starting = faults::start(&self.world, &self.brokers, &self.program, way, variables);
        let present = starting.await;
        let mut processes = self.world.processes.lock().unwrap();
        processes.insert(self.started, present.pid());
        self.started += 1;
        replica.present = Some(present);
        replica.last_outage = None;
    }

    /// Waits for the end of a process.
    async fn end(&mut self, past: impl Into<Option<TestGateway>>, expected: bool) {
        let Some(past) = past.into() else { return };
        let pid = past.pid();
        let past = past.ended().await;
        if expected {
            expect_success(&self.world, &past);
        }
        self.past.push(last_lines(past.log.lines()));
        let mut processes = self.world.processes.lock().unwrap();
        processes.retain(|_, other| *other != pid);
    }

    /// Waits until a replica is ready, and has members connect to it.
    async fn open(&mut self, number: usize) {
        let Some(present) = &self.replicas[number].present else {
            return;
        };
        let began = Instant::now();
        loop {
            let ready = present.get("/readyz").await.1;
            if ready["status"] == "ready" {
                break;
            }
            assert!(
                began.elapsed() < READY_WITHIN,
                "the replica does not become ready: {ready}\n{}",
                present.log().join("\n")
            );
            sleep(ms(50)).await;
        }
        let (ways, addresses) = ways_to(present).await;
        self.replicas[number].addresses = addresses;
        let mut all = self.ways_to_members.0.lock().unwrap();
        let first = number * ways.len();
        let upto = all.len().min(first + ways.len());
        all.splice(first..upto, ways);
        drop(all);
        self.show();
    }

    /// Has no more members connect to a replica.
    fn close(&mut self, number: usize) {
        self.replicas[number].addresses.clear();
        self.show();
    }

    fn show(&self) {
        let sites: Vec<_> = match &self.nginx {
            Some(nginx) => vec![vec![nginx.address.clone()]],
            None => {
                let replicas = self.replicas.iter();
                let addresses = replicas.map(|replica| replica.addresses.clone());
                addresses
                    .filter(|addresses| !addresses.is_empty())
                    .collect()
            }
        };
        let sites = sites.into_iter().map(|addresses| Site {
            generation: 0,
            addresses,
        });
        self.world.sites.send_replace(sites.collect());
    }
}
