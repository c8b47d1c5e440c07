//! The generator's own connections to RabbitMQ: it publishes, and removes what a run has declared.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use tokio::time::timeout;

use crate::agent;
use crate::mark::Mark;
use crate::wait::until;

/// How long the broker may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// A connection, and names that no other run uses.
pub(crate) struct Broker {
    pub(crate) url: String,
    pub(crate) names: Names,
    connection: Connection,
    /// In confirm mode; nothing is waited for but at the end of a span.
    channel: Channel,
}

/// Exchange and queues of one run.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) exchange: String,
    pub(crate) inbound: String,
    pub(crate) status: String,
    pub(crate) dead_letters: String,
}

/// Keeps the inbound queue from the server: the queue has a single active consumer, which this is.
pub(crate) struct Hold {
    channel: Channel,
    consumer: Consumer,
    /// A message to nobody, so that none of those to come is in hand when the hold ends.
    delivery: Delivery,
}

impl Broker {
    /// Connects, under new names.
    pub(crate) async fn connect(url: &str) -> anyhow::Result<Self> {
        let connection = connection(url).await?;
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let run: u64 = rand::random();
        let name = |part: &str| format!("bench.{run:016x}.{part}");
        Ok(Self {
            url: url.to_owned(),
            names: Names {
                exchange: name("events"),
                inbound: name("inbound_message"),
                status: name("status_update"),
                dead_letters: name("dead_letters"),
            },
            connection,
            channel,
        })
    }

    /// Publishes a message through the exchange, without waiting for its confirm.
    pub(crate) async fn publish(&self, mark: Mark) -> anyhow::Result<()> {
        let (key, body) = (agent::routing_key(mark.room), agent::delivery(mark));
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(2);
        let publishing = self.channel.basic_publish(
            self.names.exchange.as_str().into(),
            key.as_str().into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            properties,
        );
        // The confirm, which is not looked at, is waited for with all others.
        drop(publishing.await.context("the broker takes no messages")?);
        Ok(())
    }

    /// Waits until the broker has confirmed all that was published.
    pub(crate) async fn confirmed(&self) -> anyhow::Result<()> {
        let confirming = self.channel.wait_for_confirms();
        let returned = timeout(ANSWER, confirming).await;
        returned.context("the broker does not confirm")??;
        Ok(())
    }

    /// Waits until the inbound queue has so many consumers; those of which another one is the active
    /// one do not count.
    pub(crate) async fn consumed_by(&self, consumers: u32) -> anyhow::Result<()> {
        // A refusal, while there is no such queue, closes the channel, and its number can give the
        // same answer once more.
        until("the server consumes", ANSWER, async || {
            Ok(self.consumers().await.ok() == Some(consumers))
        })
        .await
    }

    async fn consumers(&self) -> lapin::Result<u32> {
        let channel = self.connection.create_channel().await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let inbound = self.names.inbound.as_str().into();
        let declared = channel.queue_declare(inbound, options, FieldTable::default());
        let queue = declared.await?;
        channel.close(200, "done".into()).await?;
        Ok(queue.consumer_count())
    }

    /// Keeps the inbound queue, which exists and has no consumer, until [`Hold::release`].
    pub(crate) async fn hold(&self, nobody: Mark) -> anyhow::Result<Hold> {
        let channel = self.connection.create_channel().await?;
        channel.basic_qos(1, BasicQosOptions::default()).await?;
        let inbound = self.names.inbound.as_str().into();
        let options = BasicConsumeOptions::default();
        let consuming = channel.basic_consume(inbound, "".into(), options, FieldTable::default());
        let mut consumer = consuming.await?;
        self.publish(nobody).await?;
        let first = timeout(ANSWER, consumer.next()).await;
        let first = first.context("the broker delivers nothing")?;
        let delivery = first.context("the broker has cancelled the hold")??;
        Ok(Hold {
            channel,
            consumer,
            delivery,
        })
    }

    /// Removes what the run has declared. The connection may have failed with the run: this takes
    /// another.
    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        drop(self.connection);
        let (names, connection) = (&self.names, connection(&self.url).await?);
        let channel = connection.create_channel().await?;
        for queue in [&names.inbound, &names.status, &names.dead_letters] {
            let options = QueueDeleteOptions::default();
            channel.queue_delete(queue.as_str().into(), options).await?;
        }
        let options = ExchangeDeleteOptions::default();
        let exchange = names.exchange.as_str().into();
        channel.exchange_delete(exchange, options).await?;
        connection.close(200, "done".into()).await?;
        Ok(())
    }
}

async fn connection(url: &str) -> anyhow::Result<Connection> {
    let connecting = Connection::connect(url, ConnectionProperties::default());
    let connection = timeout(ANSWER, connecting).await;
    connection
        .map_err(anyhow::Error::from)
        .and_then(|connected| Ok(connected?))
        .context("AMQP_URL: no broker answers; `scripts/broker up` starts one")
}

impl Hold {
    /// Lets the next consumer have the queue.
    pub(crate) async fn release(self) -> anyhow::Result<()> {
        let tag = self.consumer.tag();
        let options = BasicCancelOptions::default();
        self.channel.basic_cancel(tag, options).await?;
        let acknowledging = self.delivery.acker.ack(BasicAckOptions::default());
        acknowledging.await?;
        Ok(())
    }
}
