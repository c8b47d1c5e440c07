//! `map`: what a body becomes, a line of JSON an event, without any broker.

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::{CommandError, config, help};
use crate::broker::key_matches;
use crate::config::{Config, Needs};
use crate::conversation::{BODY_LIMIT, Decoded, Delivered, Kind};
use crate::source::amqp::{Circumstances, Mapped, Mapping};

#[derive(Debug, clap::Args)]
#[command(after_help = help::MAP)]
pub(super) struct Args {
    /// The mapping: one that comes with the program, or a file; AMQP_MAPPING if not given.
    #[arg(long)]
    mapping: Option<String>,
    /// The routing key that it was published with, which also decides the queue.
    #[arg(long)]
    routing_key: Option<String>,
}

/// An event, as it is printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputLine<'a> {
    event: &'a str,
    tenant_id: &'a str,
    conversation_id: &'a str,
    payload: &'a RawValue,
}

pub(super) fn run(args: Args) -> Result<(), CommandError> {
    let config = config(Needs::Nothing, &[])?;
    let mapping = match &args.mapping {
        Some(name) => {
            let mapping = Mapping::load(name);
            Some(mapping.map_err(|reason| CommandError::Usage(format!("--mapping: {reason}")))?)
        }
        None => None,
    };
    let mut body = Vec::new();
    let mut input = std::io::stdin().lock().take(BODY_LIMIT as u64 + 1);
    input.read_to_end(&mut body).context("standard input")?;
    let mapped = map(&config, mapping, args.routing_key.as_deref(), &body)?;
    let mut output = std::io::stdout().lock();
    for decoded in &mapped.events {
        print(decoded, &mut output).context("standard output")?;
    }
    output.flush().context("standard output")?;
    match mapped.rejection {
        None if mapped.outputs == 0 => {
            eprintln!("agent-gateway: no event: it would be acknowledged, and counted as ignored");
            Ok(())
        }
        None => Ok(()),
        Some(rejection) => {
            let message = format!("{}: {}", rejection.reason.as_str(), rejection.detail);
            Err(anyhow::Error::msg(message).into())
        }
    }
}

/// Makes events of a body as the gateway does that is configured like this.
fn map(
    config: &Config,
    mapping: Option<Mapping>,
    routing_key: Option<&str>,
    body: &[u8],
) -> Result<Mapped, CommandError> {
    let amqp = &config.amqp;
    let is_bound = |bindings: &[String], key| {
        let mut bindings = bindings.iter();
        bindings.any(|binding| key_matches(binding, key))
    };
    let (kind, queue) = match routing_key {
        Some(key) if is_bound(&amqp.inbound_bindings, key) => {
            (Kind::InboundMessage, &amqp.inbound_queue)
        }
        Some(key) if is_bound(&amqp.status_bindings, key) => {
            (Kind::StatusUpdate, &amqp.status_queue)
        }
        Some(key) => {
            let message = format!(
                "--routing-key: no queue is bound with {key}: AMQP_INBOUND_BINDINGS is {}, \
                 AMQP_STATUS_BINDINGS is {}",
                amqp.inbound_bindings.join(","),
                amqp.status_bindings.join(","),
            );
            return Err(CommandError::Usage(message));
        }
        None => (Kind::InboundMessage, &amqp.inbound_queue),
    };
    let delivered = Delivered {
        arrived_at: OffsetDateTime::now_utc(),
        ..Delivered::now(kind, body)
    };
    let circumstances = Circumstances {
        exchange: &amqp.exchange,
        routing_key: routing_key.unwrap_or(kind.as_str()),
        queue,
        ..Circumstances::default()
    };
    let mapped = match mapping.as_ref().or(amqp.mapping.as_deref()) {
        Some(mapping) => {
            let mapping = mapping.talking().map_err(CommandError::Usage)?;
            mapping.apply(&config.decoder, &delivered, &circumstances)
        }
        None => config.decoder.decode(&delivered).map(|decoded| Mapped {
            events: vec![decoded],
            rejection: None,
            outputs: 1,
        }),
    };
    Ok(mapped.unwrap_or_else(|rejection| Mapped {
        rejection: Some(rejection),
        ..Mapped::default()
    }))
}

fn print(decoded: &Decoded, output: &mut impl std::io::Write) -> std::io::Result<()> {
    let event = &decoded.event;
    let line = OutputLine {
        event: event.name.as_str(),
        tenant_id: event.key.tenant.as_str(),
        conversation_id: event.key.conversation.as_str(),
        payload: &event.payload,
    };
    serde_json::to_writer(&mut *output, &line)?;
    writeln!(output)?;
    for invalid in &decoded.left_out {
        eprintln!("agent-gateway: left out: {invalid}");
    }
    Ok(())
}
