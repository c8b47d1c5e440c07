//! The connection's loop: connect, consume both queues, and again when that ends.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lapin::Event;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Settings;
use super::activation::Unbound;
use super::backoff::Backoff;
use super::broker_error::BrokerError;
use super::connection::BrokerConnection;
use super::consumer::Consumer;
use super::dead_letters::DeadLetters;
use super::depths;
use super::operation::Operation;
use super::status::{
    BROKER, BrokerStatus, Check, DEAD_LETTER_QUEUE, EXCHANGE, INBOUND_QUEUE, STATUS_QUEUE,
};
use super::topology::Topology;
use crate::conversation::{Decoder, Kind};
use crate::journal::Journal;

/// How long the reason of a lost connection may take to be known.
const REASON_TIMEOUT: Duration = Duration::from_millis(200);

/// How long the broker may take to close in turn.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Consumes until `shutdown` is cancelled, through whatever the broker does.
///
/// Returns when deliveries in hand are finished and acknowledged and the rest is given back.
pub async fn run(
    settings: Settings,
    decoder: Decoder,
    journal: Arc<Journal>,
    status: Arc<BrokerStatus>,
    shutdown: CancellationToken,
) {
    let source = Source::new(settings, decoder, journal, status);
    let mut backoff = Backoff::new();
    while !shutdown.is_cancelled() {
        let attempt = tokio::select! {
            () = shutdown.cancelled() => return,
            attempt = BrokerConnection::open(&source.settings, "consumer") => attempt,
        };
        let (healthy_since, error) = match attempt {
            Ok(connection) => {
                let since = Instant::now();
                let error = source.session(&connection, &shutdown).await;
                (Some(since), error)
            }
            Err(error) => (None, error),
        };
        if shutdown.is_cancelled() {
            return;
        }
        source.status.disconnected(&error.to_string());
        let pause = backoff.pause(healthy_since);
        warn!(
            broker = source.settings.address(),
            %error,
            retry_in_ms = pause.as_millis() as u64,
            "not connected to the broker"
        );
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sleep(pause) => {}
        }
    }
}

struct Source {
    settings: Settings,
    topology: Arc<Topology>,
    status: Arc<BrokerStatus>,
    inbound: Consumer,
    statuses: Consumer,
}

impl Source {
    fn new(
        settings: Settings,
        decoder: Decoder,
        journal: Arc<Journal>,
        status: Arc<BrokerStatus>,
    ) -> Self {
        let topology = Arc::new(Topology::new(&settings));
        let dead_letters = Arc::new(DeadLetters::new(settings.clone(), status.clone()));
        let consumer = |kind, queue, check| Consumer {
            kind,
            queue,
            topology: topology.clone(),
            prefetch: settings.prefetch,
            check,
            decoder: decoder.clone(),
            mapping: settings.mapping.clone(),
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
        }
    }

    /// Lives as long as the connection; with the reason of its end.
    async fn session(
        &self,
        connection: &BrokerConnection,
        shutdown: &CancellationToken,
    ) -> BrokerError {
        info!(
            broker = self.settings.address(),
            user = self.settings.user(),
            "connected to the broker"
        );
        self.status.set(BROKER, Check::Up);
        let consume = async {
            tokio::join!(
                self.inbound.run(connection, shutdown),
                self.statuses.run(connection, shutdown)
            );
        };
        let watch = watch(connection);
        tokio::pin!(watch);
        let error = tokio::select! {
            error = &mut watch => error,
            never = self.keep_declared(connection) => match never {},
            never = depths::watch(connection, &self.topology, &self.status) => match never {},
            // The consumers see the end, and the connection's events say why: a moment later.
            () = consume => timeout(REASON_TIMEOUT, watch)
                .await
                .unwrap_or_else(|_| connection.lost("the connection was lost")),
        };
        // Already closed, unless this is the shutdown; a broker that hangs is left alone.
        let closed = connection.lapin().close(200, "shutting down".into());
        timeout(CLOSE_TIMEOUT, closed).await.ok();
        error
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

/// Waits for the connection to fail; with the reason.
async fn watch(connection: &BrokerConnection) -> BrokerError {
    let mut events = connection.lapin().events_listener();
    while let Some(event) = events.next().await {
        match event {
            Event::Error(error) if !connection.is_open() => {
                return connection.error(&Operation::UseConnection, &error);
            }
            Event::ConnectionBlocked(reason) => {
                warn!(reason, "the broker takes no publishes at present");
            }
            Event::ConnectionUnblocked => info!("the broker takes publishes again"),
            _ => {}
        }
    }
    connection.lost("the connection was closed")
}
