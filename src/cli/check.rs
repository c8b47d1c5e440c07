//! `check`: the configuration, then the broker, step by step, without changing anything there.

mod connection;
mod rights;
mod topology;

use super::report::{Report, State};
use super::{CommandError, config, help, log};
use crate::broker::Inspection;
use crate::config::{Config, Needs, Unknown};
use crate::journal;
use connection::connect;
use topology::Look;

#[derive(Debug, clap::Args)]
#[command(after_help = help::CHECK)]
pub(super) struct Args {
    /// One JSON document on standard output instead of lines.
    #[arg(long)]
    json: bool,
}

/// The step that is there with `JOURNAL=stream` alone.
const JOURNAL: &str = "journal";

/// What is looked at over a connection, in this order.
const BEHIND_THE_LOGIN: [&str; 7] = [
    "exchange",
    "inbound_queue",
    "status_queue",
    "dead_letter_queue",
    "bindings",
    JOURNAL,
    "permissions",
];

pub(super) async fn run(args: Args) -> Result<(), CommandError> {
    let mut config = config(Needs::Tokens, &[])?;
    log(std::mem::take(&mut config.log));
    let mut report = Report::default();
    configuration(&config, &mut report);
    match connect(&config.amqp.uri, &mut report).await {
        Some(connection) => {
            let look = Look::new(&config, Inspection(&connection));
            look.at_everything(&mut report).await;
            connection.close().await;
        }
        None => {
            let journal = matches!(config.journal, journal::Settings::Stream(_));
            for step in BEHIND_THE_LOGIN {
                if step != JOURNAL || journal {
                    report.not_reached(step);
                }
            }
        }
    }
    report.print(args.json)
}

fn configuration(config: &Config, report: &mut Report) {
    let names = config.unknown.iter().map(|Unknown { name, nearest }| {
        format!("{name} is set, but there is no variable of that name: {nearest}?")
    });
    let names: Vec<_> = names.collect();
    match &names[..] {
        [] => report.add("configuration", State::Ok, "every variable can be used"),
        names => report.add("configuration", State::Warning, names.join("; ")),
    }
}
