//! `serve`: runs the gateway until SIGTERM or SIGINT. It reads secrets and keys again that are in files: on
//! SIGHUP, and when the files change.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use super::{CommandError, config, log, service_manager};
use crate::config::{Config, Needs};
use crate::gateway::{Gateway, Occasion};
use crate::trace;

pub(super) async fn run() -> Result<(), CommandError> {
    let mut config = config(Needs::Tokens, &[])?;
    log(std::mem::take(&mut config.log));
    start(config, |_| {}).await
}

/// Runs the gateway; `started` is called when its addresses are bound.
pub(super) async fn start(
    config: Config,
    started: impl FnOnce(&mut Gateway),
) -> Result<(), CommandError> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP")?;
    let traces = trace::start().map_err(|mistake| CommandError::Usage(mistake.to_string()))?;
    let mut gateway = Gateway::build(config).await?;
    started(&mut gateway);
    service_manager::is_listening(gateway.local_addr());
    service_manager::start_watchdog();
    let mut reload = gateway.reload();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                signal = hangup.recv() => {
                    if signal.is_none() {
                        return;
                    }
                    service_manager::is_reloading();
                    reload.run(Occasion::Signal).await;
                    service_manager::has_reloaded();
                }
                () = reload.changed() => reload.run(Occasion::Change).await,
            }
        }
    });
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        service_manager::is_stopping();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            warn!("second signal: ending at once");
            std::process::exit(1);
        });
    };
    gateway.run(shutdown).await?;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    Ok(())
}
