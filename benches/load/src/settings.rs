//! What is chosen by the environment.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::scenario::Scenario;
use crate::server::Program;

/// What to run, and against what.
pub(crate) struct Settings {
    pub(crate) amqp_url: String,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
    pub(crate) ours: Program,
    /// `None`: only ours.
    pub(crate) peer: Option<Peer>,
    /// The file to which each run is appended as a line of JSON.
    pub(crate) results: Option<PathBuf>,
}

/// What ours is compared with.
pub(crate) struct Peer {
    pub(crate) program: Program,
    /// What it is called in the table.
    pub(crate) label: &'static str,
}

/// The most rounds that make sense.
const MOST_ROUNDS: usize = 50;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

impl Settings {
    /// # Errors
    /// Name the variable that is wrong.
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        let quick = variable("QUICK").is_some();
        let scenarios = match variable("SCENARIOS") {
            None => Scenario::all(quick),
            Some(names) => names
                .split([' ', ','])
                .filter(|name| !name.is_empty())
                .map(|name| Scenario::named(name, quick))
                .collect::<anyhow::Result<_>>()?,
        };
        let rounds = match variable("ROUNDS") {
            None => {
                if quick {
                    1
                } else {
                    3
                }
            }
            Some(rounds) => rounds.parse().unwrap_or(0),
        };
        ensure!(
            (1..=MOST_ROUNDS).contains(&rounds),
            "ROUNDS: must be a number from 1 to {MOST_ROUNDS}"
        );
        let ours = match variable("OURS") {
            None => PathBuf::from(HERE).join("../../target/release/agent-gateway"),
            Some(path) => path.into(),
        };
        Ok(Self {
            amqp_url: variable("AMQP_URL")
                .unwrap_or_else(|| "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned()),
            scenarios,
            rounds,
            quick,
            ours: Program::Gateway(existing("OURS", ours)?),
            peer: Peer::from_env()?,
            results: variable("RESULTS").map(PathBuf::from),
        })
    }
}

impl Peer {
    fn from_env() -> anyhow::Result<Option<Self>> {
        Ok(match variable("PEER").as_deref() {
            Some("none") => None,
            Some(path) => Some(Self {
                program: Program::Gateway(existing("PEER", path.into())?),
                label: "peer",
            }),
            None => {
                let script = PathBuf::from(HERE).join("../peer/server.js");
                Some(Self {
                    program: Program::Node(existing("PEER", script)?),
                    label: "Node",
                })
            }
        })
    }
}

/// What an empty variable would say is nothing.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn existing(variable: &str, path: PathBuf) -> anyhow::Result<PathBuf> {
    path.canonicalize()
        .with_context(|| format!("{variable}: {} is not there", path.display()))
}
