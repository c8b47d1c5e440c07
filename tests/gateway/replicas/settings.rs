//! Replicas whose settings differ where they must not.

use super::{STREAM, replica};
use crate::harness::{Broker, Signal, TestGateway};

#[tokio::test]
async fn replicas_that_differ_where_they_must_not_say_so_until_they_agree() {
    let broker = Broker::new().await;
    let one = replica(&broker).await;
    let variables = [
        STREAM,
        ("AMQP_PREFETCH", "64"),
        ("CURSOR_SECRET", "another secret, of 32 bytes or more"),
    ];
    let other = TestGateway::start_with(&broker, &variables).await;
    for (gateway, prefetch) in [
        (&one, "AMQP_PREFETCH 64, this one 256"),
        (&other, "AMQP_PREFETCH 256, this one 64"),
    ] {
        gateway
            .degraded("replicas", &[prefetch, "CURSOR_SECRET"])
            .await;
        gateway
            .logs("replicas differ in what has to be the same")
            .await;
    }
    other.signal(Signal::TERM);
    assert!(other.ended().await.status.success());
    one.ready().await;
    one.logs("replicas no longer differ").await;

    let secret = "another secret for tests, of 32 bytes or more";
    let variables = [
        STREAM,
        ("JWT_SECRET", secret),
        ("CURSOR_SECRET", crate::harness::SECRET),
    ];
    let other = TestGateway::start_with(&broker, &variables).await;
    let said = one.degraded("replicas", &["checks tokens"]).await;
    assert!(!said.contains("CURSOR_SECRET"), "{said}");
    drop(other);
}

#[tokio::test]
async fn a_queue_in_the_streams_place_is_named() {
    let broker = Broker::new().await;
    broker.declare_plain_queue(&broker.names.journal).await;
    let gateway = TestGateway::start_with(&broker, &[STREAM]).await;
    let words = [&*broker.names.journal, "x-queue-type"];
    gateway.degraded("journal", &words).await;
    broker.delete_queue(&broker.names.journal).await;
    gateway.ready().await;
}
