//! `dev --replicas`: three gateways that share a stream, behind an nginx, for as long as this process
//! runs, and the playground on them with a button that kills one.
//!
//! ```text
//! browser ─ nginx ─┬─ replica 1, 2, 3: this program with `dev --replica`
//!                  └─ /playground/replicas: this process, which starts them again
//! ```

mod launch;
mod names;
mod nginx;
mod replica;
mod routes;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::super::{CommandError, is_set};
use super::secret;
use crate::config::Config;
use launch::Launch;
use names::Names;
use nginx::Nginx;
use replica::Replica;
use routes::Watch;

/// As many as the example in `deploy/` has.
const COUNT: usize = 3;

/// How often it is looked whether the replicas answer, before the link is printed.
const LOOK: Duration = Duration::from_millis(100);

/// Runs them until SIGTERM or SIGINT. `config` is what each of them will have.
pub(super) async fn run(config: Config, key: String) -> Result<(), CommandError> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let shutdown = CancellationToken::new();
    let watching = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let supervisor = watching.local_addr().context("the supervisor's address")?;
    let public = free(config.http.public).await?;
    let mut replicas = Vec::new();
    for address in free_ports().await? {
        replicas.push(Arc::new(Replica::new(replicas.len() + 1, address)));
    }
    let secret = (!is_set("JWT_SECRET")).then(secret);
    let names = Names::new();
    let launch = Arc::new(Launch::new(key.clone(), secret, names.as_ref())?);
    let nginx = Nginx::start(public, supervisor, &replicas).await?;
    info!(address = %public, "listening");
    let mut tasks = JoinSet::new();
    for replica in replicas.clone() {
        let (launch, shutdown) = (launch.clone(), shutdown.clone());
        tasks.spawn(async move { replica.keep(&launch, &shutdown).await });
    }
    let watch = Watch::new(replicas, key)?;
    let answering = watch.clone();
    let stop = shutdown.clone().cancelled_owned();
    tasks.spawn(async move {
        let served = axum::serve(watching, answering.routes());
        served
            .with_graceful_shutdown(stop)
            .await
            .context("the replicas cannot be watched")
    });
    let answer = async {
        while !watch.all_answer().await {
            sleep(LOOK).await;
        }
        print_link(public, names.as_ref());
        std::future::pending::<()>().await;
    };
    let failed = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        () = answer => None,
        ended = tasks.join_next() => ended.and_then(|ended| ended.ok()?.err()),
        failed = nginx.ended() => Some(failed),
    };
    info!("ending the replicas");
    shutdown.cancel();
    while tasks.join_next().await.is_some() {}
    if let Some(names) = &names {
        names.remove(&config.amqp.uri).await;
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

fn print_link(address: SocketAddr, names: Option<&Names>) {
    println!(
        "\n  Play with it, two agents side by side on {COUNT} replicas, and kill one:\n\n  \
         http://{address}/playground\n"
    );
    if let Some(names) = names {
        let exchange = names.exchange();
        println!("  What is published to the exchange {exchange} comes there, too.\n");
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address}"))
}

/// The address itself, or with port 0 one that nobody listens on at the moment.
async fn free(address: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener = bind(address).await?;
    listener.local_addr().context("its address")
}

/// Ports that nobody listens on at the moment. A replica that comes back has the one that it had.
async fn free_ports() -> anyhow::Result<Vec<SocketAddr>> {
    let mut listeners = Vec::new();
    for _ in 0..COUNT {
        listeners.push(bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?);
    }
    let addresses = listeners.iter().map(TcpListener::local_addr);
    addresses
        .collect::<std::io::Result<_>>()
        .context("the replicas' addresses")
}
