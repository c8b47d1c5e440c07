//! How a replica is started.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use tokio::process::{Child, Command};

use super::names::Names;
use super::replica::Replica;

/// The program, and what all replicas have in common.
pub(super) struct Launch {
    program: PathBuf,
    variables: Vec<(&'static str, OsString)>,
}

/// What each would have for itself, or has from here.
const TAKEN_AWAY: [&str; 3] = ["INTERNAL_PORT", "INTERNAL_HOST", "INTERNAL_API_KEYS_FILE"];

impl Launch {
    /// `key` is to open their relay, beside those that the environment names, and `secret` signs their
    /// tokens, unless the environment has one; so it is with the `names`.
    pub(super) fn new(
        key: String,
        secret: Option<String>,
        names: Option<&Names>,
    ) -> anyhow::Result<Self> {
        let mut keys = OsString::from(key);
        if let Some(others) = std::env::var_os("INTERNAL_API_KEYS") {
            keys.push(",");
            keys.push(others);
        }
        let mut variables = vec![
            ("INTERNAL_API_KEYS", keys),
            ("JOURNAL", "stream".into()),
            // nginx.
            ("TRUSTED_PROXIES", "1".into()),
        ];
        variables.extend(secret.map(|secret| ("JWT_SECRET", secret.into())));
        let names = names.into_iter().flat_map(Names::variables);
        variables.extend(names.map(|(variable, name)| (variable, name.into())));
        Ok(Self {
            program: std::env::current_exe().context("the path of this program")?,
            variables,
        })
    }

    /// Starts it. It ends when its standard input is closed, so also when this process is killed.
    pub(super) fn start(&self, replica: &Replica) -> anyhow::Result<Child> {
        let address = replica.address();
        let mut command = Command::new(&self.program);
        for name in TAKEN_AWAY {
            command.env_remove(name);
        }
        command
            .args(["dev", "--replica"])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("HOST", address.ip().to_string())
            .env("PORT", address.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C is this process's to hear.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("replica {} cannot be started", replica.number()))
    }
}
