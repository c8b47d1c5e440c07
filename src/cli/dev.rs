//! `dev`: the gateway on loopback, with secrets made up for this run, a link to look at and a
//! playground.

mod mapping;
mod playground;
mod replicas;

use std::io;
use std::net::SocketAddr;
use std::thread;

use anyhow::Context as _;
use rand::distr::{Alphanumeric, SampleString as _};
use rustix::process::{Signal, getpid, kill_process};
use time::OffsetDateTime;
use tracing::error;

use super::{CommandError, config, demo, help, log, serve};
use crate::auth::{Hs256, NewToken};
use crate::config::{Config, Needs};
use crate::conversation::{ConversationKey, Id};
use crate::http;
use playground::Playground;

#[derive(Debug, clap::Args)]
#[command(after_help = help::DEV)]
pub(super) struct Args {
    /// Also play a conversation: published through the broker, again and again.
    #[arg(long)]
    demo: bool,
    /// Run three of them behind an nginx, with a shared stream and a button that kills one.
    #[arg(long, conflicts_with = "demo")]
    replicas: bool,
    /// One of those: it ends when its standard input does.
    #[arg(long, hide = true, conflicts_with_all = ["demo", "replicas"])]
    replica: bool,
}

const TENANT: &str = "demo";
const CONVERSATION: &str = "maria";

/// How long the token in the link is good, in seconds: a working day.
const TOKEN_LIFE: i64 = 12 * 3600;

pub(super) async fn run(args: Args) -> Result<(), CommandError> {
    let api_key = secret();
    let mut config = config(
        Needs::Secret,
        &[
            ("HOST", "127.0.0.1"),
            ("JWT_SECRET", &secret()),
            ("INTERNAL_API_KEYS", &api_key),
        ],
    )?;
    let internal = config
        .http
        .internal
        .map(|address| ("INTERNAL_HOST", address));
    for (variable, address) in [("HOST", config.http.public)].into_iter().chain(internal) {
        if !address.ip().is_loopback() {
            let mistake = format!("{variable}: dev listens on loopback only");
            return Err(CommandError::Usage(mistake));
        }
    }
    // Its links are this machine's, whatever the gateway is called elsewhere.
    config.http.public_urls = http::PublicUrls::default();
    log(std::mem::take(&mut config.log));
    if args.replicas {
        return replicas::run(config, api_key).await;
    }
    if args.replica {
        end_with_standard_input();
    }
    if config.amqp.mapping.is_none() {
        config.amqp.mapping = Some(mapping::either(TENANT, CONVERSATION)?);
    }
    let key = ConversationKey {
        tenant: Id::parse(TENANT).context("the demo's tenant")?,
        conversation: Id::parse(CONVERSATION).context("the demo's conversation")?,
    };
    let token = token(&config, &key)?;
    let amqp = config.amqp.clone();
    let window = config.limits.events;
    serve::start(config, |gateway| {
        if !args.replica {
            print_links(gateway.local_addr(), &key, &token);
        }
        let playground = Playground {
            tokens: gateway.authenticator(),
            amqp: amqp.clone(),
            journal: gateway.journal(),
            window,
            key: key.clone(),
            is_replica: args.replica,
        };
        gateway.add_routes(|sockets| playground.routes(sockets));
        if args.demo {
            tokio::spawn(demo::play(amqp, gateway.journal(), key));
        }
    })
    .await
}

fn print_links(address: SocketAddr, key: &ConversationKey, token: &str) {
    let (tenant, conversation) = (&key.tenant, &key.conversation);
    println!(
        "\n  Play with it, two agents side by side:\n\n  http://{address}/playground\n\n  \
         Watch the conversation:\n\n  \
         http://{address}/widget?tenantId={tenant}&conversationId={conversation}#token={token}\n"
    );
}

fn token(config: &Config, key: &ConversationKey) -> anyhow::Result<String> {
    Hs256::new(config.auth.clone())
        .issue(NewToken {
            agent: "agent-1".to_owned(),
            name: Some("Alex".to_owned()),
            tenant: key.tenant.to_string(),
            conversations: Vec::new(),
            expires_at: OffsetDateTime::now_utc().unix_timestamp() + TOKEN_LIFE,
        })?
        .context("no secret to sign the token with")
}

/// Has the process end as by SIGTERM when whoever has started it is gone, also without a word.
fn end_with_standard_input() {
    thread::spawn(|| {
        if let Err(error) = io::copy(&mut io::stdin(), &mut io::sink()) {
            error!(%error, "standard input cannot be read");
        }
        if let Err(error) = kill_process(getpid(), Signal::TERM) {
            error!(%error, "the process cannot end itself");
        }
    });
}

fn secret() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 48)
}
