//! What the replicas have at the broker: names of this run's, so that nobody else's queues get what is played
//! here, and all of it is removed in the end.

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use rand::distr::{Alphanumeric, SampleString as _};
use tracing::warn;

use super::super::super::is_set;
use crate::broker::{BrokerConnection, BrokerError, Operation, SharedUri, Traffic};

const EXCHANGE: &str = "AMQP_EXCHANGE";

const QUEUES: [(&str, &str); 4] = [
    ("AMQP_INBOUND_QUEUE", "inbound_message"),
    ("AMQP_STATUS_QUEUE", "status_update"),
    ("AMQP_DEAD_LETTER_QUEUE", "dead_letters"),
    ("AMQP_JOURNAL_STREAM", "journal"),
];

/// The names of one run.
pub(super) struct Names {
    exchange: String,
    queues: [String; QUEUES.len()],
}

impl Names {
    /// Names that nobody else has; `None` where the environment has some, which are somebody's.
    pub(super) fn new() -> Option<Self> {
        let variables = QUEUES.map(|(variable, _)| variable);
        if is_set(EXCHANGE) || is_set("AMQP_DECLARE") || variables.into_iter().any(is_set) {
            return None;
        }
        let run = Alphanumeric.sample_string(&mut rand::rng(), 8);
        Some(Self {
            exchange: format!("gateway-dev-{run}.events"),
            queues: QUEUES.map(|(_, name)| format!("gateway-dev-{run}.{name}")),
        })
    }

    pub(super) fn exchange(&self) -> &str {
        &self.exchange
    }

    /// What a replica is told them by.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let variables = QUEUES.iter().map(|(variable, _)| *variable);
        let queues = variables.zip(self.queues.iter().map(String::as_str));
        queues.chain([(EXCHANGE, self.exchange())])
    }

    /// Removes them all from the broker, as far as it is there.
    pub(super) async fn remove(&self, uri: &SharedUri) {
        if let Err(error) = self.try_remove(uri).await {
            let (exchange, queues) = (&self.exchange, self.queues.join(", "));
            warn!(exchange, queues, %error, "these are still at the broker");
        }
    }

    async fn try_remove(&self, uri: &SharedUri) -> Result<(), BrokerError> {
        let connection = BrokerConnection::open(uri, "removal", Traffic::Publishes).await?;
        for queue in &self.queues {
            let operation = Operation::Declare(format!("queue {queue}"));
            let removed = connection.ask(operation, |channel| async move {
                let options = QueueDeleteOptions::default();
                channel.queue_delete(queue.as_str().into(), options).await
            });
            removed.await?;
        }
        let operation = Operation::Declare(format!("exchange {}", self.exchange));
        let removed = connection.ask(operation, |channel| async move {
            let options = ExchangeDeleteOptions::default();
            channel
                .exchange_delete(self.exchange.as_str().into(), options)
                .await
        });
        removed.await
    }
}
