//! `token`: prints a JWT for an agent and nothing else.

use std::time::Duration;

use anyhow::Context as _;
use time::OffsetDateTime;

use super::{CommandError, config, help};
use crate::auth::{self, Hs256, NewToken};
use crate::config::Needs;
use crate::conversation::Id;

#[derive(Debug, clap::Args)]
#[command(after_help = help::TOKEN)]
pub(super) struct Args {
    /// The tenant whose conversations the token opens.
    #[arg(long, value_parser = id)]
    tenant: Id,
    /// A conversation that it opens; may be repeated. None: all of the tenant's.
    #[arg(long, value_parser = id)]
    conversation: Vec<Id>,
    /// The agent's id.
    #[arg(long, default_value = "agent")]
    agent: String,
    /// The agent's name.
    #[arg(long)]
    name: Option<String>,
    /// How long it is good, such as 30m, 1h or 7d; a bare number is seconds.
    #[arg(long, default_value = "1h", value_parser = duration)]
    expires_in: Duration,
}

pub(super) fn id(text: &str) -> Result<Id, String> {
    Id::parse(text).map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text),
    }
}

pub(super) fn run(args: Args) -> Result<(), CommandError> {
    let config = config(Needs::Secret, &[])?;
    if args.agent.is_empty() {
        return Err(CommandError::Usage("--agent: must not be empty".to_owned()));
    }
    let expires_at = OffsetDateTime::now_utc()
        .unix_timestamp()
        .saturating_add_unsigned(args.expires_in.as_secs());
    if expires_at >= auth::MILLISECONDS {
        let mistake = "--expires-in: is so long that the gateway would not believe the token";
        return Err(CommandError::Usage(mistake.to_owned()));
    }
    let token = Hs256::new(config.auth)
        .issue(NewToken {
            agent: args.agent,
            name: args.name,
            tenant: args.tenant.to_string(),
            conversations: args.conversation.iter().map(Id::to_string).collect(),
            expires_at,
        })
        .context("the token cannot be signed")?
        .context("JWT_SECRET is not set")?;
    println!("{token}");
    Ok(())
}
