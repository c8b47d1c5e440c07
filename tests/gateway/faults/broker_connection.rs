//! The connection to the broker is cut, stalled or refused; exchanges and queues are deleted or declared
//! otherwise.

use serde_json::json;

use crate::harness::{Broker, Direction, Proxy, TestGateway, deliveries, until};

/// How often the gateway has lost the broker.
fn losses(gateway: &TestGateway) -> usize {
    let log = gateway.log();
    log.iter()
        .filter(|line| line.contains("not connected to the broker"))
        .count()
}

/// Waits until the gateway has noticed that a queue is gone. A consumer is cancelled; one that was just
/// being opened once more, as each is in its first seconds, is told that there is no such queue.
async fn lost_queue(gateway: &TestGateway, queue: &str) {
    until("the gateway has lost the queue", async || {
        gateway
            .log()
            .iter()
            .any(|line| line.contains("the queue cannot be consumed") && line.contains(queue))
    })
    .await;
}

// Takes about two minutes, nearly all of it the gateway's own pauses: they grow to half a minute
// when the broker goes away again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_broker_disconnects_under_load_lose_and_repeat_nothing() {
    let broker = Broker::new().await;
    let (gateway, proxy) = TestGateway::behind_proxy(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for round in 0..10 {
        let ids: Vec<_> = (0..1_000)
            .map(|number| format!("m-{round}-{number}"))
            .collect();
        let publishing = broker.publish_all("inbound_message", deliveries(&ids));
        let cutting = async {
            // In the middle of it: these have come, others are on their way or unacknowledged.
            let mut seen = agent.message_ids(100).await;
            proxy.cut();
            until("the broker is lost", async || losses(&gateway) > round).await;
            proxy.restore();
            seen.extend(agent.message_ids(900).await);
            seen
        };
        let ((), seen) = tokio::join!(publishing, cutting);
        assert_eq!(seen, ids, "round {round}");
    }
    // Nothing comes twice after that either.
    broker.delivers(&mut agent, "marker").await;
}

#[tokio::test]
async fn a_broker_that_is_down_at_start_is_connected_once_it_is_up() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    proxy.cut();
    let variables = [("AMQP_URL", &*proxy.broker_url())];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    until("it is degraded", async || {
        let (status, ready) = gateway.get("/readyz").await;
        status == 200 && ready["status"] == "degraded"
    })
    .await;
    assert_eq!(gateway.get("/healthz").await.0, 200);
    let mut agent = gateway.agent("acme", "c-1").await;
    proxy.restore();
    gateway.ready().await;
    broker.delivers(&mut agent, "m-1").await;
}

#[tokio::test]
async fn a_queue_with_conflicting_arguments_is_reported_and_everything_else_works() {
    let broker = Broker::new().await;
    broker.declare_plain_queue(&broker.names.inbound).await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    until("the queue's mismatch is reported", async || {
        let ready = gateway.get("/readyz").await.1;
        let check = ready["checks"]["inbound_queue"]
            .as_str()
            .unwrap_or_default();
        ready["status"] == "degraded"
            && check.contains("x-dead-letter-exchange")
            && check.contains(&broker.names.inbound)
            && ready["checks"]["status_queue"] == "up"
    })
    .await;
    until("the log names it", async || {
        gateway.log().iter().any(|line| {
            line.contains("cannot be consumed")
                && line.contains("x-dead-letter-exchange")
                && line.contains(&broker.names.inbound)
        })
    })
    .await;

    let mut agent = gateway.agent("acme", "c-1").await;
    let status_update = crate::harness::status("acme", "c-1", "m-1", "read");
    broker.publish("status_update", &status_update).await;
    assert_eq!(agent.event().await.data()["status"], "read");
    let emit = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
    agent.event().await;

    // It keeps trying: once the queue is out of the way it makes its own.
    broker.delete_queue(&broker.names.inbound).await;
    gateway.ready().await;
    broker.delivers(&mut agent, "m-2").await;
}

#[tokio::test]
async fn a_deleted_queue_is_redeclared() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delete_queue(&broker.names.inbound).await;
    lost_queue(&gateway, &broker.names.inbound).await;
    gateway.ready().await;
    broker.delivers(&mut agent, "m-1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_accepts_and_sends_nothing_times_out() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    proxy.stall(Direction::BOTH);
    let variables = [("AMQP_URL", &*proxy.broker_url())];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    until("it is degraded", async || {
        let (status, ready) = gateway.get("/readyz").await;
        let check = ready["checks"]["broker"].as_str().unwrap_or_default();
        status == 200 && check.contains("no answer")
    })
    .await;
    proxy.cut();
    proxy.restore();
    proxy.resume();
    gateway.ready().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_without_heartbeats_is_disconnected_and_reconnected() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    let url = format!("{}?heartbeat=1", proxy.broker_url());
    let gateway = TestGateway::ready_with(&broker, &[("AMQP_URL", &url)]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    // A machine that is busy enough has missed a heartbeat before.
    let before = losses(&gateway);
    proxy.stall(Direction::BOTH);
    until("the broker is lost", async || losses(&gateway) > before).await;
    until("it is degraded", async || {
        gateway.get("/readyz").await.1["status"] == "degraded"
    })
    .await;
    proxy.cut();
    proxy.restore();
    proxy.resume();
    gateway.ready().await;
    broker.delivers(&mut agent, "m-1").await;
}

#[tokio::test]
async fn a_deleted_exchange_and_dead_letter_queue_are_redeclared() {
    let broker = Broker::new().await;
    broker.declare_plain_queue(&broker.names.dead_letters).await;
    let variables = [("AMQP_QUEUE_TYPE", "quorum")];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    until(
        "the dead letter queue's mismatch is reported, and only that",
        async || {
            let ready = gateway.get("/readyz").await.1;
            let check = ready["checks"]["dead_letter_queue"].as_str();
            check.is_some_and(|check| check.contains(&broker.names.dead_letters))
                && ready["checks"]["inbound_queue"] == "up"
        },
    )
    .await;
    broker.delete_queue(&broker.names.dead_letters).await;
    gateway.ready().await;

    broker.delete_exchange().await;
    broker.delete_queue(&broker.names.inbound).await;
    lost_queue(&gateway, &broker.names.inbound).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
}
