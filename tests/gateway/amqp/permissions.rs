//! Users with restricted permissions, and topologies that others declare.

use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, ExchangeKind};
use serde_json::json;

use crate::harness::{Broker, PrivateBroker, TestGateway, until};

#[tokio::test]
async fn a_user_without_configure_permission_consumes_existing_queues() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    TestGateway::set_up(&broker).await;
    let (url, user) = private.user(&vhost, ["^$", "^amq\\.default$", ".*"]).await;
    let gateway = TestGateway::ready_with(&broker, &[("AMQP_URL", &url)]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.publish("inbound_message", &json!("bad")).await;
    broker.delivers(&mut agent, "m-1").await;
    let dead_letters = broker.take(&broker.names.dead_letters, 1).await;
    assert_eq!(dead_letters[0].data, b"\"bad\"");
    // That it could not bind is told, once a queue, with what to do about it.
    let log = gateway.log();
    let logged: Vec<_> = log.iter().filter(|line| line.contains("bind")).collect();
    assert_eq!(logged.len(), 2, "{logged:?}");
    for words in [
        &*user,
        &broker.names.inbound,
        "AMQP_DECLARE=false",
        "set_permissions",
    ] {
        assert!(logged.iter().any(|line| line.contains(words)), "{words}");
    }
}

/// The rights in the commands of `amqp/README.md`.
fn rights_of_the_readme() -> Vec<[String; 3]> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/amqp/README.md");
    let page = std::fs::read_to_string(path).unwrap();
    let commands = page.split("rabbitmqctl set_permissions -p / ").skip(1);
    let rights = commands.filter_map(|command| {
        let quoted: Vec<_> = command.split('\'').skip(1).step_by(2).take(3).collect();
        let [configure, write, read] = quoted[..].try_into().ok()?;
        Some([configure, write, read].map(str::to_owned))
    });
    rights.collect()
}

#[tokio::test]
async fn the_documented_permissions_are_sufficient() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let mut broker = Broker::at(&url).await;
    broker.names.exchange = "whatsapp.events".to_owned();
    broker.names.inbound = "gateway.inbound_message".to_owned();
    broker.names.status = "gateway.status_update".to_owned();
    broker.names.dead_letters = "gateway.dead_letters".to_owned();
    let rights = rights_of_the_readme();
    let [declaring, looking, publishing] = &rights[..] else {
        panic!("{rights:?}");
    };
    let user = async |rights: &[String; 3]| {
        let rights = rights.each_ref().map(String::as_str);
        private.user(&vhost, rights).await.0
    };
    let (url, declare) = (user(publishing).await, ["true", "false"]);
    let mut publisher = Broker::at(&url).await;
    publisher.names = broker.names.clone();
    for (rights, declare) in [declaring, looking].into_iter().zip(declare) {
        let url = user(rights).await;
        let variables = [("AMQP_URL", &*url), ("AMQP_DECLARE", declare)];
        let gateway = TestGateway::ready_with(&broker, &variables).await;
        let mut agent = gateway.agent("acme", "c-1").await;
        publisher.publish("inbound_message", &json!("bad")).await;
        publisher.delivers(&mut agent, "m-1").await;
        broker.take(&broker.names.dead_letters, 1).await;
        assert!(!gateway.log().iter().any(|line| line.contains("WARN")
            && line.contains("amqp")
            && !line.contains("dead letter")));
    }
}

#[tokio::test]
async fn a_missing_object_without_configure_permission_is_reported_and_used_once_it_exists() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    let (url, _) = private.user(&vhost, ["^$", "^amq\\.default$", ".*"]).await;
    let gateway = TestGateway::start_with(&broker, &[("AMQP_URL", &url)]).await;
    for (check, name) in [
        ("exchange", &broker.names.exchange),
        ("inbound_queue", &broker.names.inbound),
        ("status_queue", &broker.names.status),
        ("dead_letter_queue", &broker.names.dead_letters),
    ] {
        let words = ["there is no", name, &vhost, "the right to configure"];
        gateway.degraded(check, &words).await;
    }
    TestGateway::set_up(&broker).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
}

#[tokio::test]
async fn a_declared_queue_that_cannot_be_bound_is_reported() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    let (url, user) = private.user(&vhost, [".*", "^amq\\.default$", ".*"]).await;
    let gateway = TestGateway::start_with(&broker, &[("AMQP_URL", &url)]).await;
    let words = [
        &*user,
        "bind",
        &broker.names.inbound,
        &broker.names.exchange,
    ];
    gateway.degraded("inbound_queue", &words).await;
    private.permit(&vhost, &user, [".*"; 3]).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
}

#[tokio::test]
async fn a_missing_read_permission_is_reported() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    TestGateway::set_up(&broker).await;
    let others = "events|status_update|dead_letters";
    let read = format!(r"^test\.\w+\.({others})$");
    let (url, user) = private.user(&vhost, [".*", ".*", &read]).await;
    let gateway = TestGateway::start_with(&broker, &[("AMQP_URL", &url)]).await;
    let right = format!("read queue {}", broker.names.inbound);
    let words = [&*user, &right, &vhost, "set_permissions"];
    gateway.degraded("inbound_queue", &words).await;
    until("the other queue is consumed", async || {
        gateway.get("/readyz").await.1["checks"]["status_queue"] == "up"
    })
    .await;
    private.permit(&vhost, &user, [".*"; 3]).await;
    gateway.ready().await;
}

#[tokio::test]
async fn with_amqp_declare_false_nothing_is_declared_and_missing_objects_are_reported() {
    let broker = Broker::new().await;
    let names = broker.names.clone();
    let variables = [("AMQP_DECLARE", "false")];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    for (check, name) in [
        ("exchange", &names.exchange),
        ("inbound_queue", &names.inbound),
        ("status_queue", &names.status),
        ("dead_letter_queue", &names.dead_letters),
    ] {
        let words = ["there is no", name, "AMQP_DECLARE is false"];
        gateway.degraded(check, &words).await;
    }
    for queue in [&names.inbound, &names.status, &names.dead_letters] {
        assert!(!broker.exists(queue).await, "{queue}");
    }
    TestGateway::set_up(&broker).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
}

#[tokio::test]
async fn with_amqp_declare_false_nothing_is_bound() {
    let broker = Broker::new().await;
    TestGateway::set_up(&broker).await;
    // Deleted and made again, it has no bindings.
    broker.delete_exchange().await;
    declare_exchange(&broker, ExchangeKind::Topic, FieldTable::default()).await;
    let gateway = TestGateway::ready_with(&broker, &[("AMQP_DECLARE", "false")]).await;
    assert!(!is_routed(&broker).await, "it has been bound");
    drop(gateway);
    TestGateway::set_up(&broker).await;
    assert!(is_routed(&broker).await, "it is not bound again");
}

/// Whether the exchange has a queue for a message.
async fn is_routed(broker: &Broker) -> bool {
    let channel = broker.channel().await;
    let confirms = ConfirmSelectOptions::default();
    channel.confirm_select(confirms).await.unwrap();
    let options = BasicPublishOptions {
        mandatory: true,
        ..Default::default()
    };
    let exchange = broker.names.exchange.as_str().into();
    let properties = BasicProperties::default();
    let key = "inbound_message".into();
    let published = channel.basic_publish(exchange, key, options, b"1", properties);
    let confirmation = published.await.unwrap().await.unwrap();
    confirmation.take_message().is_none()
}

async fn declare_exchange(broker: &Broker, kind: ExchangeKind, arguments: FieldTable) {
    let options = ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let exchange = broker.names.exchange.as_str().into();
    let channel = broker.channel().await;
    let declared = channel.exchange_declare(exchange, kind, options, arguments);
    declared.await.unwrap();
}

#[tokio::test]
async fn an_exchange_with_an_alternate_exchange_is_accepted() {
    let broker = Broker::new().await;
    let mut arguments = FieldTable::default();
    let alternate = AMQPValue::LongString("amq.fanout".into());
    arguments.insert("alternate-exchange".into(), alternate);
    declare_exchange(&broker, ExchangeKind::Topic, arguments).await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
}

#[tokio::test]
async fn an_exchange_of_another_type_is_reported_with_its_type() {
    let broker = Broker::new().await;
    declare_exchange(&broker, ExchangeKind::Direct, FieldTable::default()).await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let words = [
        &*broker.names.exchange,
        "in type",
        "it has direct",
        "wants topic",
    ];
    gateway.degraded("exchange", &words).await;
    broker.delete_exchange().await;
    gateway.ready().await;
}

#[tokio::test]
async fn a_queue_with_a_length_limit_is_reported_with_the_argument_its_value_and_a_remedy() {
    let broker = Broker::new().await;
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
        ("x-max-length", AMQPValue::LongInt(100_000)),
    ] {
        arguments.insert(name.into(), value);
    }
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let queue = broker.names.inbound.as_str().into();
    let channel = broker.channel().await;
    let declared = channel.queue_declare(queue, options, arguments).await;
    declared.unwrap();
    let gateway = TestGateway::start_with(&broker, &[("AMQP_QUEUE_TYPE", "quorum")]).await;
    let words = [&*broker.names.inbound, "x-max-length", "100000", "policy"];
    gateway.degraded("inbound_queue", &words).await;
}

#[tokio::test]
async fn a_queue_of_another_type_is_reported_with_the_variable() {
    let broker = Broker::new().await;
    let channel = broker.channel().await;
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let queue = broker.names.dead_letters.as_str().into();
    let declared = channel.queue_declare(queue, options, FieldTable::default());
    declared.await.unwrap();
    let gateway = TestGateway::start_with(&broker, &[("AMQP_QUEUE_TYPE", "quorum")]).await;
    let words = [
        &*broker.names.dead_letters,
        "x-queue-type",
        "AMQP_QUEUE_TYPE",
    ];
    gateway.degraded("dead_letter_queue", &words).await;
}

#[tokio::test]
async fn an_exclusive_queue_of_another_connection_is_reported_as_locked() {
    let broker = Broker::new().await;
    let channel = broker.channel().await;
    let options = QueueDeclareOptions {
        exclusive: true,
        ..Default::default()
    };
    let queue = broker.names.inbound.as_str().into();
    let declared = channel.queue_declare(queue, options, FieldTable::default());
    declared.await.unwrap();
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let words = [&*broker.names.inbound, "exclusive"];
    gateway.degraded("inbound_queue", &words).await;
    broker.delete_queue(&broker.names.inbound).await;
}
