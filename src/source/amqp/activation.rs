//! What comes before a queue's deliveries: it is declared, bound, and without an active consumer.

use std::sync::atomic::{AtomicU8, Ordering};

use futures_util::FutureExt as _;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tracing::{info, warn};

use super::consumer::Consumer;
use super::deliveries::Deliveries;
use super::takeover::Takeover;
use crate::broker::{BrokerConnection, BrokerError, Check, Operation};

/// Why a queue is not bound by us.
#[derive(Debug, Default)]
pub(super) struct Unbound(AtomicU8);

impl Unbound {
    /// We have made the queue: nobody else has bound it.
    const OURS: u8 = 1;
    /// It was there, so that whoever made it has bound it, and the refusal has been logged.
    const LOGGED: u8 = 2;
}

impl Consumer {
    /// Declares and binds the queue, as far as the gateway may.
    pub(super) async fn ensure(&self, connection: &BrokerConnection) -> Result<(), BrokerError> {
        let topology = &self.topology;
        // Also when it was there before: it may have been deleted since. Should it be otherwise
        // than we declare it, the session reports it, and binding to it may work all the same.
        topology.ensure_exchange(connection).await.ok();
        let existed = topology.ensure_queue(&self.queue, connection).await?;
        if !topology.declare {
            return Ok(());
        }
        let unbound = &self.unbound.0;
        if !existed {
            unbound.store(Unbound::OURS, Ordering::Relaxed);
        }
        match self.queue.bind(&topology.exchange, connection).await {
            Ok(()) => unbound.store(0, Ordering::Relaxed),
            Err(error)
                if error.is_no_permission() && unbound.load(Ordering::Relaxed) != Unbound::OURS =>
            {
                if unbound.swap(Unbound::LOGGED, Ordering::Relaxed) != Unbound::LOGGED {
                    warn!(
                        queue = self.queue.name,
                        exchange = topology.exchange,
                        routing_keys = self.queue.bindings.join(","),
                        %error,
                        "the queue was there and cannot be bound by us: whoever made it must have \
                         bound it; AMQP_DECLARE=false says that this is meant"
                    );
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Consumes as soon as nobody else does; `None` when another gateway began at the same moment.
    pub(super) async fn activate(
        &self,
        connection: &BrokerConnection,
        takeover: &mut Takeover,
    ) -> Result<Option<Deliveries>, BrokerError> {
        let queue = &self.queue;
        let channel = connection.within(connection.channel()).await?;
        let stand_by = || self.stand_by(connection);
        takeover
            .until_free(queue, connection, &channel, stand_by)
            .await?;
        let consume = async {
            channel
                .basic_qos(self.prefetch, BasicQosOptions::default())
                .await?;
            channel
                .basic_consume(
                    queue.name.as_str().into(),
                    "".into(),
                    BasicConsumeOptions::default(),
                    FieldTable::default(),
                )
                .await
        };
        let operation = Operation::Consume(queue.object());
        let consumer = connection
            .within(async {
                consume
                    .await
                    .map_err(|error| connection.error(&operation, &error))
            })
            .await?;
        let mut deliveries = Deliveries::new(consumer, channel);
        let counted = takeover.consumers(queue, connection, &deliveries.channel);
        let is_contended = counted.await? > 1;
        // A delivery comes to the active one alone.
        if is_contended && deliveries.first().now_or_never().is_none() {
            let closed = deliveries.close().await;
            closed.map_err(|error| connection.error(&operation, &error))?;
            return Ok(None);
        }
        Ok(Some(deliveries))
    }

    /// Reports that another gateway consumes the queue.
    fn stand_by(&self, connection: &BrokerConnection) {
        let (queue, vhost) = (&self.queue.name, connection.vhost());
        self.status.set_active(self.kind, false);
        if self.journal.is_shared() {
            if self.status.set(self.check, Check::Up) {
                info!(
                    queue,
                    vhost, "another replica takes deliveries, standing by"
                );
            }
            return;
        }
        let reason = format!(
            "another consumer holds queue {queue} in vhost {vhost}: this gateway stands by, and its \
             agents see nothing of that queue until the other is gone"
        );
        if self.status.set(self.check, Check::Down(reason)) {
            warn!(
                queue,
                vhost,
                "another consumer holds the queue, standing by: agents who are connected here see \
                 nothing of it; end the other gateway, or send agents there (rabbitmqctl \
                 list_consumers names it)"
            );
        }
    }
}
