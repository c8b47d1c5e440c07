//! `publish`: an event through the exchange, with a confirm; prints the messageId.

use rand::distr::{Alphanumeric, SampleString as _};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::token::id;
use super::{CommandError, config, help, log};
use crate::config::Needs;
use crate::conversation::{ConversationKey, Delivered, Id, Kind, rfc3339};
use crate::source::amqp::EventPublisher;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    /// A customer's message.
    #[command(after_help = help::INBOUND)]
    Inbound {
        #[command(flatten, next_help_heading = "Conversation")]
        conversation: Target,
        /// What the customer wrote.
        #[arg(long, required_unless_present = "media_url")]
        text: Option<String>,
        /// Where the customer's picture, sound, video or file is.
        #[arg(long)]
        media_url: Option<String>,
        /// Its MIME type.
        #[arg(long)]
        media_type: Option<String>,
        /// The message's id; made up when it is not given.
        #[arg(long)]
        message_id: Option<String>,
        /// The customer's WhatsApp id.
        #[arg(long)]
        from: Option<String>,
    },
    /// A tick.
    #[command(after_help = help::STATUS)]
    Status {
        #[command(flatten, next_help_heading = "Conversation")]
        conversation: Target,
        /// The message that it is about.
        #[arg(long)]
        message_id: String,
        /// sent, delivered, read or failed
        #[arg(long)]
        status: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// The tenant.
    #[arg(long, value_parser = id)]
    tenant: Id,
    /// The conversation.
    #[arg(long, value_parser = id)]
    conversation: Id,
}

pub(super) async fn run(args: Args) -> Result<(), CommandError> {
    let mut config = config(Needs::Nothing, &[])?;
    log(std::mem::take(&mut config.log));
    let (kind, conversation, message_id, fields) = match args {
        Args::Inbound {
            conversation,
            text,
            media_url,
            media_type,
            message_id,
            from,
        } => (
            Kind::InboundMessage,
            conversation,
            message_id.unwrap_or_else(new_message_id),
            vec![
                ("text", text),
                ("mediaUrl", media_url),
                ("mediaType", media_type),
                ("from", from),
            ],
        ),
        Args::Status {
            conversation,
            message_id,
            status,
        } => (
            Kind::StatusUpdate,
            conversation,
            message_id,
            vec![("status", Some(status))],
        ),
    };
    let key = ConversationKey {
        tenant: conversation.tenant,
        conversation: conversation.conversation,
    };
    let body = body(&key, &message_id, fields);
    // The gateway would put it among the dead letters, or leave a field out: say so here instead.
    Delivered::now(kind, &body)
        .check()
        .map_err(|rejection| CommandError::Usage(rejection.detail))?;
    let mut publisher = EventPublisher::connect(&config.amqp)
        .await
        .map_err(anyhow::Error::from)?;
    publisher
        .publish(kind, &key, &body)
        .await
        .map_err(anyhow::Error::from)?;
    // The broker has the event: a close that fails does not change that.
    println!("{message_id}");
    publisher.close().await.ok();
    Ok(())
}

pub(super) fn new_message_id() -> String {
    // WhatsApp's ids look like this.
    format!("wamid.{}", Alphanumeric.sample_string(&mut rand::rng(), 24))
}

/// The JSON body of a delivery that happens now.
pub(super) fn body(
    key: &ConversationKey,
    message_id: &str,
    fields: Vec<(&str, Option<String>)>,
) -> Vec<u8> {
    let named = [
        ("tenantId", Some(key.tenant.to_string())),
        ("conversationId", Some(key.conversation.to_string())),
        ("messageId", Some(message_id.to_owned())),
        ("timestamp", Some(rfc3339(OffsetDateTime::now_utc()))),
    ];
    let body: Map<_, _> = named
        .into_iter()
        .chain(fields)
        .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
        .collect();
    Value::Object(body).to_string().into_bytes()
}
