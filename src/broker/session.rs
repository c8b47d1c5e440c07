//! The loop that keeps a connection: connect, work, and again when that ends.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lapin::Event;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::backoff::Backoff;
use super::broker_error::BrokerError;
use super::connection::{BrokerConnection, Traffic};
use super::operation::Operation;
use super::shared_uri::SharedUri;

/// How long the reason of a lost connection may take to be known.
const REASON_TIMEOUT: Duration = Duration::from_millis(200);

/// How long the broker may take to close in turn.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a connection is kept for.
pub(crate) trait Session {
    /// What the broker lists the connection under.
    const PURPOSE: &'static str;

    /// What goes over the connection.
    const TRAFFIC: Traffic = Traffic::Deliveries;

    /// Works with a connection. Returns when that is lost, or when the shutdown's part is done; an
    /// error is a reason of its own to connect again. It may be dropped at any await when the connection
    /// is lost: what has to be said then, [`Self::lost`] says.
    fn live(
        &mut self,
        connection: &BrokerConnection,
    ) -> impl Future<Output = Result<(), BrokerError>> + Send;

    /// There is no connection, for this reason.
    fn lost(&mut self, error: &BrokerError);
}

/// Keeps a connection until `shutdown` is cancelled, through whatever the broker does.
pub(crate) async fn keep_connected<S: Session>(
    session: &mut S,
    uri: &SharedUri,
    shutdown: &CancellationToken,
) {
    let purpose = S::PURPOSE;
    let mut backoff = Backoff::new();
    while !shutdown.is_cancelled() {
        let attempt = tokio::select! {
            () = shutdown.cancelled() => return,
            attempt = BrokerConnection::open(uri, purpose, S::TRAFFIC) => attempt,
        };
        let (healthy_since, error) = match attempt {
            Ok(connection) => {
                let since = Instant::now();
                let (broker, user) = (uri.address(), uri.user());
                info!(broker, user, purpose, "connected to the broker");
                let error = live(&connection, session, shutdown).await;
                (Some(since), error)
            }
            Err(error) => (None, error),
        };
        if shutdown.is_cancelled() {
            return;
        }
        session.lost(&error);
        let pause = backoff.pause(healthy_since);
        warn!(
            broker = uri.address(),
            purpose,
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

/// Lives as long as the connection; with the reason of its end.
async fn live(
    connection: &BrokerConnection,
    session: &mut impl Session,
    shutdown: &CancellationToken,
) -> BrokerError {
    let watch = watch(connection);
    tokio::pin!(watch);
    let error = tokio::select! {
        error = &mut watch => error,
        ended = session.live(connection) => match ended {
            Err(error) => error,
            Ok(()) if shutdown.is_cancelled() => connection.lost("the gateway shuts down"),
            // It has seen the end, and the connection's events say why: a moment later.
            Ok(()) => timeout(REASON_TIMEOUT, watch)
                .await
                .unwrap_or_else(|_| connection.lost("the connection was lost")),
        },
    };
    // Already closed, unless this is the shutdown; a broker that hangs is left alone.
    let closed = connection.lapin().close(200, "shutting down".into());
    timeout(CLOSE_TIMEOUT, closed).await.ok();
    error
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
