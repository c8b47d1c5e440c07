//! Floods of connects, malformed packets and oversized frames: the memory is released, and other agents are
//! served.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::harness::{
    Broker, Client, Flood, Received, TestGateway, claims, random_name, sign, until,
};

const MEGABYTE: usize = 1 << 20;

/// By how much a flood may make resident memory grow.
const GROWTH: usize = 20 * MEGABYTE;

/// What a round may add to what the one before has left. A namespace that is left behind by each
/// refused CONNECT makes twice that.
const REST: usize = 2 * MEGABYTE;

/// In one of so many rounds nothing is added.
const ROUNDS: usize = 4;

async fn sessions(gateway: &TestGateway) -> usize {
    let key = format!("x-internal-api-key: {}", crate::harness::API_KEY);
    let page = crate::harness::raw::ask(gateway.address(), "GET /metrics", &[&key]).await;
    let samples = page.body.lines();
    let samples = samples.filter(|line| line.starts_with("agent_gateway_sessions{"));
    samples
        .map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap())
        .sum()
}

/// Waits until the agent's session is the only one.
async fn alone(gateway: &TestGateway) {
    until("the attackers' sessions are forgotten", async || {
        sessions(gateway).await == 1
    })
    .await;
}

/// Publishes one message after the other, each when the agent has the last.
async fn converse(broker: &Broker, agent: &mut Client, over: &AtomicBool) {
    let (round, mut count) = (random_name(), 0);
    while !over.load(Ordering::Acquire) {
        let id = format!("{round}-{count}");
        broker.delivers(agent, &id).await;
        count += 1;
    }
    assert!(count > 0);
}

/// Has an agent follow a conversation while the gateway is flooded. Answers how much memory the
/// gateway had at most.
async fn during(flood: Flood, amount: usize, attacked: &Attacked, agent: &mut Client) -> usize {
    let (over, mut most) = (AtomicBool::new(false), 0);
    let flooding = async {
        flood.run(attacked.gateway.address(), amount).await;
        over.store(true, Ordering::Release);
    };
    let watching = async {
        while !over.load(Ordering::Acquire) {
            most = most.max(attacked.gateway.memory());
            sleep(Duration::from_millis(20)).await;
        }
    };
    let following = converse(&attacked.broker, agent, &over);
    tokio::join!(flooding, watching, following);
    most
}

struct Attacked {
    broker: Broker,
    gateway: TestGateway,
}

/// Sends the amount again and again. An allocator keeps room for the most that was ever in use at a
/// time, and no two rounds are the same to it; but what is left behind adds up in each.
async fn is_endured(flood: Flood, amount: usize) {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "first").await;
    let attacked = Attacked { broker, gateway };
    let Attacked { broker, gateway } = &attacked;
    let before = gateway.memory();
    let mut left = Vec::new();
    loop {
        let most = during(flood, amount, &attacked, &mut agent).await;
        alone(gateway).await;
        assert!(most < before + GROWTH, "from {before} to {most}");
        left.push(gateway.memory());
        if let [.., last, now] = left[..]
            && now < last + REST
        {
            break;
        }
        assert!(left.len() < ROUNDS, "from {before} to {left:?}");
    }
    broker.delivers(&mut agent, "last").await;
    let log = gateway.log().join("\n");
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_released_after_many_connects_without_a_token() {
    is_endured(Flood::Connects, 50_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_released_after_malformed_packets() {
    is_endured(Flood::Malformed, 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_released_after_oversized_frames_and_bodies() {
    is_endured(Flood::Oversized, 300).await;
}

#[tokio::test]
async fn a_connection_that_joins_nothing_is_closed_and_one_that_has_joined_is_not() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let address = gateway.address();
    let mut idle = gateway.agent("acme", "c-1").await;
    idle.leave("/").await;
    let mut silent = Client::open(address, "").await;
    let mut polling = Client::open_polling(address, "").await;
    let mut refused = Client::open(address, "").await;
    refused.connect("/", &json!({"token": "garbage"})).await;
    let invalid = Received::Refused("Invalid token".to_owned());
    assert_eq!(refused.next().await, invalid);
    for client in [&mut silent, &mut refused] {
        assert_eq!(client.next().await, Received::Closed);
    }
    assert_eq!(polling.next().await, Received::Closed);
    let auth = json!({"token": sign(&claims("acme"))});
    idle.connect("/tenant/acme/conv/c-1", &auth).await;
    idle.joined().await;
}
