//! How long a message takes from its publisher to an agent, while nobody attacks and while somebody
//! does: the same gateway, one flood after the other with calm in between, a few seconds each.
//!
//! ```text
//! make siege
//! ```
//!
//! It prints a table and judges nothing but that every message came, in order. The attackers take
//! their share of the same machine: malformed packets and oversized frames come as fast as it can
//! make them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what cannot be is a failure"
)]

#[allow(
    dead_code,
    unused_imports,
    reason = "the tests of single behaviours use the rest"
)]
#[path = "../harness/mod.rs"]
mod harness;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use harness::{Broker, Client, Flood, TestGateway, message, random_name};

/// What is sent, and how much of it: with an end of its own, or until the time is over.
const FLOODS: [(&str, Option<(Flood, usize)>); 9] = [
    ("calm", None),
    ("100,000 CONNECTs", Some((Flood::Connects, 100_000))),
    ("calm", None),
    ("malformed packets", Some((Flood::Malformed, 200_000))),
    ("calm", None),
    ("oversized frames", Some((Flood::Oversized, 5_000))),
    ("calm", None),
    ("2,000 half-open requests", Some((Flood::HalfOpen, 2_000))),
    ("calm", None),
];

/// How long it is calm.
const CALM: Duration = Duration::from_secs(5);

/// How often a message is published.
const PACE: Duration = Duration::from_millis(5);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(besiege());
}

async fn besiege() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    println!("| meanwhile | seconds | messages | p50 ms | p99 ms | max ms | memory MB at most |");
    println!("|---|---|---|---|---|---|---|");
    for (name, flood) in FLOODS {
        let over = AtomicBool::new(false);
        let began = Instant::now();
        let flooding = async {
            match flood {
                None => sleep(CALM).await,
                Some((flood, amount)) => flood.run(gateway.address(), amount).await,
            }
            over.store(true, Ordering::Release);
        };
        let mut most = 0;
        let watching = async {
            while !over.load(Ordering::Acquire) {
                most = most.max(gateway.memory());
                sleep(Duration::from_millis(20)).await;
            }
        };
        let measuring = latencies(&broker, &mut agent, &over);
        let ((), (), mut times) = tokio::join!(flooding, watching, measuring);
        times.sort();
        let at = |part: f64| {
            let index = (times.len() as f64 * part) as usize;
            times[index.min(times.len() - 1)].as_secs_f64() * 1_000.0
        };
        println!(
            "| {name} | {:.1} | {} | {:.2} | {:.2} | {:.2} | {:.1} |",
            began.elapsed().as_secs_f64(),
            times.len(),
            at(0.5),
            at(0.99),
            at(1.0),
            most as f64 / f64::from(1 << 20),
        );
    }
    let log = gateway.log().join("\n");
    assert!(!log.contains("panicked"), "{log}");
}

/// Publishes one message after the other, and takes the time until the agent has it.
async fn latencies(broker: &Broker, agent: &mut Client, over: &AtomicBool) -> Vec<Duration> {
    let (round, mut times) = (random_name(), Vec::new());
    while !over.load(Ordering::Acquire) {
        let id = format!("{round}-{}", times.len());
        let body = message("acme", "c-1", &id);
        let began = Instant::now();
        let publishing = broker.publish("inbound_message", &body);
        let receiving = async {
            assert_eq!(agent.event().await.message_id(), id);
            began.elapsed()
        };
        let ((), time) = tokio::join!(publishing, receiving);
        times.push(time);
        sleep(PACE).await;
    }
    times
}
