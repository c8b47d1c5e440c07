//! A replica is ready, and takes deliveries, when it has read the stream.

use super::{STREAM, note, replica};
use crate::harness::{Broker, Direction, Proxy, Signal, TestGateway, until};

#[tokio::test]
async fn a_replica_is_not_ready_before_it_has_read_the_stream() {
    let broker = Broker::new().await;
    let first = replica(&broker).await;
    assert_eq!(first.emit(&note("e-1")).await.0, 200);
    first.signal(Signal::KILL);
    first.ended().await;

    let proxy = Proxy::to_broker().await;
    let url = proxy.broker_url();
    let variables = [STREAM, ("AMQP_URL", &*url)];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    assert_eq!(agent.event().await.message_id(), "e-1");
    gateway.logs("the journal has been read").await;
    // It stays ready when the broker goes away: members and the relay can do without.
    proxy.stall(Direction::BOTH);
    proxy.cut();
    until("it is degraded", async || {
        let (code, ready) = gateway.get("/readyz").await;
        code == 200 && ready["status"] == "degraded"
    })
    .await;
}
