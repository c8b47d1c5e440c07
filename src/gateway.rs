//! The composition root: the only place that knows every part.

mod descriptors;
mod drain;
mod reload;

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::auth::Authenticator;
use crate::config::{Config, Unknown};
use crate::conversation::{CursorKey, Epoch, Hub, Selection};
use crate::http::{self, Health, ProcessPhase};
use crate::journal::{self, Journal, MemoryJournal, StreamJournal, StreamTasks};
use crate::net::{self, Limits, Listener};
use crate::socketio::{Members, Sockets};
use crate::source::amqp;
use crate::throttle::Throttle;
use descriptors::descriptors;
use drain::Drain;
pub use reload::{Occasion, Reload};

/// How often what has expired is dropped.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Makes routes of their own for those who run the gateway with more than it has.
type MoreRoutes = Box<dyn FnOnce(Arc<Sockets>) -> Router + Send>;

/// A gateway that has bound its addresses and not begun to serve.
pub struct Gateway {
    config: Config,
    authenticator: Arc<Authenticator>,
    listener: Listener,
    address: SocketAddr,
    internal: Option<(Listener, SocketAddr)>,
    lingering: TaskTracker,
    hub: Arc<Hub>,
    journal: Arc<Journal>,
    broker: Arc<amqp::BrokerStatus>,
    more_routes: Option<MoreRoutes>,
}

impl Gateway {
    /// Does all that can fail: takes the keys in, and binds the addresses. The broker, the auth
    /// service and the key set's server may be down.
    ///
    /// # Errors
    /// When an address cannot be bound, or TLS has no certificates of authorities.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        let authenticator = Arc::new(Authenticator::new(config.auth.clone())?);
        let timeout = config.socket.timeout();
        let lingering = TaskTracker::new();
        let bounds = config.socket.limits.connections(descriptors(&config));
        let bind = |address, bounds| Listener::bind(address, timeout, bounds, lingering.clone());
        let listener = bind(config.http.public, bounds).await?;
        let address = listener.local_addr().context("the public listener")?;
        let internal = match config.http.internal {
            Some(address) => {
                let listener = bind(address, Limits::internal_connections()).await?;
                let address = listener.local_addr().context("the internal listener")?;
                Some((listener, address))
            }
            None => None,
        };
        let key = config.cursor_key.clone();
        let key = key.unwrap_or_else(CursorKey::random);
        let hub = Arc::new(Hub::new(Epoch(rand::random()), &key, config.limits.clone()));
        let journal = match &config.journal {
            journal::Settings::Memory => Journal::Memory(MemoryJournal::new(hub.clone())),
            journal::Settings::Stream(settings) => {
                Journal::Stream(StreamJournal::new(hub.clone(), settings.clone()))
            }
        };
        Ok(Self {
            hub,
            journal: Arc::new(journal),
            broker: Arc::default(),
            more_routes: None,
            config,
            authenticator,
            listener,
            address,
            internal,
            lingering,
        })
    }

    /// Where the public listener is.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What checks tokens, and signs them.
    pub fn authenticator(&self) -> Arc<Authenticator> {
        self.authenticator.clone()
    }

    /// What reads secrets and keys again, also while the gateway runs.
    pub fn reload(&self) -> Reload {
        Reload::new(&self.config, self.authenticator.clone())
    }

    /// The journal, for those who publish from within the process.
    pub fn journal(&self) -> Arc<Journal> {
        self.journal.clone()
    }

    /// Adds routes to the public listener: `make` gets the sockets that they may work on.
    pub fn add_routes(&mut self, make: impl FnOnce(Arc<Sockets>) -> Router + Send + 'static) {
        self.more_routes = Some(Box::new(make));
    }

    /// Serves until `shutdown`, then finishes what is in hand, within the configured grace.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            config,
            authenticator,
            listener,
            address,
            internal,
            lingering,
            hub,
            journal,
            broker,
            more_routes,
        } = self;
        info!(
            %address,
            broker = config.amqp.address(),
            "listening"
        );
        if let Some((_, address)) = &internal {
            info!(%address, "listening for internal calls");
        }
        for Unknown { name, nearest } in &config.unknown {
            warn!(
                variable = name,
                nearest, "is set, but there is no variable of that name: it is not used"
            );
        }
        let health = Arc::new(Health::default());
        let auth = authenticator.counts();
        let sockets = Sockets::new(&config.socket, authenticator, hub.clone());
        let refused: Arc<http::Counts> = Arc::default();
        let routers = http::routers(
            &config.http,
            http::Parts {
                hub: hub.clone(),
                journal: journal.clone(),
                members: sockets.members(),
                health: health.clone(),
                broker: broker.clone(),
                sockets: sockets.statistics(),
                refused: refused.clone(),
                decoder: config.decoder.clone(),
                auth,
            },
        );
        let sockets = Arc::new(sockets);
        let public = match more_routes {
            Some(make) => routers.public.merge(make(sockets.clone())),
            None => routers.public,
        };
        let public = http::Guard::public(&config.http, refused, sockets.mount(public));
        let internal = internal.zip(routers.internal.map(http::Guard::internal));

        let (sender, disconnects) = mpsc::unbounded_channel();
        let mut journal_tasks = journal.run(sender);
        let disconnecting = tokio::spawn(disconnect(disconnects, sockets.members()));
        let intake = CancellationToken::new();
        let mut source = tokio::spawn(amqp::run(
            config.amqp.clone(),
            config.decoder.clone(),
            hub.clone(),
            journal,
            broker,
            intake.clone(),
        ));
        let sweeper = tokio::spawn(sweep(hub.clone()));
        let closing = CancellationToken::new();
        let serve = |listener, guard| tokio::spawn(net::serve(listener, guard, closing.clone()));
        let mut servers = vec![serve(listener, public)];
        servers.extend(internal.map(|((listener, _), guard)| serve(listener, guard)));
        health.enter(ProcessPhase::Serving);

        // Should the intake or the journal ever end by itself, a restart is better than sockets without events.
        tokio::select! {
            () = shutdown => info!("shutting down"),
            ended = &mut source => bail!("the intake {}", how(&ended)),
            ended = ended(journal_tasks.as_mut()) => bail!("the journal {}", how(&ended)),
        }
        health.enter(ProcessPhase::Draining);
        sockets.refuse();
        let drain = Drain {
            hub: &hub,
            sockets: &sockets,
            lingering,
            grace: config.shutdown_grace,
        };
        let drained = drain.run(source, journal_tasks, intake, closing, servers);
        // The rest is for the process to end in.
        let grace = config.shutdown_grace.mul_f64(0.95);
        if timeout(grace, drained).await.is_err() {
            warn!("not everything was finished in time");
        }
        sweeper.abort();
        disconnecting.abort();
        report(&hub);
        Ok(())
    }
}

/// Waits for a task of the journal's to end by itself, if it has any.
async fn ended(tasks: Option<&mut StreamTasks>) -> Result<(), JoinError> {
    match tasks {
        Some(tasks) => tasks.ended().await,
        None => pending().await,
    }
}

/// How a task has ended. What a panic says is left out: it may hold what it failed on.
fn how(ended: &Result<(), JoinError>) -> &'static str {
    match ended {
        Ok(()) => "has ended",
        Err(_) => "has panicked: the log says where",
    }
}

/// Disconnects what other replicas have disconnected.
async fn disconnect(mut selections: mpsc::UnboundedReceiver<Selection>, members: Arc<Members>) {
    while let Some(selection) = selections.recv().await {
        let disconnected = members.disconnect(&selection);
        info!(
            tenant = %selection.tenant,
            conversation = selection.conversation.as_ref().map(tracing::field::display),
            agent = selection.agent,
            disconnected,
            "members were disconnected, as at another replica"
        );
    }
}

async fn sweep(hub: Arc<Hub>) {
    let mut every = interval(SWEEP_INTERVAL);
    let mut evicted = 0;
    let log: Throttle<(), 60> = Throttle::default();
    loop {
        every.tick().await;
        hub.sweep();
        let now = hub.counters().evicted.get();
        if now > evicted && log.note(&()).is_some() {
            warn!(
                evicted = now,
                bytes = hub.bytes(),
                conversations = hub.conversations(),
                "REPLAY_MAX_BYTES is reached: the oldest events are dropped before their time"
            );
            evicted = now;
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
        resets = counters.resets.total(),
        evicted = counters.evicted.get(),
        "stopped"
    );
}
