//! What `/metrics` says of the stream.

use lapin::BasicProperties;

use super::{note, replica, replica_at};
use crate::harness::{Broker, Proxy, TestGateway, message, now, until};

const CATCHING_UP: &str = "agent_gateway_journal_records_total{state=\"catching_up\"}";
const LIVE: &str = "agent_gateway_journal_records_total{state=\"live\"}";
const LAG: &str = "agent_gateway_journal_lag_seconds";
const UNCONFIRMED: &str = "agent_gateway_journal_unconfirmed_records";
const OFFERED: &str = "agent_gateway_publication_to_offer_seconds_count";

async fn reaches(gateway: &TestGateway, sample: &str, value: f64) {
    until(&format!("{sample} is {value}"), async || {
        gateway.metric(sample).await == value
    })
    .await;
}

#[tokio::test]
async fn records_read_lag_and_unconfirmed_appends_can_be_watched_on_every_replica() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    let one = replica(&broker).await;
    let other = replica_at(&broker, &proxy.broker_url()).await;
    let before = [one.metric(LIVE).await, other.metric(LIVE).await];
    let mut agents = [
        one.agent("acme", "c-1").await,
        other.agent("acme", "c-1").await,
    ];
    let timestamp = u64::try_from(now()).unwrap();
    let bodies = (0..20).map(|number| {
        let body = message("acme", "c-1", &format!("m-{number}"));
        let properties = BasicProperties::default().with_timestamp(timestamp);
        (body.to_string().into_bytes(), properties)
    });
    broker.publish_all("inbound_message", bodies).await;
    for (gateway, agent, before) in [(&one, 0, before[0]), (&other, 1, before[1])] {
        agents[agent].message_ids(20).await;
        assert!(gateway.metric(LIVE).await >= before + 20.0);
        assert_eq!(gateway.metric(OFFERED).await, 20.0);
        assert!(gateway.metric(LAG).await < 10.0);
        assert!(gateway.metric("agent_gateway_repeats_bytes").await > 20.0 * 256.0);
        reaches(gateway, UNCONFIRMED, 0.0).await;
        reaches(gateway, "agent_gateway_journal_replicas", 2.0).await;
    }
    let third = replica(&broker).await;
    assert!(third.metric(CATCHING_UP).await >= 20.0);
    assert_eq!(third.metric(OFFERED).await, 0.0);

    proxy.cut();
    other.degraded("journal", &["is not read"]).await;
    assert_eq!(other.emit(&note("e-1")).await.1["scope"], "replica");
    reaches(&other, UNCONFIRMED, 1.0).await;
    assert!(
        other
            .metric("agent_gateway_journal_unconfirmed_bytes")
            .await
            > 100.0
    );
    let page = other.metrics().await;
    assert!(!page.contains(LAG), "{page}");
    proxy.restore();
    reaches(&other, UNCONFIRMED, 0.0).await;
    reaches(&one, "agent_gateway_journal_replicas", 3.0).await;
}
