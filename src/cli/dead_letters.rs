//! `dead-letters`: what could not be delivered: lists it, sends it back, drops it.

mod list;
mod progress;
mod removal;
mod selection;
mod summary;

use anyhow::Context as _;
use clap::Subcommand;

use super::{CommandError, config, help, log};
use crate::config::{Config, Needs};
use crate::source::amqp::DeadLetterQueue;
use removal::Removal;
use selection::{Filter, Which};

#[derive(Debug, Subcommand)]
pub(super) enum Args {
    /// Print the letters, oldest first, why each is there and where it came from.
    #[command(after_help = help::DEAD_LETTERS_LIST)]
    List {
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// A JSON array on standard output instead of lines.
        #[arg(long)]
        json: bool,
        #[command(flatten, next_help_heading = "Filters")]
        filter: Filter,
    },
    /// Send letters back to the queues they came from.
    #[command(after_help = help::DEAD_LETTERS_RETRY)]
    Retry(Which),
    /// Drop letters for good.
    #[command(after_help = help::DEAD_LETTERS_DROP)]
    Drop(Which),
}

pub(super) async fn run(args: Args) -> Result<(), CommandError> {
    let mut config = config(Needs::Nothing, &[])?;
    log(std::mem::take(&mut config.log));
    match args {
        Args::List {
            limit,
            json,
            filter,
        } => list::run(&config, limit, json, &filter).await,
        Args::Retry(which) => removal::run(&config, &which, Removal::Retry).await,
        Args::Drop(which) => removal::run(&config, &which, Removal::Drop).await,
    }
}

async fn open(config: &Config) -> Result<DeadLetterQueue, CommandError> {
    let queue = DeadLetterQueue::open(&config.amqp).await;
    Ok(queue.context("the dead letters cannot be reached")?)
}
