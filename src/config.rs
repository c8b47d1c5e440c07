//! Environment → [`Config`]. The only place that knows variables' names.
//!
//! Every mistake is collected, so that an operator sees all of them at once, each by its
//! variable's full name. White space around a value does not count, and a variable that is set
//! but empty counts as unset. Of a secret `NAME`, `NAME_FILE` may name a file that holds it.

mod access;
mod amqp_url;
mod broker;
mod environment;
mod files;
mod misspelt;
mod reader;
mod secret_file;
mod stamp;
#[cfg(test)]
mod tests;
mod tokens;
mod values;
mod variables;

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use crate::conversation::{CursorKey, Decoder, WindowLimits};
use crate::source::amqp;
use crate::{auth, http, journal, socketio};
pub use environment::Variable;
pub use files::{Files, Reading};
pub use misspelt::Unknown;
use reader::VariableReader;
pub use stamp::Stamp;

/// Everything that can be configured.
#[derive(Debug)]
pub struct Config {
    /// The HTTP listeners.
    pub http: http::Settings,
    /// Socket.IO.
    pub socket: socketio::Settings,
    /// Tokens.
    pub auth: auth::Settings,
    /// RabbitMQ.
    pub amqp: amqp::Settings,
    /// What makes events of deliveries and of the relay's calls.
    pub decoder: Decoder,
    /// What cursors are sealed under, if that follows from the configuration.
    pub cursor_key: Option<CursorKey>,
    /// Where events get their places.
    pub journal: journal::Settings,
    /// What is kept for replay.
    pub limits: WindowLimits,
    /// How long the shutdown may take.
    pub shutdown_grace: Duration,
    /// The log.
    pub log: Log,
    /// Names that are set and look like a variable's that was meant.
    pub unknown: Vec<Unknown>,
    /// Whether it was the operator who chose how many connections there may be.
    pub explicit_max_connections: bool,
    /// The files that secrets and keys are read from again.
    pub files: Files,
}

/// How the log is written.
#[derive(Debug)]
pub struct Log {
    /// One JSON object a line instead of text.
    pub json: bool,
    /// Which lines.
    pub filter: EnvFilter,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            json: false,
            filter: EnvFilter::new("info"),
        }
    }
}

/// What is wrong with the environment, and which names in it may be the reason.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>, Vec<Unknown>);

/// What is wrong with a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Its name, or that of the variable that names its file, whichever is set.
    pub variable: &'static str,
    /// A sentence without its subject, and without the value.
    pub reason: String,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistakes = self.0.iter().map(ToString::to_string);
        let lines: Vec<_> = mistakes
            .chain(self.1.iter().map(ToString::to_string))
            .collect();
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.reason)
    }
}

impl std::error::Error for Mistakes {}

/// What a command cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A way to check tokens.
    Tokens,
    /// A secret to sign tokens with.
    Secret,
    /// Nothing in particular.
    Nothing,
}

/// The variables that there are.
pub fn variables() -> &'static [Variable] {
    variables::Variables::NAMES
}

impl Config {
    /// Reads `vars` (the process's environment, usually).
    ///
    /// # Errors
    /// [`Mistakes`], all of them.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (OsString, OsString)>,
        needs: Needs,
    ) -> Result<Self, Mistakes> {
        let mut reader = VariableReader::default();
        let vars = reader.variables(vars);
        reader.config(vars, needs)
    }
}
