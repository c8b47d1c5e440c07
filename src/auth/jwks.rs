//! A key set that is kept up to date.
//!
//! One task loads it, so that any number of tokens cause one load. While the source is down, the
//! keys that were there before stay in use.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jsonwebtoken::Header;
use reqwest::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};

use super::Signature;
use super::counts::AuthCounts;
use super::endpoint::{self, Endpoint};
use super::key_set::{KeySet, KeySetCheck};
use super::rejection::TokenDefect;

/// How old the keys get.
const REFRESH_EVERY: Duration = Duration::from_secs(600);

/// How often a token with an unknown `kid` may ask for newer keys. Anybody can make such tokens.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// The pause after a failed load; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest pause after a failed load.
const MAX_RETRY: Duration = Duration::from_secs(60);

/// How long a load may take. An agent's connect may be waiting for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest set, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Where a key set is.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// On a server.
    Url(Endpoint),
    /// In a file.
    File(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(endpoint) => endpoint.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The keys of a source.
#[derive(Debug)]
pub(super) struct Jwks {
    state: Arc<watch::Sender<KeysState>>,
    source: KeySource,
    counts: Arc<AuthCounts>,
    _loader: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct KeysState {
    /// The last that could be loaded.
    keys: Option<Arc<KeySet>>,
    /// A load is under way, or wanted.
    loading: bool,
    /// The last load succeeded.
    reachable: bool,
    /// When a token last asked for newer keys.
    asked_at: Option<Instant>,
}

impl KeysState {
    /// Whether it is worth waiting for a load, which may begin by that.
    fn may_become_better(&mut self) -> bool {
        let may_ask = self.keys.is_some()
            && self
                .asked_at
                .is_none_or(|asked_at| asked_at.elapsed() >= ASK_EVERY);
        if !self.loading && may_ask {
            self.asked_at = Some(Instant::now());
            self.loading = true;
        }
        self.loading
    }

    fn check(&self, token: &str, header: &Header) -> Option<Signature> {
        match self.keys.as_ref()?.check(token, header) {
            KeySetCheck::Signed(claims) => Some(Signature::Good(claims)),
            KeySetCheck::Unsigned => Some(Signature::Bad(TokenDefect::Signature)),
            KeySetCheck::UnknownKey => None,
        }
    }
}

impl Jwks {
    /// Begins to load, in a task of the runtime that this is called in.
    ///
    /// # Errors
    /// When there can be no HTTP client.
    pub(super) fn new(source: KeySource, counts: Arc<AuthCounts>) -> reqwest::Result<Self> {
        let loader = Loader {
            client: match &source {
                KeySource::Url(endpoint) => Some(endpoint.client(TIMEOUT)?),
                KeySource::File(_) => None,
            },
            source: source.clone(),
            counts: counts.clone(),
        };
        let state = Arc::new(watch::Sender::new(KeysState {
            keys: None,
            loading: true,
            reachable: false,
            asked_at: None,
        }));
        let loading = tokio::spawn(loader.run(state.clone()));
        Ok(Self {
            state,
            source,
            counts,
            _loader: AbortOnDropHandle::new(loading),
        })
    }

    /// Loads the set from its file now, and says whether it is another one. One that is on a server
    /// is loaded when its time comes.
    ///
    /// # Errors
    /// What is wrong with the file. The last keys then stay in use.
    pub(super) async fn reload(&self) -> anyhow::Result<bool> {
        let KeySource::File(path) = &self.source else {
            return Ok(false);
        };
        let path = path.clone();
        let read = tokio::task::spawn_blocking(move || read(path)).await;
        let read = read.map_err(anyhow::Error::from).flatten();
        let keys = read.and_then(|json| KeySet::parse(&json));
        self.counts.key_set(keys.is_ok());
        let keys = keys?;
        log_faults(&self.source, &keys);
        let mut changed = false;
        self.state.send_modify(|state| {
            let known = state.keys.as_ref();
            changed = known.is_none_or(|known| known.digest != keys.digest);
            state.keys = Some(Arc::new(keys));
            state.reachable = true;
        });
        Ok(changed)
    }

    /// Checks a token, which may take a load.
    pub(super) async fn check(&self, token: &str, header: &Header) -> Signature {
        let mut states = self.state.subscribe();
        if let Some(known) = states.borrow().check(token, header) {
            return known;
        }
        let mut wait = false;
        self.state.send_if_modified(|state| {
            let was_loading = state.loading;
            wait = state.may_become_better();
            state.loading != was_loading
        });
        if wait && states.wait_for(|state| !state.loading).await.is_err() {
            return Signature::Unknown;
        }
        let state = states.borrow();
        state.check(token, header).unwrap_or_else(|| {
            // Only a set that is up to date can say that there is no such key.
            if state.reachable {
                Signature::Bad(TokenDefect::UnknownKey)
            } else {
                Signature::Unknown
            }
        })
    }
}

struct Loader {
    source: KeySource,
    counts: Arc<AuthCounts>,
    client: Option<Client>,
}

impl Loader {
    async fn run(self, state: Arc<watch::Sender<KeysState>>) {
        let mut wanted = state.subscribe();
        let mut retry = FIRST_RETRY;
        loop {
            let loaded = timeout(TIMEOUT, self.load()).await;
            let loaded = loaded.context("it takes too long").flatten();
            self.counts.key_set(loaded.is_ok());
            let next = if loaded.is_ok() { REFRESH_EVERY } else { retry };
            retry = match &loaded {
                Ok(_) => FIRST_RETRY,
                Err(_) => MAX_RETRY.min(retry * 2),
            };
            self.log(&loaded, state.borrow().reachable);
            state.send_modify(|state| {
                state.loading = false;
                state.reachable = loaded.is_ok();
                if let Ok(keys) = loaded {
                    state.keys = Some(Arc::new(keys));
                }
            });
            let asked = async { wanted.wait_for(|state| state.loading).await.is_ok() };
            tokio::select! {
                () = sleep(next) => state.send_modify(|state| state.loading = true),
                _ = asked => {}
            }
        }
    }

    async fn load(&self) -> anyhow::Result<KeySet> {
        let json = match (&self.source, &self.client) {
            (KeySource::Url(endpoint), Some(client)) => {
                let request = client
                    .get(endpoint.url())
                    .header("accept", "application/jwk-set+json, application/json");
                endpoint::body(request.send().await, MAX_BYTES).await?
            }
            (KeySource::Url(_), None) => anyhow::bail!("there is no client"),
            (KeySource::File(path), _) => {
                let path = path.clone();
                tokio::task::spawn_blocking(move || read(path)).await??
            }
        };
        KeySet::parse(&json)
    }

    fn log(&self, loaded: &anyhow::Result<KeySet>, reachable: bool) {
        let source = &self.source;
        let set = match loaded {
            Ok(set) => set,
            Err(error) => {
                warn!(%source, error = format!("{error:#}"), "the key set cannot be loaded");
                return;
            }
        };
        let keys = set.len();
        if log_faults(source, set) {
            return;
        }
        if reachable {
            debug!(%source, keys, "the key set is loaded again");
        } else {
            info!(%source, keys, "the key set is loaded");
        }
    }
}

/// Tells what is wrong with the keys of a set, if anything is.
fn log_faults(source: &KeySource, set: &KeySet) -> bool {
    let keys = set.len();
    if let Some(fault) = &set.fault {
        let faulty = set.faulty;
        warn!(%source, keys, faulty, fault, "not every key of the key set can be used");
    } else if keys == 0 {
        warn!(%source, "the key set has no key that can be used");
    } else {
        return false;
    }
    true
}

fn read(path: PathBuf) -> anyhow::Result<Vec<u8>> {
    let mut json = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut json)?;
    ensure!(
        json.len() <= MAX_BYTES,
        "it has more than {MAX_BYTES} bytes"
    );
    Ok(json)
}
