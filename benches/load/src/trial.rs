//! One scenario against one server.

use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use tokio::time::timeout;

use crate::broker::{Broker, Hold};
use crate::driver::Driver;
use crate::mark::Mark;
use crate::receipts::Faults;
use crate::scenario::{Load, Rooms, Scenario};
use crate::server::{Program, Server};

/// How long one trial may take.
const LIMIT: Duration = Duration::from_secs(180);

/// The room of a message to nobody.
const NOBODY: Mark = Mark {
    room: u32::MAX,
    sequence: 0,
    sent: 0,
};

/// What a trial has shown.
pub(crate) struct Measured {
    /// In the load's [unit](Load::unit).
    pub(crate) cost: f64,
    /// Events or connects a second.
    pub(crate) rate: Option<f64>,
    /// In nanoseconds: from publication to receipt, or from the beginning of a connection to `joined`.
    pub(crate) latencies: Option<Histogram<u64>>,
    pub(crate) faults: Faults,
    /// How many connections the server has closed.
    pub(crate) closed: u64,
    /// The server's, at the end, in bytes.
    pub(crate) memory: u64,
    /// By how much the publisher was behind its clock at most.
    pub(crate) late: Duration,
}

/// Runs the scenario, and leaves nothing behind at the broker.
pub(crate) async fn run(
    scenario: &Scenario,
    program: &Program,
    amqp_url: &str,
) -> anyhow::Result<Measured> {
    let broker = Broker::connect(amqp_url).await?;
    let result = with_server(&scenario.load, program, &broker).await;
    let removed = broker.remove().await;
    let removed = removed.context("the trial's queues could not be removed");
    match (result, removed) {
        (Ok(measured), Ok(())) => Ok(measured),
        (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
        (Err(error), Err(other)) => Err(error.context(format!("{other:#}"))),
    }
}

async fn with_server(load: &Load, program: &Program, broker: &Broker) -> anyhow::Result<Measured> {
    // The server itself declares what it uses: before the queue can be kept from it, it has run once.
    let hold = match load {
        Load::Drain { .. } => {
            let server = program.start(broker).await?;
            let consumed = broker.consumed_by(1).await;
            server.stop().await?;
            consumed?;
            broker.consumed_by(0).await?;
            Some(broker.hold(NOBODY).await?)
        }
        _ => None,
    };
    let server = program.start(broker).await?;
    let result = timeout(LIMIT, async {
        // A consumer that has to wait for its turn is not counted; it will have come when the queue is full.
        if hold.is_none() {
            broker.consumed_by(1).await?;
        }
        measure(load, &server, broker, hold).await
    });
    let result = match result.await {
        Ok(result) => result.map_err(|error| server.explain(error)),
        Err(elapsed) => Err(elapsed).context("the trial takes too long"),
    };
    server.stop().await?;
    result
}

async fn measure(
    load: &Load,
    server: &Server,
    broker: &Broker,
    hold: Option<Hold>,
) -> anyhow::Result<Measured> {
    let rooms = match *load {
        Load::Rate { rooms, .. } | Load::Drain { rooms, .. } | Load::Relay { rooms, .. } => rooms,
        Load::Bursts { members, .. } => Rooms { rooms: 1, members },
        Load::Connects { .. } | Load::Idle { .. } => Rooms {
            rooms: load.sockets().div_ceil(2),
            members: 2,
        },
    };
    let mut driver = Driver::new(load, rooms, server, broker).await?;
    let outcome = driver.run(load, hold).await?;
    let memory = server.memory()?;
    let record = driver.crowd.finish(driver.messages.published())?;
    Ok(Measured {
        cost: outcome.cost,
        rate: outcome.rate,
        latencies: [record.latencies, record.joins]
            .into_iter()
            .find(|histogram| !histogram.is_empty()),
        faults: record.faults,
        closed: record.closed,
        memory,
        late: driver.late,
    })
}
