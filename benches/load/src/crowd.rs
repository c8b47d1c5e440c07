//! All sockets of a run, in one thread over one epoll: a socket costs a few hundred bytes, and an
//! event little more than the system call that reads it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::agent::Agent;
use crate::client::{Client, Happened};
use crate::clock::Clock;
use crate::receipts::Faults;
use crate::wait::{until, until_reached};

/// How many sockets connect at the same time.
const AT_ONCE: usize = 50;

/// How much is read at once, in bytes: some hundred events.
const BUFFER: usize = 256 * 1024;

/// How long nothing has to come before what is missing counts as missing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long all sockets may take to join.
const JOINING: Duration = Duration::from_secs(60);

/// How soon the thread sees that nobody is left who could wake it.
const LOOK_UP: Duration = Duration::from_millis(500);

const WAKE: Token = Token(usize::MAX);

/// The sockets. Dropped, it closes them.
pub(crate) struct Crowd {
    counts: Arc<Counts>,
    orders: mpsc::Sender<Order>,
    waker: Waker,
    thread: JoinHandle<Option<Record>>,
}

/// What is known while the sockets are in use.
#[derive(Default)]
struct Counts {
    joined: AtomicU64,
    received: AtomicU64,
    /// Latencies of messages count that were sent from here on, by the clock.
    measured_from: AtomicU64,
    /// What ended the thread, if that was an error.
    failure: OnceLock<String>,
}

enum Order {
    Connect(Vec<Agent>),
    /// Ends, and judges what has come by how much was published in each room.
    Finish(Vec<u32>),
}

/// What all sockets have seen.
pub(crate) struct Record {
    pub(crate) faults: Faults,
    /// How many connections the server has closed.
    pub(crate) closed: u64,
    /// From publication to receipt, in nanoseconds.
    pub(crate) latencies: Histogram<u64>,
    /// From the beginning of the TCP connection to `joined`, in nanoseconds, from the same time on.
    pub(crate) joins: Histogram<u64>,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new(address: SocketAddr, clock: Clock) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let (orders, taken) = mpsc::channel();
        let counts = Arc::new(Counts::default());
        counts.measured_from.store(u64::MAX, Ordering::Release);
        let worker = Worker {
            address,
            clock,
            poll,
            orders: taken,
            counts: counts.clone(),
            clients: Vec::new(),
            waiting: VecDeque::new(),
            connecting: 0,
            closed: 0,
            latencies: histogram()?,
            joins: histogram()?,
        };
        let thread = std::thread::Builder::new().name("sockets".to_owned());
        let told = counts.clone();
        let thread = thread.spawn(move || match worker.run() {
            Ok(record) => record,
            Err(error) => {
                told.failure.get_or_init(|| format!("{error:#}"));
                None
            }
        })?;
        Ok(Self {
            counts,
            orders,
            waker,
            thread,
        })
    }

    /// Has these agents join as well, and waits until all have.
    pub(crate) async fn join(&self, agents: Vec<Agent>) -> anyhow::Result<()> {
        let all = self.counts.joined.load(Ordering::Acquire) + agents.len() as u64;
        self.order(Order::Connect(agents))?;
        until("all sockets join", JOINING, async || {
            self.check()?;
            Ok(self.counts.joined.load(Ordering::Acquire) >= all)
        })
        .await
    }

    /// How many events have come.
    pub(crate) fn received(&self) -> anyhow::Result<u64> {
        self.check()?;
        Ok(self.counts.received.load(Ordering::Acquire))
    }

    /// Waits until so many events have come, or until none comes any more.
    pub(crate) async fn receive(&self, events: u64) -> anyhow::Result<()> {
        until_reached(events, IDLE_TIMEOUT, || self.received()).await
    }

    /// Latencies count from this time on.
    pub(crate) fn measure_from(&self, time: u64) {
        self.counts.measured_from.store(time, Ordering::Release);
    }

    /// Closes all sockets. `published`: how many messages each room had.
    pub(crate) fn finish(self, published: &[u32]) -> anyhow::Result<Record> {
        self.order(Order::Finish(published.to_vec()))?;
        match self.thread.join() {
            Ok(Some(record)) => Ok(record),
            Ok(None) => bail!("a socket has failed: {:?}", self.counts.failure.get()),
            Err(_) => bail!("the sockets' thread has panicked"),
        }
    }

    fn order(&self, order: Order) -> anyhow::Result<()> {
        let ended = self.orders.send(order).is_err();
        self.check()?;
        ensure!(!ended, "the sockets' thread has ended");
        Ok(self.waker.wake()?)
    }

    fn check(&self) -> anyhow::Result<()> {
        match self.counts.failure.get() {
            Some(failure) => bail!("a socket has failed: {failure}"),
            None => Ok(()),
        }
    }
}

struct Worker {
    address: SocketAddr,
    clock: Clock,
    poll: Poll,
    orders: mpsc::Receiver<Order>,
    counts: Arc<Counts>,
    /// Their places are their tokens.
    clients: Vec<Client>,
    waiting: VecDeque<Agent>,
    connecting: usize,
    closed: u64,
    latencies: Histogram<u64>,
    joins: Histogram<u64>,
}

impl Worker {
    /// Runs until it is told to finish, or until nobody is left who could tell it.
    fn run(mut self) -> anyhow::Result<Option<Record>> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; BUFFER];
        loop {
            match self.poll.poll(&mut events, Some(LOOK_UP)) {
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                    return Err(error).context("epoll fails");
                }
                _ => {}
            }
            for event in &events {
                if event.token() != WAKE {
                    self.ready(event.token(), &mut buffer)?;
                }
            }
            loop {
                match self.orders.try_recv() {
                    Ok(Order::Connect(agents)) => self.waiting.extend(agents),
                    Ok(Order::Finish(published)) => return Ok(Some(self.record(&published))),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return Ok(None),
                }
            }
            while self.connecting < AT_ONCE
                && let Some(agent) = self.waiting.pop_front()
            {
                self.begin(agent)?;
            }
        }
    }

    fn begin(&mut self, agent: Agent) -> anyhow::Result<()> {
        let mut client = Client::begin(self.address, agent)?;
        let token = Token(self.clients.len());
        self.poll
            .registry()
            .register(&mut client.stream, token, Interest::WRITABLE)?;
        self.clients.push(client);
        self.connecting += 1;
        Ok(())
    }

    fn ready(&mut self, token: Token, buffer: &mut [u8]) -> anyhow::Result<()> {
        let client = &mut self.clients[token.0];
        if client.connected()? {
            let registry = self.poll.registry();
            registry.reregister(&mut client.stream, token, Interest::READABLE)?;
            return Ok(());
        }
        let (counts, latencies, joins) = (&self.counts, &mut self.latencies, &mut self.joins);
        let (connecting, closed) = (&mut self.connecting, &mut self.closed);
        let measured_from = counts.measured_from.load(Ordering::Acquire);
        // One look at the clock for all that one call has read.
        let (clock, mut now, mut received) = (self.clock, 0, 0);
        client.read(buffer, |client, happened| {
            match happened {
                Happened::Message(mark) => {
                    ensure!(
                        mark.room == client.agent.room,
                        "a message of room {} has come to room {}",
                        mark.room,
                        client.agent.room
                    );
                    client.receipts.note(mark.sequence);
                    received += 1;
                    if mark.sent >= measured_from {
                        if now < mark.sent {
                            now = clock.now();
                        }
                        latencies.saturating_record(now.saturating_sub(mark.sent));
                    }
                }
                Happened::Joined => {
                    *connecting -= 1;
                    counts.joined.fetch_add(1, Ordering::AcqRel);
                    if measured_from != u64::MAX {
                        let took = client.began.elapsed().as_nanos();
                        joins.saturating_record(u64::try_from(took)?);
                    }
                }
                Happened::Closed => *closed += 1,
            }
            Ok(())
        })?;
        self.counts.received.fetch_add(received, Ordering::AcqRel);
        Ok(())
    }

    fn record(self, published: &[u32]) -> Record {
        let mut faults = Faults::default();
        for client in &self.clients {
            let published = published.get(client.agent.room as usize);
            faults += client.receipts.faults(published.copied().unwrap_or(0));
        }
        Record {
            faults,
            closed: self.closed,
            latencies: self.latencies,
            joins: self.joins,
        }
    }
}

/// From a microsecond to a minute, to 0.1 %.
pub(crate) fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1_000, 60_000_000_000, 3)?)
}
