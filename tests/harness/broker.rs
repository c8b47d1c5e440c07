//! A connection to the broker, and names that no other test uses.

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions,
    ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use serde_json::Value;

use super::{Client, DEADLINE, message, random_name};

/// Exchange and queues of one test, removed when it ends.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) exchange: String,
    pub(crate) inbound: String,
    pub(crate) status: String,
    pub(crate) dead_letters: String,
    pub(crate) journal: String,
}

pub(crate) struct Broker {
    pub(crate) names: Names,
    url: String,
    /// Whether the broker outlives the test.
    shared: bool,
    connection: Connection,
    channel: Channel,
}

/// Where the broker is.
pub(crate) fn url() -> String {
    std::env::var("AMQP_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".into())
}

async fn connect(url: &str) -> Connection {
    let Some(connection) = try_connect(url).await else {
        panic!("no broker answers; start one: export AMQP_URL=\"$(scripts/broker up)\"");
    };
    connection
}

async fn try_connect(url: &str) -> Option<Connection> {
    let connecting = Connection::connect(url, ConnectionProperties::default());
    let connected = tokio::time::timeout(DEADLINE, connecting).await.ok()?;
    connected.ok()
}

impl Broker {
    pub(crate) async fn new() -> Self {
        Self::connect(url(), true).await
    }

    /// A broker that goes with the test.
    pub(crate) async fn at(url: &str) -> Self {
        Self::connect(url.to_owned(), false).await
    }

    #[allow(dead_code, reason = "only the soak has several brokers")]
    /// One that outlives the test as well, elsewhere than `AMQP_URL` says.
    pub(crate) async fn shared_at(url: &str) -> Self {
        Self::connect(url.to_owned(), true).await
    }

    #[allow(dead_code, reason = "only the soak has several brokers")]
    /// The same names, by way of another of the broker's servers; `None`: it does not answer.
    pub(crate) async fn try_again_at(&self, url: &str) -> Option<Self> {
        let connection = try_connect(url).await?;
        let again = Self::over(connection, url.to_owned(), false, self.names.clone());
        again.await.ok()
    }

    /// The same names, after the broker has been away.
    pub(crate) async fn again(&self) -> Self {
        let mut again = Self::at(&self.url).await;
        again.names = self.names.clone();
        again
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    async fn connect(url: String, shared: bool) -> Self {
        let word = random_name();
        let name = |part: &str| format!("test.{word}.{part}");
        let names = Names {
            exchange: name("events"),
            inbound: name("inbound_message"),
            status: name("status_update"),
            dead_letters: name("dead_letters"),
            journal: name("journal"),
        };
        let connection = connect(&url).await;
        Self::over(connection, url, shared, names).await.unwrap()
    }

    async fn over(
        connection: Connection,
        url: String,
        shared: bool,
        names: Names,
    ) -> lapin::Result<Self> {
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok(Self {
            names,
            url,
            shared,
            connection,
            channel,
        })
    }

    /// Publishes JSON through the exchange, and waits for the confirm.
    pub(crate) async fn publish(&self, routing_key: &str, body: &Value) {
        let body = body.to_string();
        self.publish_raw(routing_key, body.as_bytes(), BasicProperties::default())
            .await;
    }

    /// Publishes a message to acme's conversation c-1, and sees it reach the agent next.
    pub(crate) async fn delivers(&self, agent: &mut Client, id: &str) {
        self.publish("inbound_message", &message("acme", "c-1", id))
            .await;
        assert_eq!(agent.event().await.message_id(), id);
    }

    pub(crate) async fn publish_raw(
        &self,
        routing_key: &str,
        body: &[u8],
        properties: BasicProperties,
    ) {
        self.publish_all(routing_key, [(body.to_vec(), properties)])
            .await;
    }

    /// Publishes as fast as the broker takes it, then waits for all confirms.
    pub(crate) async fn publish_all(
        &self,
        routing_key: &str,
        deliveries: impl IntoIterator<Item = (Vec<u8>, BasicProperties)>,
    ) {
        let published = self.try_publish_all(routing_key, deliveries);
        assert!(published.await.unwrap(), "the broker takes not all of them");
    }

    /// The same, where the connection may be lost, or the broker may lose a queue's leader: then some of
    /// them have been published, or none. Whether all were confirmed.
    pub(crate) async fn try_publish_all(
        &self,
        routing_key: &str,
        deliveries: impl IntoIterator<Item = (Vec<u8>, BasicProperties)>,
    ) -> lapin::Result<bool> {
        let mut confirms = Vec::new();
        for (body, properties) in deliveries {
            let options = BasicPublishOptions {
                mandatory: true,
                ..Default::default()
            };
            let exchange = self.names.exchange.as_str().into();
            let published = self.channel.basic_publish(
                exchange,
                routing_key.into(),
                options,
                &body,
                properties,
            );
            confirms.push(published.await?);
        }
        let mut are_taken = true;
        for confirm in confirms {
            let confirmation = confirm.await?;
            are_taken &= confirmation.is_ack();
            assert!(confirmation.take_message().is_none(), "no queue took it");
        }
        Ok(are_taken)
    }

    /// How many deliveries wait in the queue, unacknowledged ones not counted.
    pub(crate) async fn depth(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let channel = self.connection.create_channel().await.unwrap();
        let declared = channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
            .unwrap();
        channel.close(200, "done".into()).await.unwrap();
        declared.message_count()
    }

    /// Takes exactly `count` deliveries out of the queue.
    pub(crate) async fn take(&self, queue: &str, count: usize) -> Vec<Delivery> {
        let channel = self.connection.create_channel().await.unwrap();
        let mut consumer = channel
            .basic_consume(
                queue.into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
        let mut taken = Vec::new();
        while taken.len() < count {
            let next = tokio::time::timeout(DEADLINE, consumer.next()).await;
            let Ok(next) = next else {
                panic!("{} of {count} deliveries in {queue}", taken.len());
            };
            let delivery = next.unwrap().unwrap();
            delivery
                .acker
                .ack(BasicAckOptions::default())
                .await
                .unwrap();
            taken.push(delivery);
        }
        channel.close(200, "done".into()).await.unwrap();
        taken
    }

    /// Whether there is such a queue.
    pub(crate) async fn exists(&self, queue: &str) -> bool {
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        // A refusal closes the channel.
        let channel = self.connection.create_channel().await.unwrap();
        channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
            .is_ok()
    }

    /// Declares a queue as the gateway does not.
    pub(crate) async fn declare_plain_queue(&self, queue: &str) {
        let options = QueueDeclareOptions {
            durable: true,
            ..Default::default()
        };
        self.channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
            .unwrap();
    }

    /// A channel of the test's own.
    pub(crate) async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    pub(crate) async fn delete_exchange(&self) {
        let exchange = self.names.exchange.as_str().into();
        let options = ExchangeDeleteOptions::default();
        self.channel
            .exchange_delete(exchange, options)
            .await
            .unwrap();
    }

    pub(crate) async fn delete_queue(&self, queue: &str) {
        self.channel
            .queue_delete(queue.into(), QueueDeleteOptions::default())
            .await
            .unwrap();
    }
}

impl Drop for Broker {
    // Also when the test has failed: nothing is left behind.
    fn drop(&mut self) {
        if !self.shared {
            return;
        }
        let names = self.names.clone();
        let exchange = names.exchange.clone();
        let url = self.url.clone();
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let connection = connect(&url).await;
                let channel = connection.create_channel().await.unwrap();
                let Names {
                    inbound,
                    status,
                    dead_letters,
                    journal,
                    ..
                } = names;
                for queue in [inbound, status, dead_letters, journal] {
                    let options = QueueDeleteOptions::default();
                    channel
                        .queue_delete(queue.as_str().into(), options)
                        .await
                        .unwrap();
                }
                channel
                    .exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default())
                    .await
                    .unwrap();
                connection.close(200, "done".into()).await.unwrap();
            });
        });
        if cleaner.join().is_err() && !std::thread::panicking() {
            panic!("the test's queues could not be removed");
        }
    }
}
