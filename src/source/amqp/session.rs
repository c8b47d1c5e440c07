//! The consumers' session: both queues, and what they share, for as long as a connection lives.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Settings;
use super::activation::Unbound;
use super::consumer::Consumer;
use super::dead_letters::DeadLetters;
use super::depths;
use super::status::{
    BROKER, BrokerStatus, DEAD_LETTER_QUEUE, EXCHANGE, INBOUND_QUEUE, STATUS_QUEUE,
};
use crate::broker::{
    Backoff, BrokerConnection, BrokerError, Check, Session, Topology, keep_connected,
};
use crate::conversation::{Decoder, Hub, Kind};
use crate::journal::Journal;

/// Consumes until `shutdown` is cancelled, through whatever the broker does.
///
/// Returns when deliveries in hand are finished and acknowledged and the rest is given back.
pub async fn run(
    settings: Settings,
    decoder: Decoder,
    hub: Arc<Hub>,
    journal: Arc<Journal>,
    status: Arc<BrokerStatus>,
    shutdown: CancellationToken,
) {
    let uri = settings.uri.clone();
    let mut source = Source::new(settings, decoder, hub, journal, status, shutdown.clone());
    keep_connected(&mut source, &uri, &shutdown).await;
}

struct Source {
    settings: Settings,
    topology: Arc<Topology>,
    status: Arc<BrokerStatus>,
    inbound: Consumer,
    statuses: Consumer,
    shutdown: CancellationToken,
}

impl Source {
    fn new(
        settings: Settings,
        decoder: Decoder,
        hub: Arc<Hub>,
        journal: Arc<Journal>,
        status: Arc<BrokerStatus>,
        shutdown: CancellationToken,
    ) -> Self {
        let topology = Arc::new(settings.topology());
        let dead_letters = Arc::new(DeadLetters::new(settings.clone(), status.clone()));
        let consumer = |kind, queue, check| Consumer {
            kind,
            queue,
            topology: topology.clone(),
            prefetch: settings.prefetch,
            check,
            decoder: decoder.clone(),
            mapping: settings.mapping.clone(),
            hub: hub.clone(),
            journal: journal.clone(),
            dead_letters: dead_letters.clone(),
            status: status.clone(),
            unbound: Unbound::default(),
        };
        Self {
            inbound: consumer(
                Kind::InboundMessage,
                topology.inbound.clone(),
                INBOUND_QUEUE,
            ),
            statuses: consumer(Kind::StatusUpdate, topology.status.clone(), STATUS_QUEUE),
            settings,
            topology,
            status,
            shutdown,
        }
    }

    /// Sees to what both queues share, again and again until it is there. A refusal is reported and
    /// does not keep the queues from being consumed.
    async fn keep_declared(&self, connection: &BrokerConnection) -> Infallible {
        let topology = &*self.topology;
        tokio::join!(
            self.keep(EXCHANGE, &topology.exchange, || {
                topology.ensure_exchange(connection)
            }),
            self.keep(DEAD_LETTER_QUEUE, &topology.dead_letters.name, || {
                topology.ensure_dead_letters(connection)
            }),
        );
        // Both are there; the connection's end is for others to see.
        std::future::pending().await
    }

    async fn keep<F>(&self, part: &'static str, name: &str, declare: impl Fn() -> F)
    where
        F: Future<Output = Result<(), BrokerError>>,
    {
        let mut backoff = Backoff::new();
        while let Err(error) = declare().await {
            if self.status.set(part, Check::Down(error.to_string())) {
                warn!(
                    name,
                    user = self.settings.user(),
                    %error,
                    "a part of the topology is not as it should be, trying again"
                );
            }
            sleep(backoff.pause(None)).await;
        }
        self.status.set(part, Check::Up);
    }
}

impl Session for Source {
    const PURPOSE: &'static str = "consumer";

    /// Works until the shutdown, or until the consumers see that the connection is lost or useless.
    async fn live(&mut self, connection: &BrokerConnection) -> Result<(), BrokerError> {
        self.status.set(BROKER, Check::Up);
        let shutdown = &self.shutdown;
        let consume = async {
            tokio::try_join!(
                self.inbound.run(connection, shutdown),
                self.statuses.run(connection, shutdown)
            )
        };
        tokio::select! {
            never = self.keep_declared(connection) => match never {},
            never = depths::watch(connection, &self.topology, &self.status) => match never {},
            consumed = consume => consumed.map(drop),
        }
    }

    fn lost(&mut self, error: &BrokerError) {
        self.status.disconnected(&error.to_string());
    }
}
