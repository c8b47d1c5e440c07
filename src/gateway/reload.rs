//! Secrets and keys from their files, again.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tracing::{error, info, warn};

use crate::auth::{Authenticator, KeySource};
use crate::broker::SharedUri;
use crate::config::{Config, Files, Reading};
use crate::http::ApiKeys;

/// The variable that may name a file which is no text of a variable: a key set.
const KEY_SET: &str = "JWT_JWKS_URL";

/// What a running gateway takes in of files that have changed. Nobody is disconnected by that: a
/// token that was accepted is good until it expires, and the broker sees other credentials when
/// the gateway connects the next time.
pub struct Reload {
    files: Files,
    has_key_set: bool,
    authenticator: Arc<Authenticator>,
    api_keys: ApiKeys,
    metrics_keys: ApiKeys,
    broker: SharedUri,
}

impl Reload {
    pub(super) fn new(config: &Config, authenticator: Arc<Authenticator>) -> Self {
        Self {
            files: config.files.clone(),
            has_key_set: matches!(config.auth.key_set, Some(KeySource::File(_))),
            authenticator,
            api_keys: config.http.api_keys.clone(),
            metrics_keys: config.http.metrics_keys.clone(),
            broker: config.amqp.uri.clone(),
        }
    }

    /// Reads all of them, and says in the log which variables have changed, and which keep what they
    /// had and why.
    pub async fn run(&mut self) {
        if self.files.is_empty() && !self.has_key_set {
            info!(
                "SIGHUP: there is nothing to read again, since no secret and no key is in a file; \
                 variables themselves change with a restart"
            );
            return;
        }
        let mut files = self.files.clone();
        let read = spawn_blocking(move || (files.read_again(), files)).await;
        let Ok((reading, files)) = read else {
            // What a panic says is in the log already.
            error!("SIGHUP: the files were not read again");
            return;
        };
        self.files = files;
        let Reading {
            config,
            mut changed,
            kept,
        } = reading;
        if let Some(config) = config {
            self.take(config);
        }
        for mistake in &kept {
            keeps(mistake.variable, &mistake.reason);
        }
        let mut failed = kept.len();
        if self.has_key_set {
            match self.authenticator.reload_key_set().await {
                Ok(true) => changed.push(KEY_SET),
                Ok(false) => {}
                Err(error) => {
                    keeps(
                        KEY_SET,
                        &format!("names a file that cannot be used: {error:#}"),
                    );
                    failed += 1;
                }
            }
        }
        if !changed.is_empty() {
            let changed = changed.join(", ");
            info!(changed, "SIGHUP: secrets and keys were read again");
        } else if failed == 0 {
            info!("SIGHUP: secrets and keys were read again, and none has changed");
        }
    }

    fn take(&self, config: Config) {
        self.authenticator.renew(config.auth);
        self.api_keys.renew(&config.http.api_keys);
        self.metrics_keys.renew(&config.http.metrics_keys);
        self.broker.set(config.amqp.uri.get());
    }
}

fn keeps(variable: &str, reason: &str) {
    warn!(variable, reason, "SIGHUP: the old value stays in use");
}
