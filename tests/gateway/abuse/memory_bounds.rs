//! Memory is bounded, with stalled members and with many conversations.

use lapin::BasicProperties;

use crate::harness::{Broker, Signal, TestGateway, message, until};

/// Runs a hundred thousand conversations past a hundred members that never read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_with_100000_conversations_and_100_stalled_members() {
    const CONVERSATIONS: usize = 100_000;
    const MEGABYTE: usize = 1 << 20;
    let broker = Broker::new().await;
    let variables = [("REPLAY_MAX_BYTES", "33554432"), ("MAX_LAG_BYTES", "65536")];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut stalled = Vec::new();
    for number in 0..100 {
        let member = gateway.agent("acme", &format!("c-{number}")).await;
        stalled.push(member);
    }
    let before = gateway.memory();
    let body = |conversation: usize, id: usize| {
        let conversation = format!("c-{conversation}");
        let body = message("acme", &conversation, &format!("m-{id}"));
        (body.to_string().into_bytes(), BasicProperties::default())
    };
    let wide = (0..CONVERSATIONS).map(|number| body(number, 0));
    // And the followed ones get far more than their channels and lag hold.
    let deep = (0..40_000).map(|number| body(number % 100, number + 1));
    broker
        .publish_all("inbound_message", wide.chain(deep))
        .await;
    // As long as it goes on, it may take its time.
    let mut waiting = u32::MAX;
    while waiting > 0 {
        until("more is taken in", async || {
            let before = waiting;
            waiting = before.min(broker.depth(&broker.names.inbound).await);
            waiting < before
        })
        .await;
    }
    let grown = gateway.memory().saturating_sub(before);
    // The windows; a hundred channels of 128 packets; the tables' and the allocator's slack: 72 to
    // 77 MB in all, whatever else the machine does. Without the bound it is 190.
    assert!(grown < (32 + 64) * MEGABYTE, "{} MB", grown / MEGABYTE);

    gateway.signal(Signal::TERM);
    let log = gateway.ended().await.log;
    let stopped = log.lines().last().unwrap();
    let stopped: serde_json::Value = serde_json::from_str(stopped).unwrap();
    assert!(stopped["evicted"].as_u64().unwrap() > 0, "{stopped}");
    assert!(log.contains("REPLAY_MAX_BYTES is reached"), "{log}");
}
