//! The replica that takes deliveries is killed, or all are replaced one after the other, under load.

use serde_json::{Value, json};

use super::{STREAM, replica};
use crate::harness::{Broker, Client, Received, Signal, TestGateway, deliveries, until};

const COUNT: usize = 3_000;

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("m-{number}")).collect()
}

async fn is_active(gateway: &TestGateway) -> bool {
    let sample = "agent_gateway_consumer_active{queue=\"inbound_message\"}";
    gateway.metric(sample).await > 0.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_of_the_replica_that_takes_deliveries_loses_and_repeats_nothing() {
    let broker = Broker::new().await;
    let (one, other) = (replica(&broker).await, replica(&broker).await);
    let (active, standby) = match is_active(&one).await {
        true => (one, other),
        false => (other, one),
    };
    let mut agent = standby.agent("acme", "c-1").await;
    let all = ids(0..COUNT);
    let publishing = broker.publish_all("inbound_message", deliveries(&all));
    let killing = async {
        let mut seen = agent.message_ids(COUNT / 10).await;
        active.signal(Signal::KILL);
        active.ended().await;
        seen.extend(agent.message_ids(COUNT - COUNT / 10).await);
        seen
    };
    let ((), seen) = tokio::join!(publishing, killing);
    assert_eq!(seen, all);
    broker.delivers(&mut agent, "marker").await;
}

/// An agent that goes on wherever it is let in.
struct Wanderer {
    client: Client,
    cursor: Value,
    seen: Vec<String>,
}

impl Wanderer {
    async fn come(gateway: &TestGateway, cursor: &Value) -> (Client, Value) {
        let auth = match cursor {
            Value::Null => json!({}),
            cursor => json!({"cursor": cursor}),
        };
        let mut client = gateway.resume("acme", "c-1", auth).await;
        let joined = client.joined().await;
        (client, joined)
    }

    /// Sees events until there are so many, or the connection is closed: then `false`.
    async fn see(&mut self, count: usize) -> bool {
        while self.seen.len() < count {
            match self.client.next().await {
                event @ Received::Event { .. } => {
                    self.seen.push(event.message_id().to_owned());
                    self.cursor = event.cursor();
                }
                _ => return false,
            }
        }
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_are_replaced_one_after_the_other_under_load_and_agents_go_on() {
    let broker = Broker::new().await;
    let large = [STREAM, ("REPLAY_MAX_EVENTS", "1000000")];
    let start = || TestGateway::ready_with(&broker, &large);
    let mut gateways = vec![start().await, start().await, start().await];
    let (client, joined) = Wanderer::come(&gateways[0], &Value::Null).await;
    let mut wanderer = Wanderer {
        client,
        cursor: joined["cursor"].clone(),
        seen: Vec::new(),
    };
    let all = ids(0..COUNT);
    let publishing = async {
        for part in all.chunks(100) {
            broker
                .publish_all("inbound_message", deliveries(part))
                .await;
        }
    };
    let replacing = async {
        for round in 1..=3 {
            wanderer.see(round * COUNT / 5).await;
            let oldest = gateways.remove(0);
            oldest.signal(Signal::TERM);
            // Until it is let go.
            while wanderer.see(COUNT).await && wanderer.seen.len() < COUNT {}
            let (client, joined) = Wanderer::come(&gateways[0], &wanderer.cursor).await;
            assert_eq!(joined["resume"], "resumed", "round {round}");
            wanderer.client = client;
            let ended = oldest.ended().await;
            assert!(ended.status.success(), "{}", ended.log);
            gateways.push(start().await);
        }
        wanderer.see(COUNT).await;
    };
    tokio::join!(publishing, replacing);
    assert_eq!(wanderer.seen, all);
    until("somebody takes deliveries", async || {
        let mut active = 0;
        for gateway in &gateways {
            active += usize::from(is_active(gateway).await);
        }
        active == 1
    })
    .await;
    broker.delivers(&mut wanderer.client, "marker").await;
}
