//! Waiting for conditions, each with a deadline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(5);

/// Has SIGINT and SIGTERM end whatever is waited for, so that servers and queues are removed.
pub(crate) fn handle_signals() -> anyhow::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind).context("signals cannot be handled")?;
        tokio::spawn(async move {
            signals.recv().await;
            INTERRUPTED.store(true, Ordering::Release);
        });
    }
    Ok(())
}

/// Fails once a signal has come.
pub(crate) fn go_on() -> anyhow::Result<()> {
    ensure!(!INTERRUPTED.load(Ordering::Acquire), "interrupted");
    Ok(())
}

/// Waits until `condition` holds.
///
/// # Errors
/// When it does not within `limit`, when looking at it fails, or on a signal.
pub(crate) async fn until(
    what: &str,
    limit: Duration,
    mut condition: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        go_on()?;
        if condition().await.with_context(|| what.to_owned())? {
            return Ok(());
        }
        if began.elapsed() > limit {
            bail!("{what}: not within {} s", limit.as_secs());
        }
        sleep(STEP).await;
    }
}

/// Waits until `count` has reached `enough`, or has not grown for `idle_timeout`. What is missing then
/// is not an error here, but counted elsewhere.
///
/// # Errors
/// When looking at the count fails, or on a signal.
pub(crate) async fn until_reached(
    enough: u64,
    idle_timeout: Duration,
    mut count: impl FnMut() -> anyhow::Result<u64>,
) -> anyhow::Result<()> {
    let (mut greatest, mut grew) = (0, Instant::now());
    loop {
        go_on()?;
        let counted = count()?;
        if counted >= enough {
            return Ok(());
        }
        if counted > greatest {
            (greatest, grew) = (counted, Instant::now());
        }
        if grew.elapsed() > idle_timeout {
            return Ok(());
        }
        sleep(STEP).await;
    }
}
