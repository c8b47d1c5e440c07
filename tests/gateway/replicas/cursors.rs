//! A cursor of one replica is good at every other, and after a restart.

use serde_json::{Value, json};

use super::{replica, replica_at};
use crate::harness::{Broker, Client, Proxy, Received, Signal, TestGateway, message, until};

async fn publish(broker: &Broker, ids: &[&str]) {
    for id in ids {
        broker
            .publish("inbound_message", &message("acme", "c-1", id))
            .await;
    }
}

/// Goes on from a cursor: how that went, and the events that follow.
async fn resume(gateway: &TestGateway, cursor: &Value) -> (String, Vec<String>, Client) {
    let auth = json!({"cursor": cursor});
    let mut agent = gateway.resume("acme", "c-1", auth).await;
    let joined = agent.joined().await;
    let count = joined["replaying"].as_u64().unwrap().try_into().unwrap();
    let ids = agent.message_ids(count).await;
    (joined["resume"].as_str().unwrap().to_owned(), ids, agent)
}

#[tokio::test]
async fn an_agent_goes_on_at_another_replica_and_after_all_have_restarted() {
    let broker = Broker::new().await;
    let (one, other) = (replica(&broker).await, replica(&broker).await);
    let mut agent = one.agent("acme", "c-1").await;
    let mut empty = one.join("acme", "c-2").await;
    let standing = empty.joined().await["cursor"].clone();
    publish(&broker, &["m-1", "m-2"]).await;
    agent.event().await;
    let cursor = agent.event().await.cursor();
    drop((agent, empty));
    publish(&broker, &["m-3", "m-4"]).await;
    // What this replica has not read yet is waited for.
    let mut watching = other.agent("acme", "c-1").await;
    publish(&broker, &["m-5"]).await;
    while watching.event().await.message_id() != "m-5" {}
    let (resumed, ids, _) = resume(&other, &cursor).await;
    assert_eq!(
        (&*resumed, ids),
        ("resumed", ["m-3", "m-4", "m-5"].map(str::to_owned).to_vec())
    );

    for gateway in [one, other] {
        gateway.signal(Signal::TERM);
        assert!(gateway.ended().await.status.success());
    }
    let third = replica(&broker).await;
    let (resumed, ids, mut agent) = resume(&third, &cursor).await;
    assert_eq!((&*resumed, ids.len()), ("resumed", 3));
    let auth = json!({"cursor": standing});
    let mut empty = third.resume("acme", "c-2", auth).await;
    assert_eq!(empty.joined().await["resume"], "resumed");
    // What has been seen before the restart is a repeat after it.
    publish(&broker, &["m-1", "m-5", "m-6"]).await;
    assert_eq!(agent.event().await.message_id(), "m-6");
}

#[tokio::test]
async fn a_stream_that_is_made_again_resets_members_and_cursors() {
    let broker = Broker::new().await;
    let (one, other) = (replica(&broker).await, replica(&broker).await);
    let mut agents = [
        one.agent("acme", "c-1").await,
        other.agent("acme", "c-1").await,
    ];
    publish(&broker, &["m-1", "m-2"]).await;
    let mut cursor = Value::Null;
    for agent in &mut agents {
        agent.event().await;
        cursor = agent.event().await.cursor();
    }
    broker.delete_queue(&broker.names.journal).await;
    for agent in &mut agents {
        let reset = agent.event().await;
        assert_eq!(reset.name(), "reset");
        assert!(
            reset.data()["reason"]
                .as_str()
                .unwrap()
                .contains("begun again")
        );
    }
    for gateway in [&one, &other] {
        gateway.ready().await;
        let (resumed, ids, _) = resume(gateway, &cursor).await;
        assert_eq!((&*resumed, ids.len()), ("reset", 0));
    }
    publish(&broker, &["m-3"]).await;
    for agent in &mut agents {
        assert_eq!(agent.event().await.message_id(), "m-3");
    }
}

#[tokio::test]
async fn a_replica_that_was_cut_off_reads_what_it_has_missed() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    let cut_off = replica_at(&broker, &proxy.broker_url()).await;
    let other = replica(&broker).await;
    let mut agent = cut_off.agent("acme", "c-1").await;
    publish(&broker, &["m-1"]).await;
    agent.event().await;
    proxy.cut();
    until("it has noticed", async || {
        cut_off.get("/readyz").await.1["status"] == "degraded"
    })
    .await;
    let mut watching = other.agent("acme", "c-1").await;
    watching.message_ids(1).await;
    publish(&broker, &["m-2", "m-3"]).await;
    let last = watching.message_ids(2).await;
    assert_eq!(last, ["m-2", "m-3"]);
    proxy.restore();
    // No reset: nothing is missing.
    assert_eq!(agent.message_ids(2).await, last);
    cut_off.ready().await;
    publish(&broker, &["m-4"]).await;
    for agent in [&mut agent, &mut watching] {
        match agent.next().await {
            event @ Received::Event { .. } => assert_eq!(event.message_id(), "m-4"),
            other => panic!("{other:?}"),
        }
    }
}
