//! One of the replicas: a process that is started again when it has ended.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::launch::Launch;
use crate::lock::Mutex;

/// How long it is away: its agents are elsewhere within seconds, and there is time to see it.
const AWAY: Duration = Duration::from_secs(6);

/// How long it may take to end: what `SHUTDOWN_GRACE_SECONDS` gives it unless set, and a little.
const GRACE: Duration = Duration::from_secs(12);

pub(super) struct Replica {
    number: usize,
    address: SocketAddr,
    /// When it is started again, if it does not run.
    away_until: Mutex<Option<Instant>>,
    killed: Notify,
}

impl Replica {
    pub(super) fn new(number: usize, address: SocketAddr) -> Self {
        Self {
            number,
            address,
            away_until: Mutex::default(),
            killed: Notify::new(),
        }
    }

    pub(super) const fn number(&self) -> usize {
        self.number
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long until it is started again; `None`: it runs.
    pub(super) fn away_for(&self) -> Option<Duration> {
        let until = *self.away_until.lock();
        until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Ends it as a power cut does; `false`: it does not run.
    pub(super) fn kill(&self) -> bool {
        let runs = self.away_until.lock().is_none();
        if runs {
            self.killed.notify_one();
        }
        runs
    }

    /// Runs it until the shutdown, again and again.
    pub(super) async fn keep(
        &self,
        launch: &Launch,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            let mut child = launch.start(self)?;
            // To wait for a process closes its standard input, with which it ends.
            let stdin = child.stdin.take();
            let reading = child
                .stderr
                .take()
                .map(|log| tokio::spawn(hand_on(self.number, log)));
            *self.away_until.lock() = None;
            tokio::select! {
                () = shutdown.cancelled() => {
                    drop(stdin);
                    end(&mut child).await;
                    if let Some(reading) = reading {
                        reading.await.ok();
                    }
                    return Ok(());
                }
                () = self.killed.notified() => {
                    *self.away_until.lock() = Some(Instant::now() + AWAY);
                    child.kill().await.ok();
                    info!(replica = self.number, "killed");
                }
                status = child.wait() => {
                    *self.away_until.lock() = Some(Instant::now() + AWAY);
                    let status = status.map(|status| status.to_string()).unwrap_or_default();
                    warn!(replica = self.number, status, "has ended by itself");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = sleep(AWAY) => {}
            }
        }
    }
}

/// Waits for its end, which was asked for.
async fn end(child: &mut Child) {
    if timeout(GRACE, child.wait()).await.is_err() {
        // It may have ended in the meantime.
        child.kill().await.ok();
    }
}

/// Writes its log into this process's, each line with its number.
async fn hand_on(number: usize, log: ChildStderr) {
    let mut lines = BufReader::new(log).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        eprintln!("{number} {line}");
    }
}
