//! The broker is killed, raises a memory alarm, or closes connections.

use serde_json::json;

use crate::harness::{Broker, PrivateBroker, TestGateway, message, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_consumed_after_the_broker_is_killed_and_restarted() {
    let mut private = PrivateBroker::start().await;
    let broker = Broker::at(private.url()).await;
    // RabbitMQ 3.10 sometimes finds no leader for a quorum queue after such an end ("leader not
    // known" in its log, for good); the gateway then keeps saying which queue it cannot consume.
    let variables = [("AMQP_QUEUE_TYPE", "classic")];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
    private.kill();
    until("it is degraded", async || {
        gateway.get("/readyz").await.1["status"] == "degraded"
    })
    .await;
    // The relay goes on.
    let emit = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
    assert_eq!(agent.event().await.name(), "note");
    private.up().await;
    gateway.ready().await;
    let broker = broker.again().await;
    broker.delivers(&mut agent, "m-2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_alarm_blocks_dead_lettering_and_nothing_else() {
    let private = PrivateBroker::start().await;
    let broker = Broker::at(private.url()).await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    // Opens the connection for dead letters, so that the alarm finds it there.
    broker.publish("inbound_message", &json!("bad")).await;
    broker.take(&broker.names.dead_letters, 1).await;
    let bodies = [
        json!("worse"),
        message("acme", "c-1", "m-1"),
        message("acme", "c-1", "m-2"),
    ];
    for body in bodies {
        broker.publish("inbound_message", &body).await;
    }
    assert_eq!(agent.message_ids(2).await, ["m-1", "m-2"]);
    broker.take(&broker.names.dead_letters, 1).await;

    private
        .ctl(&["set_vm_memory_high_watermark", "absolute", "1MB"])
        .await;
    // Publishers are blocked now, so that this one waits at the broker until that is lifted.
    let publishing = async {
        for body in [json!("worst"), message("acme", "c-1", "m-3")] {
            broker.publish("inbound_message", &body).await;
        }
    };
    let lifting = async {
        // Connected, consuming and acknowledging as before.
        assert_eq!(gateway.get("/readyz").await.1["status"], "ready");
        private.ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
    };
    tokio::join!(publishing, lifting);
    assert_eq!(agent.event().await.message_id(), "m-3");
    let dead_letter = &broker.take(&broker.names.dead_letters, 1).await[0];
    assert_eq!(dead_letter.data, b"\"worst\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_closed_by_the_broker_are_reopened() {
    let private = PrivateBroker::start().await;
    let broker = Broker::at(private.url()).await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    private.ctl(&["close_all_connections", "maintenance"]).await;
    until("it has noticed", async || {
        let log = gateway.log();
        log.iter()
            .any(|line| line.contains("not connected") && line.contains("maintenance"))
    })
    .await;
    gateway.ready().await;
    let broker = broker.again().await;
    broker.delivers(&mut agent, "m-1").await;
}
