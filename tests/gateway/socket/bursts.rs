//! Bursts larger than a socket's channel: no event is skipped, and no member reset.

use serde_json::json;

use crate::harness::{Broker, Client, TestGateway, deliveries};

fn ids(from: usize, upto: usize) -> Vec<String> {
    (from..upto).map(|number| format!("m-{number}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_5000_messages_reaches_100_members_in_order_and_once() {
    let broker = Broker::new().await;
    let (gateway, proxy) = TestGateway::behind_proxy(&broker).await;
    let mut members = Vec::new();
    for _ in 0..100 {
        let mut member = gateway.join("acme", "c-1").await;
        assert_eq!(member.joined().await["replaying"], 0);
        members.push(member);
    }
    proxy.cut();
    let published = ids(0, 5_000);
    broker
        .publish_all("inbound_message", deliveries(&published))
        .await;
    proxy.restore();
    let readers: Vec<_> = members
        .into_iter()
        .map(|mut member| tokio::spawn(async move { member.message_ids(5_000).await }))
        .collect();
    for reader in readers {
        // A `reset` among them would have no messageId, and panic.
        assert_eq!(reader.await.unwrap(), published);
    }
}

/// Reads until the last message, and returns all.
async fn upto_the_last(mut member: Client, last: String) -> Vec<String> {
    let mut ids = member.message_ids(1).await;
    while *ids.last().unwrap() != last {
        ids.extend(member.message_ids(1).await);
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_under_full_load_see_neither_a_gap_nor_a_duplicate() {
    const COUNT: usize = 20_000;
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut witness = gateway.agent("acme", "c-1").await;
    let published = ids(0, COUNT);
    let last = published.last().unwrap().clone();
    let publisher = broker.publish_all("inbound_message", deliveries(&published));
    let joins = async {
        let mut readers = Vec::new();
        for number in 0..20 {
            // Spread over the stream by what has come, not by the clock.
            witness.message_ids(COUNT / 25).await;
            let mut member = gateway.join("acme", "c-1").await;
            let replaying = member.joined().await["replaying"].as_u64().unwrap();
            assert!(replaying > 0, "join {number}");
            readers.push(tokio::spawn(upto_the_last(member, last.clone())));
        }
        readers
    };
    let ((), readers) = tokio::join!(publisher, joins);
    for reader in readers {
        let seen = reader.await.unwrap();
        assert_eq!(seen, published[COUNT - seen.len()..]);
    }
}

#[tokio::test]
async fn a_replay_larger_than_the_channel_reaches_fresh_and_resuming_members() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut early = gateway.join("acme", "c-1").await;
    let cursor = early.joined().await["cursor"].clone();
    let published = ids(0, 250);
    broker
        .publish_all("inbound_message", deliveries(&published))
        .await;
    assert_eq!(early.message_ids(250).await, published);

    let mut fresh = gateway.join("acme", "c-1").await;
    let joined = fresh.joined().await;
    assert_eq!(
        (&joined["resume"], &joined["replaying"]),
        (&json!("fresh"), &json!(250))
    );
    assert_eq!(fresh.message_ids(250).await, published);

    let mut resuming = gateway
        .resume("acme", "c-1", json!({"cursor": cursor}))
        .await;
    let joined = resuming.joined().await;
    assert_eq!(
        (&joined["resume"], &joined["replaying"]),
        (&json!("resumed"), &json!(250))
    );
    assert_eq!(resuming.message_ids(250).await, published);
}
