//! What systemd is told of a service of `Type=notify`: that it listens, reads its secrets again, ends,
//! and that its runtime still runs. Without `NOTIFY_SOCKET` nobody is told anything.
//!
//! The broker is no part of that: a gateway without one serves, and `/readyz` says so.

use std::net::SocketAddr;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::throttle::Throttle;

/// The service has bound its addresses, and serves.
pub(super) fn is_listening(address: SocketAddr) {
    let status = format!("listening on {address}");
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// SIGHUP has come. [`has_reloaded`] follows.
pub(super) fn is_reloading() {
    match NotifyState::monotonic_usec_now() {
        // systemd takes the time to tell this reload's end from that of another.
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => warn!(%error, "the service manager was not told of a reload"),
    }
}

/// Secrets and keys have been read again, or were kept.
pub(super) fn has_reloaded() {
    tell(&[NotifyState::Ready]);
}

/// The service finishes what is in hand, and ends.
pub(super) fn is_stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("shutting down")]);
}

/// Tells the watchdog, if there is one, that the runtime gets around to its tasks. It ends with the
/// runtime: a shutdown that hangs is noticed as well.
pub(super) fn start_watchdog() {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    // Half of it leaves room for one that comes late, as sd_watchdog_enabled(3) asks for.
    let pause = (patience / 2).max(Duration::from_millis(1));
    tokio::spawn(async move {
        let mut every = interval(pause);
        // One sign of life makes up for those that were missed.
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let log: Throttle<(), 60> = Throttle::default();
        loop {
            every.tick().await;
            if let Err(error) = sd_notify::notify(&[NotifyState::Watchdog])
                && log.note(&()).is_some()
            {
                warn!(%error, "the watchdog was not told that the gateway runs");
            }
        }
    });
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "the service manager was not told what the gateway does");
    }
}
