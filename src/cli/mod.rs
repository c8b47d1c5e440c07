//! The command line: one file a command.

mod check;
mod completions;
mod dead_letters;
mod demo;
mod dev;
mod doctor;
mod help;
mod map;
mod publish;
mod report;
mod serve;
mod service_manager;
mod token;
mod variables;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tracing::{Level, Metadata, error};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Config, Log, Mistakes, Needs};
use crate::runtime;

/// The exit code for a configuration or an argument that cannot be (EX_USAGE of sysexits.h).
const EXIT_USAGE: u8 = 64;

/// What the program is called, as a command and in its messages.
const NAME: &str = "agent-gateway";

/// Carries WhatsApp events from RabbitMQ to support agents' browsers. Without a command: serve.
/// Configuration comes from environment variables.
#[derive(Debug, Parser)]
#[command(name = NAME, version = env!("GATEWAY_VERSION"))]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    #[command(after_help = help::SERVE)]
    Serve,
    /// Run it on loopback with generated secrets, and print links to a playground and the widget.
    Dev(dev::Args),
    /// Print a token for an agent, signed with JWT_SECRET.
    Token(token::Args),
    /// Say what a body becomes that is given on standard input: a line of JSON an event.
    Map(map::Args),
    /// Publish an event through the exchange, as the webhook service does.
    #[command(subcommand, after_help = help::PUBLISH)]
    Publish(publish::Args),
    /// Print the environment variables, what each is for and its default.
    Variables(variables::Args),
    /// Look whether the configuration and the broker are as serve needs them, and change nothing.
    Check(check::Args),
    /// List what could not be delivered, send it back, or drop it.
    #[command(subcommand, after_help = help::DEAD_LETTERS)]
    DeadLetters(dead_letters::Args),
    /// Send probes through the exchange to a running gateway, and tell what works and how fast.
    Doctor(doctor::Args),
    /// Print the script by which a shell completes commands and options.
    Completions(completions::Args),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// The configuration has mistakes.
    #[error("{0}")]
    Config(#[from] Mistakes),
    /// An argument cannot be.
    #[error("{0}")]
    Usage(String),
    /// It could not be done.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

/// The commands and options, as clap parses them and a shell completes them.
fn command() -> clap::Command {
    help::grouped(Cli::command())
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::from_arg_matches(&command().get_matches());
    // Matches that come of the very same definition fit.
    let command = cli.unwrap_or_else(|error| error.exit()).command;
    let command = command.unwrap_or(Command::Serve);
    let result = runtime::run(async {
        match command {
            Command::Serve => serve::run().await,
            Command::Dev(args) => dev::run(args).await,
            Command::Token(args) => token::run(args),
            Command::Map(args) => map::run(args),
            Command::Publish(args) => publish::run(args).await,
            Command::Variables(args) => variables::run(&args),
            Command::Check(args) => check::run(args).await,
            Command::DeadLetters(args) => dead_letters::run(args).await,
            Command::Doctor(args) => doctor::run(args).await,
            Command::Completions(args) => completions::run(&args),
        }
    });
    match result {
        Err(error) => {
            eprintln!("agent-gateway: no runtime: {error}");
            ExitCode::FAILURE
        }
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            for line in failure.to_string().lines() {
                eprintln!("agent-gateway: {line}");
            }
            match failure {
                CommandError::Config(_) | CommandError::Usage(_) => ExitCode::from(EXIT_USAGE),
                CommandError::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}

/// The configuration of the process's environment, with `extra` where that sets nothing.
fn config(needs: Needs, extra: &[(&str, &str)]) -> Result<Config, Mistakes> {
    let extra = extra
        .iter()
        .filter(|(name, _)| !is_set(name))
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let extra: Vec<_> = extra.collect();
    Config::from_vars(std::env::vars_os().chain(extra), needs)
}

/// Whether the environment sets a variable, as the configuration sees it: white space is nothing, and
/// a secret may be in a file.
fn is_set(name: &str) -> bool {
    let value = |name: &str| std::env::var_os(name);
    [value(name), value(&format!("{name}_FILE"))]
        .into_iter()
        .flatten()
        .any(|value| value.to_str().is_none_or(|value| !value.trim().is_empty()))
}

/// Sends the log to standard error, one line an event.
fn log(log: Log) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if log.json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).boxed()
    };
    // Without a hint, what libraries write by way of the `log` crate would be put together first, and
    // then not written.
    let mut guard = filter_fn(is_free_of_secrets);
    if let Some(level) = log.filter.max_level_hint() {
        guard = guard.with_max_level_hint(level);
    }
    let lines = lines.with_filter(log.filter).with_filter(guard);
    if let Err(error) = tracing_subscriber::registry().with(lines).try_init() {
        eprintln!("agent-gateway: no log: {error}");
    }
    // What a panic says may hold what it failed on; where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        error!(location, "panicked");
    }));
}

/// Below a warning, libraries write what passes through them: frames with tokens and messages.
/// The AMQP client does so in its errors as well, of which each has a line of ours.
fn is_free_of_secrets(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("agent_gateway")
        || *metadata.level() <= Level::WARN && !metadata.target().starts_with("lapin")
}
