//! Several gateways on the same queues: one consumes, the others stand by and report it.

use lapin::options::{BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use crate::harness::{Broker, Signal, TestGateway, message, status, until};

const QUEUES: [&str; 2] = ["inbound_message", "status_update"];

async fn active(gateway: &TestGateway) -> [f64; 2] {
    let sample = |queue| format!("agent_gateway_consumer_active{{queue=\"{queue}\"}}");
    let [inbound, status] = QUEUES.map(sample);
    [
        gateway.metric(&inbound).await,
        gateway.metric(&status).await,
    ]
}

async fn stands_by(gateway: &TestGateway, broker: &Broker) {
    for (check, queue) in [
        ("inbound_queue", &broker.names.inbound),
        ("status_queue", &broker.names.status),
    ] {
        let words = ["another consumer holds", queue, "stands by"];
        gateway.degraded(check, &words).await;
    }
    assert_eq!(active(gateway).await, [0.0, 0.0]);
}

/// Has one delivery of each queue taken by one of the gateways, which then stays that queue's consumer. Until
/// there was a delivery, a consumer leaves once to look again, and another gateway may be quicker.
async fn settle(broker: &Broker, gateways: &[&TestGateway], id: &str) {
    let inbound = message("acme", "c-0", id);
    broker.publish("inbound_message", &inbound).await;
    let read = status("acme", "c-0", id, "read");
    broker.publish("status_update", &read).await;
    until("both are taken", async || {
        let mut taken = 0.0;
        for gateway in gateways {
            taken += gateway.metric("agent_gateway_events_total").await;
        }
        taken == 2.0
    })
    .await;
}

fn lines(gateway: &TestGateway, text: &str) -> usize {
    let log = gateway.log();
    log.iter().filter(|line| line.contains(text)).count()
}

async fn one_of_three_consumes(queue_type: &str) {
    let broker = Broker::new().await;
    let variables = [("AMQP_QUEUE_TYPE", queue_type), ("AMQP_PREFETCH", "1")];
    let first = TestGateway::ready_with(&broker, &variables).await;
    settle(&broker, &[&first], "settles-1").await;
    assert_eq!(active(&first).await, [1.0, 1.0]);
    let second = TestGateway::start_with(&broker, &variables).await;
    let third = TestGateway::start_with(&broker, &variables).await;
    stands_by(&second, &broker).await;
    stands_by(&third, &broker).await;
    let mut agent = first.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
    assert_eq!(first.get("/readyz").await.1["status"], "ready");
    // Told once for each queue, and not at each look.
    assert_eq!(lines(&second, "another consumer holds the queue"), 2);

    // With a prefetch of 1 the next delivery comes when this one's acknowledgement has reached the
    // broker: killed before, the gateway would leave it to the others.
    broker.publish("inbound_message", &json!("bad")).await;
    broker.take(&broker.names.dead_letters, 1).await;

    // Each queue has one active consumer after that, and nothing has to be delivered for it.
    first.signal(Signal::KILL);
    first.ended().await;
    until("each queue is consumed once", async || {
        let (second, third) = (active(&second).await, active(&third).await);
        [second[0] + third[0], second[1] + third[1]] == [1.0, 1.0]
    })
    .await;
    settle(&broker, &[&second, &third], "settles-2").await;
    let (waiting, other) = if active(&second).await[0] == 1.0 {
        (third, second)
    } else {
        (second, third)
    };
    let mut agent = other.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-2").await;
    waiting
        .degraded("inbound_queue", &["another consumer holds"])
        .await;

    other.signal(Signal::TERM);
    assert!(other.ended().await.status.success());
    waiting.ready().await;
    assert_eq!(active(&waiting).await, [1.0, 1.0]);
    let mut agent = waiting.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-3").await;
}

#[tokio::test]
async fn of_three_gateways_one_consumes_quorum_queues_and_the_others_report_standing_by() {
    one_of_three_consumes("quorum").await;
}

#[tokio::test]
async fn of_three_gateways_one_consumes_classic_queues_and_the_others_report_standing_by() {
    one_of_three_consumes("classic").await;
}

#[tokio::test]
async fn gateways_started_at_once_agree_on_one_consumer_per_queue() {
    for queue_type in ["quorum", "classic"] {
        let broker = Broker::new().await;
        let variables = [("AMQP_QUEUE_TYPE", queue_type), ("AMQP_PREFETCH", "1")];
        let start = || TestGateway::start_with(&broker, &variables);
        let (a, b, c) = tokio::join!(start(), start(), start());
        let gateways = [a, b, c];
        // A message apiece tells the active consumers; whoever believes otherwise is told apart.
        until("each queue is consumed once", async || {
            let mut sums = [0.0, 0.0];
            for gateway in &gateways {
                let [inbound, status] = active(gateway).await;
                sums = [sums[0] + inbound, sums[1] + status];
            }
            sums == [1.0, 1.0]
        })
        .await;
        let mut delivered = 0.0;
        let status_update = status("acme", "c-1", "m-1", "read");
        broker.publish("status_update", &status_update).await;
        until("the active one has taken it", async || {
            delivered = 0.0;
            for gateway in &gateways {
                delivered += gateway.metric("agent_gateway_events_total").await;
            }
            delivered == 1.0
        })
        .await;
    }
}

#[tokio::test]
async fn a_foreign_active_consumer_is_reported_and_taken_over_from() {
    let broker = Broker::new().await;
    let channel = broker.channel().await;
    let mut arguments = FieldTable::default();
    let text = |text: &str| AMQPValue::LongString(text.into());
    for (name, value) in [
        ("x-queue-type", text("quorum")),
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        ("x-dead-letter-exchange", text("")),
        (
            "x-dead-letter-routing-key",
            text(&broker.names.dead_letters),
        ),
    ] {
        arguments.insert(name.into(), value);
    }
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let queue = broker.names.inbound.as_str();
    let declared = channel.queue_declare(queue.into(), options, arguments);
    declared.await.unwrap();
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel.basic_consume(queue.into(), "theirs".into(), options, arguments);
    let consumer = consumer.await.unwrap();
    let gateway = TestGateway::start_with(&broker, &[("AMQP_QUEUE_TYPE", "quorum")]).await;
    let words = ["another consumer holds", queue];
    gateway.degraded("inbound_queue", &words).await;
    assert_eq!(active(&gateway).await, [0.0, 1.0]);
    channel.close(200, "done".into()).await.unwrap();
    drop(consumer);
    gateway.ready().await;
    assert_eq!(active(&gateway).await, [1.0, 1.0]);
}
