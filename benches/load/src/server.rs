//! A server under measurement, as a child process on a loopback port.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::agent::SECRET;
use crate::broker::Broker;
use crate::process;

/// How long a server may take until it listens, and until it has ended.
const LISTENING: Duration = Duration::from_secs(20);
const ENDING: Duration = Duration::from_secs(10);

/// How many lines of its log are kept for an error.
const LINES: usize = 20;

/// The key for `/internal/emit`.
pub(crate) const API_KEY: &str = "a-key-of-benchmarks";

/// What is started.
pub(crate) enum Program {
    /// A build of the gateway.
    Gateway(PathBuf),
    /// A script for Node.
    Node(PathBuf),
}

/// A running server. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    pid: u32,
    address: SocketAddr,
    log: Log,
}

type Log = Arc<Mutex<VecDeque<String>>>;

impl Program {
    /// Starts it with the broker's names, and waits until it listens.
    pub(crate) async fn start(&self, broker: &Broker) -> anyhow::Result<Server> {
        let mut command = match self {
            Self::Gateway(path) => Command::new(path),
            Self::Node(script) => {
                let mut command = Command::new("node");
                command.arg(script);
                command
            }
        };
        // Nothing of the caller's environment configures it, but programs are found.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let names = &broker.names;
        let mut child = command
            .env_clear()
            .env("PATH", path)
            .env("NODE_ENV", "production")
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .env("AMQP_URL", &broker.url)
            .env("AMQP_EXCHANGE", &names.exchange)
            .env("AMQP_INBOUND_QUEUE", &names.inbound)
            .env("AMQP_STATUS_QUEUE", &names.status)
            .env("AMQP_DEAD_LETTER_QUEUE", &names.dead_letters)
            .env("JWT_SECRET", SECRET)
            .env("INTERNAL_API_KEYS", API_KEY)
            .env("LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{self} cannot be started"))?;
        let pid = child.id().context("it has ended at once")?;
        let stderr = child.stderr.take().context("it has no standard error")?;
        let (log, listening) = (Log::default(), oneshot::channel());
        tokio::spawn(read_log(stderr, log.clone(), listening.0));
        let address = match timeout(LISTENING, listening.1).await {
            Ok(Ok(address)) => address,
            _ => bail!("{self} does not listen; its log ends:\n{}", last(&log)),
        };
        Ok(Server {
            child,
            pid,
            address,
            log,
        })
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Gateway(path) | Self::Node(path)) = self;
        write!(f, "{}", path.display())
    }
}

impl Server {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The processor time that it has used.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        process::cpu(self.pid)
    }

    /// The memory that it has, in bytes.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        process::memory(self.pid)
    }

    /// Puts the end of its log under an error.
    pub(crate) fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        anyhow!("{error:#}; the server's log ends:\n{}", last(&self.log))
    }

    /// Asks it to end, and kills it if it does not.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        // It may have ended by itself.
        pid.map(|pid| kill_process(pid, Signal::TERM));
        match timeout(ENDING, self.child.wait()).await {
            Ok(ended) => ended.map(|_| ())?,
            Err(_) => self.child.kill().await?,
        }
        Ok(())
    }
}

/// Keeps the last lines, and reads the address out of the one that tells it.
async fn read_log(stderr: ChildStderr, log: Log, listening: oneshot::Sender<SocketAddr>) {
    let (mut lines, mut listening) = (BufReader::new(stderr).lines(), Some(listening));
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = address(&line)
            && let Some(listening) = listening.take()
        {
            listening.send(address).unwrap_or_default();
        }
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_back(line);
        if log.len() > LINES {
            log.pop_front();
        }
    }
}

fn address(line: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let listening = line["message"] == "listening";
    listening
        .then(|| line["address"].as_str()?.parse().ok())
        .flatten()
}

fn last(log: &Log) -> String {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    Vec::from(log.clone()).join("\n")
}
