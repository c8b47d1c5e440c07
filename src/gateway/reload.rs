//! Secrets and keys from their files, again.

use std::fmt;
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::auth::{Authenticator, KeySource};
use crate::broker::SharedUri;
use crate::config::{Config, Files, Reading, Stamp};
use crate::http::ApiKeys;

/// The variable that may name a file which is no text of a variable: a key set.
const KEY_SET: &str = "JWT_JWKS_URL";

/// The secret that is not changed under clients that have come with its cursors.
const CURSOR_SECRET: &str = "CURSOR_SECRET_FILE";

/// How often files are looked at. That is sturdier than to be told by the kernel: inotify says nothing
/// of network file systems, and for a link it would have to watch each folder on the way. A change
/// counts when the files have stayed as they are from one look to the next: a certificate and its key
/// are two files.
const INTERVAL: Duration = Duration::from_secs(2);

/// What a running gateway takes in of files that have changed. Nobody is disconnected by that: a
/// token that was accepted is good until it expires, and the broker sees other credentials when
/// the gateway connects the next time.
pub struct Reload {
    files: Files,
    key_set: Option<KeySetFile>,
    /// What the last look has found that was not read yet.
    found: Vec<Option<Stamp>>,
    authenticator: Arc<Authenticator>,
    api_keys: ApiKeys,
    metrics_keys: ApiKeys,
    broker: SharedUri,
}

/// A key set's file, and what it was like when it was last read.
#[derive(Clone)]
struct KeySetFile {
    path: PathBuf,
    stamp: Option<Stamp>,
}

impl KeySetFile {
    fn new_stamp(&self) -> Option<Stamp> {
        let stamp = Stamp::of(&self.path);
        (self.stamp != Some(stamp)).then_some(stamp)
    }
}

/// Why files are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// SIGHUP came.
    Signal,
    /// They have changed.
    Change,
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signal => "SIGHUP",
            Self::Change => "files have changed",
        })
    }
}

impl Reload {
    pub(super) fn new(config: &Config, authenticator: Arc<Authenticator>) -> Self {
        let key_set = match &config.auth.key_set {
            Some(KeySource::File(path)) => Some(KeySetFile {
                path: path.clone(),
                // It is read by now, or soon: whether it is the same is seen when it is read again.
                stamp: None,
            }),
            _ => None,
        };
        Self {
            files: config.files.clone(),
            key_set,
            found: Vec::new(),
            authenticator,
            api_keys: config.http.api_keys.clone(),
            metrics_keys: config.http.metrics_keys.clone(),
            broker: config.amqp.uri.clone(),
        }
    }

    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.key_set.is_none()
    }

    /// Waits until files have changed and come to rest. It may be given up at any time.
    pub async fn changed(&mut self) {
        if self.is_empty() {
            pending::<()>().await;
        }
        loop {
            sleep(INTERVAL).await;
            let (files, key_set) = (self.files.clone(), self.key_set.clone());
            let look = spawn_blocking(move || {
                let mut found = files.new_stamps();
                found.extend(key_set.map(|key_set| key_set.new_stamp()));
                found
            });
            // What a panic says is in the log already.
            let Ok(found) = look.await else { continue };
            let is_at_rest = found == self.found;
            let is_new = found.iter().any(Option::is_some);
            self.found = found;
            if is_at_rest && is_new {
                return;
            }
        }
    }

    /// Reads all of them, and says in the log which variables have changed, and which keep what they
    /// had and why.
    pub async fn run(&mut self, occasion: Occasion) {
        if self.is_empty() {
            info!(
                "{occasion}: there is nothing to read again, since no secret and no key is in a file; \
                 variables themselves change with a restart"
            );
            return;
        }
        let mut files = self.files.clone();
        let read = spawn_blocking(move || (files.read_again(), files)).await;
        let Ok((reading, files)) = read else {
            error!("{occasion}: the files were not read again");
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
        let keeps = |variable: &str, reason: &str| {
            warn!(variable, reason, "{occasion}: the old value stays in use");
        };
        for mistake in &kept {
            keeps(mistake.variable, &mistake.reason);
        }
        if changed.contains(&CURSOR_SECRET) {
            keeps(
                CURSOR_SECRET,
                "clients hold cursors that are sealed with it: a new one counts from the next start on",
            );
            changed.retain(|variable| *variable != CURSOR_SECRET);
        }
        let mut failed = kept.len();
        match self.read_key_set().await {
            Some(Ok(true)) => changed.push(KEY_SET),
            Some(Err(error)) => {
                keeps(
                    KEY_SET,
                    &format!("names a file that cannot be used: {error:#}"),
                );
                failed += 1;
            }
            Some(Ok(false)) | None => {}
        }
        if !changed.is_empty() {
            let changed = changed.join(", ");
            info!(changed, "{occasion}: secrets and keys were read again");
        } else if failed == 0 && occasion == Occasion::Signal {
            info!("{occasion}: secrets and keys were read again, and none has changed");
        }
    }

    /// Loads the key set from its file, if that is where it is, and says whether it is another one.
    async fn read_key_set(&mut self) -> Option<anyhow::Result<bool>> {
        let key_set = self.key_set.as_mut()?;
        let path = key_set.path.clone();
        key_set.stamp = spawn_blocking(move || Stamp::of(&path)).await.ok();
        Some(self.authenticator.reload_key_set().await)
    }

    fn take(&self, config: Config) {
        self.authenticator.renew(config.auth);
        self.api_keys.renew(&config.http.api_keys);
        self.metrics_keys.renew(&config.http.metrics_keys);
        self.broker.set(&config.amqp.uri);
    }
}
