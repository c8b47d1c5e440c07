//! `doctor`: whether an event comes all the way through a running gateway, step by step, and how long
//! that takes.

mod agent;
mod http;
mod probes;

use anyhow::Context as _;
use time::OffsetDateTime;
use url::Url;

use super::report::{Report, State};
use super::token::id;
use super::{CommandError, config, help, log};
use crate::auth::{Hs256, NewToken};
use crate::broker::{BrokerConnection, Inspection, Traffic};
use crate::config::{Config, Needs};
use crate::conversation::{ConversationKey, Id};
use crate::source::amqp::Settings;
use agent::Agent;
use http::Gateway;

/// The tenant and its conversation that probes go to.
const RESERVED: &str = "agent-gateway.doctor";

/// How long the token of the probes' agent is good, in seconds.
const TOKEN_LIFE: i64 = 3600;

#[derive(Debug, clap::Args)]
#[command(after_help = help::DOCTOR)]
pub(super) struct Args {
    /// Where agents reach the gateway.
    #[arg(long, value_parser = url)]
    url: Url,
    /// How many probes are timed.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    samples: u16,
    /// An agent's token, where JWT_SECRET signs none.
    #[arg(long, requires = "tenant")]
    token: Option<String>,
    /// The tenant of that token.
    #[arg(long, value_parser = id, requires = "token")]
    tenant: Option<Id>,
    /// One JSON document on standard output instead of lines.
    #[arg(long)]
    json: bool,
}

fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err("must be an http:// or https:// URL".to_owned()),
    }
}

pub(super) async fn run(args: Args) -> Result<(), CommandError> {
    let needs = match &args.token {
        Some(_) => Needs::Nothing,
        None => Needs::Secret,
    };
    let mut config = config(needs, &[])?;
    log(std::mem::take(&mut config.log));
    let reserved = Id::parse(RESERVED).context("the reserved conversation")?;
    let key = ConversationKey {
        tenant: args.tenant.unwrap_or_else(|| reserved.clone()),
        conversation: reserved,
    };
    let token = match args.token {
        Some(token) => token,
        None => token(&config, &key)?,
    };
    let mut report = Report::default();
    report.add("configuration", State::Ok, "every variable can be used");
    let has_broker = broker(&config.amqp, &mut report).await;
    let gateway = Gateway::new(args.url).context("no HTTP client")?;
    let consumes = gateway.probes(&mut report).await;
    let agent = join(&gateway, &key, &token, &mut report).await;
    match agent {
        Some(agent) if has_broker && consumes => {
            probes::run(&config, &key, agent, args.samples, &mut report).await;
        }
        _ => {
            report.not_reached("probe");
            report.not_reached("latency");
        }
    }
    report.print(args.json)
}

/// A token that opens the reserved conversation and no other.
fn token(config: &Config, key: &ConversationKey) -> anyhow::Result<String> {
    Hs256::new(config.auth.clone())
        .issue(NewToken {
            agent: RESERVED.to_owned(),
            name: None,
            tenant: key.tenant.to_string(),
            conversations: vec![key.conversation.to_string()],
            expires_at: OffsetDateTime::now_utc().unix_timestamp() + TOKEN_LIFE,
        })?
        .context("JWT_SECRET is not set")
}

/// Whether probes can be published.
async fn broker(settings: &Settings, report: &mut Report) -> bool {
    let connection =
        match BrokerConnection::open(&settings.uri, "doctor", Traffic::Deliveries).await {
            Ok(connection) => connection,
            Err(error) => {
                report.add("broker", State::Failed, error.to_string());
                report.not_reached("exchange");
                return false;
            }
        };
    let detail = format!("{}, user {}", settings.address(), settings.user());
    report.add("broker", State::Ok, detail);
    let name = &settings.exchange;
    let exists = Inspection(&connection).exchange_exists(name).await;
    connection.close().await;
    match exists {
        Ok(true) => {
            report.add("exchange", State::Ok, name);
            true
        }
        Ok(false) => {
            let remedy = settings.topology().remedy(&format!("exchange {name}"));
            let detail = format!("there is no exchange {name}: {remedy}");
            report.add("exchange", State::Failed, detail);
            false
        }
        Err(error) => {
            report.add("exchange", State::Failed, error.to_string());
            false
        }
    }
}

/// An agent in the conversation.
async fn join(
    gateway: &Gateway,
    key: &ConversationKey,
    token: &str,
    report: &mut Report,
) -> Option<Agent> {
    let mut agent = match Agent::open(gateway, key).await {
        Ok(agent) => agent,
        Err(error) => {
            report.add("handshake", State::Failed, format!("{error:#}"));
            report.not_reached("joined");
            return None;
        }
    };
    report.add("handshake", State::Ok, "Engine.IO over a WebSocket");
    match agent.join(token).await {
        Ok(resume) => {
            let (tenant, conversation) = (&key.tenant, &key.conversation);
            let detail = format!("conversation {conversation} of tenant {tenant}, {resume}");
            report.add("joined", State::Ok, detail);
            Some(agent)
        }
        Err(error) => {
            report.add("joined", State::Failed, format!("{error:#}"));
            None
        }
    }
}
