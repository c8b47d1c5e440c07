//! The consumer of one queue, which runs for as long as the connection.

use std::sync::Arc;
use std::time::Instant;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::activation::Unbound;
use super::dead_letters::DeadLetters;
use super::deliveries::Deliveries;
use super::delivery_loop::DeliveryLoop;
use super::mapping::Mapping;
use super::status::BrokerStatus;
use super::takeover::{RECHECKS, Takeover, recheck_after};
use crate::broker::{Backoff, BrokerConnection, BrokerError, Check, Operation, Queue, Topology};
use crate::conversation::{Decoder, Hub, Kind};
use crate::journal::Journal;

/// What a queue's consumer works with.
pub(super) struct Consumer {
    pub(super) kind: Kind,
    pub(super) queue: Queue,
    pub(super) topology: Arc<Topology>,
    pub(super) prefetch: u16,
    /// The queue's name among the checks.
    pub(super) check: &'static str,
    pub(super) decoder: Decoder,
    pub(super) mapping: Option<Arc<Mapping>>,
    pub(super) hub: Arc<Hub>,
    pub(super) journal: Arc<Journal>,
    pub(super) dead_letters: Arc<DeadLetters>,
    pub(super) status: Arc<BrokerStatus>,
    pub(super) unbound: Unbound,
}

/// Why an active consumer has ended.
enum Ended {
    /// The gateway shuts down.
    Shutdown,
    /// It has to check again that nobody else is active.
    Recheck,
}

impl Consumer {
    /// Consumes until the connection is lost or `shutdown` is asked for. What goes wrong with the
    /// queue alone is reported and tried again, while everything else goes on.
    ///
    /// # Errors
    /// When only another connection helps.
    pub(super) async fn run(
        &self,
        connection: &BrokerConnection,
        shutdown: &CancellationToken,
    ) -> Result<(), BrokerError> {
        let mut backoff = Backoff::new();
        while !shutdown.is_cancelled() {
            let started = Instant::now();
            let consumed = self.consume(connection, shutdown).await;
            self.status.set_active(self.kind, false);
            let Err(error) = consumed else {
                return Ok(());
            };
            if error.is_stalled() {
                return Err(error);
            }
            if !connection.is_open() {
                return Ok(());
            }
            let queue = &self.queue.name;
            if self.status.set(self.check, Check::Down(error.to_string())) {
                warn!(queue, %error, "the queue cannot be consumed, trying again");
            } else {
                debug!(queue, %error, "the queue still cannot be consumed");
            }
            let pause = backoff.pause(Some(started));
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
        Ok(())
    }

    async fn consume(
        &self,
        connection: &BrokerConnection,
        shutdown: &CancellationToken,
    ) -> Result<(), BrokerError> {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            ensured = self.ensure(connection) => ensured?,
        }
        // What has been acknowledged before is known first.
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = self.journal.ready() => {}
        }
        let mut takeover = Takeover::default();
        let mut rechecks = RECHECKS;
        loop {
            let mut deliveries = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                activated = self.activate(connection, &mut takeover) => activated?,
            };
            let Some(deliveries) = &mut deliveries else {
                takeover.pause().await;
                continue;
            };
            takeover = Takeover::default();
            self.status.set_active(self.kind, true);
            if self.status.set(self.check, Check::Up) {
                info!(queue = self.queue.name, "consuming");
            }
            match self
                .run_active(connection, deliveries, rechecks > 0, shutdown)
                .await?
            {
                Ended::Shutdown => return Ok(()),
                Ended::Recheck => rechecks -= 1,
            }
        }
    }

    async fn run_active(
        &self,
        connection: &BrokerConnection,
        deliveries: &mut Deliveries,
        recheck: bool,
        shutdown: &CancellationToken,
    ) -> Result<Ended, BrokerError> {
        let operation = Operation::Consume(self.queue.object());
        let explain = |error| connection.error(&operation, &error);
        if recheck {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = deliveries.first() => {}
                () = sleep(recheck_after()) => {
                    let closed = deliveries.close();
                    connection.within(async { closed.await.map_err(explain) }).await?;
                    return Ok(Ended::Recheck);
                }
            }
        }
        let channel = deliveries.channel.clone();
        let mut delivery_loop = DeliveryLoop::new(self, &channel);
        let taken = delivery_loop.run(deliveries, shutdown).await;
        if let Some(error) = taken.map_err(explain)? {
            return Err(error);
        }
        delivery_loop.finish().await.map_err(explain)?;
        Ok(Ended::Shutdown)
    }
}
