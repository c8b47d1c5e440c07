//! The composition root: the only place that knows every part.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use axum::Router;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::auth::Authenticator;
use crate::config::Config;
use crate::conversation::Hub;
use crate::http::{self, Health, Phase};
use crate::journal::Journal;
use crate::net::{Listener, Peer};
use crate::socket::Sockets;
use crate::source::amqp;

/// How often it is told that events are dropped before their time.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// How long the shutdown waits for clients to close in turn.
const LAST_FAREWELLS: Duration = Duration::from_secs(2);

/// How often what has expired is dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A gateway that has bound its addresses and not begun to serve.
pub struct Gateway {
    config: Config,
    listener: Listener,
    internal: Option<Listener>,
    farewells: TaskTracker,
    journal: Arc<Journal>,
    broker: Arc<amqp::Status>,
}

impl Gateway {
    /// Binds the addresses. The broker may be down.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        let patience = config.socket.patience();
        let farewells = TaskTracker::new();
        let bind = |address| Listener::bind(address, patience, farewells.clone());
        let listener = bind(config.http.public).await?;
        let internal = match config.http.internal {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self {
            journal: Arc::new(Journal::new(config.limits.clone())),
            broker: Arc::default(),
            config,
            listener,
            internal,
            farewells,
        })
    }

    /// Where the public listener is.
    ///
    /// # Errors
    /// As the operating system reports them.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The journal, for those who publish from within the process.
    pub fn journal(&self) -> Arc<Journal> {
        self.journal.clone()
    }

    /// Serves until `shutdown`, then finishes what is in hand, within the configured grace.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            config,
            listener,
            internal,
            farewells,
            journal,
            broker,
        } = self;
        info!(
            address = %listener.local_addr().context("the public listener")?,
            broker = config.amqp.address(),
            "listening"
        );
        if let Some(internal) = &internal {
            info!(address = %internal.local_addr().context("the internal listener")?, "listening for internal calls");
        }
        for variable in &config.ignored {
            warn!(variable, "is set, but this version does not support it");
        }
        let health = Arc::new(Health::default());
        let (public_routes, internal_routes) = http::routers(
            &config.http,
            journal.clone(),
            health.clone(),
            broker.clone(),
        );
        let authenticator = Arc::new(Authenticator::new(config.auth.clone())?);
        let sockets = Sockets::new(&config.socket, authenticator, journal.hub().clone());

        let intake = CancellationToken::new();
        let mut source = tokio::spawn(amqp::run(
            config.amqp.clone(),
            journal.clone(),
            broker,
            intake.clone(),
        ));
        let sweeper = tokio::spawn(sweep(journal.hub().clone()));
        let closing = CancellationToken::new();
        let serve = |listener, router| tokio::spawn(serve(listener, router, closing.clone()));
        let mut servers = vec![serve(listener, sockets.mount(public_routes))];
        servers.extend(internal.zip(internal_routes).map(|(l, r)| serve(l, r)));
        health.enter(Phase::Serving);

        // Should the intake ever end by itself, a restart is better than sockets without events.
        tokio::select! {
            () = shutdown => info!("shutting down"),
            ended = &mut source => bail!("the intake has ended: {ended:?}"),
        }
        health.enter(Phase::Draining);
        sockets.refuse();
        let drain = Drain {
            hub: journal.hub(),
            sockets: &sockets,
            farewells,
            grace: config.shutdown_grace,
        };
        let drained = drain.run(source, intake, closing, servers);
        // The rest is for the process to end in.
        let grace = config.shutdown_grace.mul_f64(0.95);
        if timeout(grace, drained).await.is_err() {
            warn!("not everything was finished in time");
        }
        sweeper.abort();
        report(journal.hub());
        Ok(())
    }
}

/// Serves until `closing`, then until the last request is answered.
async fn serve(
    listener: Listener,
    router: Router,
    closing: CancellationToken,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service)
        .with_graceful_shutdown(closing.cancelled_owned())
        .await
}

/// Finishes what is in hand: deliveries first, so that agents still see them, then sockets, then
/// requests.
struct Drain<'a> {
    hub: &'a Hub,
    sockets: &'a Sockets,
    farewells: TaskTracker,
    grace: Duration,
}

impl Drain<'_> {
    async fn run(
        &self,
        mut source: JoinHandle<()>,
        intake: CancellationToken,
        closing: CancellationToken,
        servers: Vec<JoinHandle<std::io::Result<()>>>,
    ) {
        intake.cancel();
        // A broker that hangs must not take the sockets' time as well.
        match timeout(self.grace / 3, &mut source).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "the intake ended badly"),
            Err(_) => {
                warn!("the broker does not answer; its deliveries go back");
                source.abort();
            }
        }
        // What has been acknowledged is only in this process: members that are behind get time to
        // catch up.
        if timeout(self.grace / 3, self.caught_up()).await.is_err() {
            warn!(
                members = self.hub.catching_up(),
                "members have not caught up"
            );
        }
        self.sockets.close(self.grace / 6).await;
        closing.cancel();
        for server in servers {
            if let Err(error) = server.await {
                warn!(%error, "a listener ended badly");
            }
        }
        // Clients that do not close in turn are not waited for much longer.
        self.farewells.close();
        let patience = LAST_FAREWELLS.min(self.grace / 4);
        timeout(patience, self.farewells.wait()).await.ok();
    }

    async fn caught_up(&self) {
        while self.hub.catching_up() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn sweep(hub: Arc<Hub>) {
    let mut every = interval(SWEEP_EVERY);
    let mut evicted = 0;
    let mut told = None;
    loop {
        every.tick().await;
        hub.sweep();
        let now = hub.counters().evicted.get();
        if now > evicted && told.is_none_or(|told: Instant| told.elapsed() >= TELL_EVERY) {
            warn!(
                evicted = now,
                bytes = hub.bytes(),
                conversations = hub.conversations(),
                "REPLAY_MAX_BYTES is reached: the oldest events are dropped before their time"
            );
            evicted = now;
            told = Some(Instant::now());
        }
    }
}

fn report(hub: &Hub) {
    let counters = hub.counters();
    info!(
        events = counters.events.get(),
        duplicates = counters.duplicates.get(),
        stale = counters.stale.get(),
        fell_behind = counters.fell_behind.get(),
        resets = counters.resets.get(),
        evicted = counters.evicted.get(),
        "stopped"
    );
}
