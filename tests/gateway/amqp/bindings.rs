//! Queues that are bound to what publishers already use, and topologies of somebody else's.

use lapin::BasicProperties;
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;

use crate::amqp::mapping::examples;
use crate::harness::{Broker, TestGateway, message, status};

#[tokio::test]
async fn with_somebody_elses_topology_nothing_is_declared_or_bound() {
    let broker = Broker::new().await;
    let names = &broker.names;
    let channel = broker.channel().await;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let exchange = names.exchange.as_str();
    let (kind, none) = (lapin::ExchangeKind::Topic, FieldTable::default);
    channel
        .exchange_declare(exchange.into(), kind, durable, none())
        .await
        .unwrap();
    for queue in [&names.inbound, &names.status, &names.dead_letters] {
        let durable = QueueDeclareOptions {
            durable: true,
            ..Default::default()
        };
        channel
            .queue_declare(queue.as_str().into(), durable, none())
            .await
            .unwrap();
    }
    let inbound = names.inbound.as_str();
    channel
        .queue_bind(
            inbound.into(),
            exchange.into(),
            "theirs".into(),
            QueueBindOptions::default(),
            none(),
        )
        .await
        .unwrap();
    let variables = [
        ("AMQP_DECLARE", "false"),
        ("AMQP_MAPPING", "cloud_api"),
        ("AMQP_INBOUND_BINDINGS", "not.bound.#"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let example = examples().remove("text").unwrap();
    let event = &example.events[0];
    let id = |name: &str| event[name].as_str().unwrap();
    let mut agent = gateway.agent(id("tenantId"), id("conversationId")).await;
    broker.publish("theirs", &example.body).await;
    assert_eq!(agent.event().await.data(), &event["payload"]);
    // Mandatory: it would come back to the publisher if it were bound to nobody.
    let options = BasicPublishOptions {
        mandatory: true,
        ..Default::default()
    };
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    for key in ["not.bound.here", "inbound_message", "status_update"] {
        let properties = BasicProperties::default();
        let published =
            channel.basic_publish(exchange.into(), key.into(), options, b"{}", properties);
        let confirmation = published.await.unwrap().await.unwrap();
        assert!(confirmation.take_message().is_some(), "{key} is bound");
    }
}

#[tokio::test]
async fn bindings_lead_what_publishers_already_use_to_the_two_queues() {
    let broker = Broker::new().await;
    let variables = [
        ("AMQP_INBOUND_BINDINGS", "wa.in.*, wa.more.#"),
        ("AMQP_STATUS_BINDINGS", "wa.ticks"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    for (key, id) in [
        ("wa.in.1", "m-1"),
        ("wa.more", "m-2"),
        ("wa.more.x.y", "m-3"),
    ] {
        broker.publish(key, &message("acme", "c-1", id)).await;
        assert_eq!(agent.event().await.message_id(), id);
    }
    let body = status("acme", "c-1", "m-1", "read");
    broker.publish("wa.ticks", &body).await;
    assert_eq!(agent.event().await.data()["status"], "read");
}
