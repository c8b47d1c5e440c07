//! What is printed of a letter: never what somebody wrote.

use serde::Serialize;

use crate::config::Config;
use crate::conversation::{About, Delivered, Kind, rfc3339_from_amqp};
use crate::source::amqp::{Circumstances, Letter};

/// A letter in a few words.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    /// The first event's, or the AMQP property.
    message_id: Option<String>,
    tenant_id: Option<String>,
    conversation_id: Option<String>,
    /// `x-gateway-reason`, or RabbitMQ's own.
    pub(super) reason: String,
    detail: String,
    /// Who has put it there: `gateway`, `broker` or `unknown`.
    written_by: &'static str,
    /// The queue it came from.
    pub(super) queue: Option<String>,
    /// The AMQP property, RFC 3339.
    timestamp: Option<String>,
    bytes: usize,
    /// How often it was given back to a quorum queue.
    returns: u64,
    #[serde(skip)]
    message_ids: Vec<String>,
}

impl Summary {
    pub(super) fn new(config: &Config, letter: &Letter) -> Self {
        let cause = letter.cause();
        let properties = letter.properties();
        let property = properties.message_id().as_ref().map(ToString::to_string);
        let about = about(config, letter);
        let named = about.iter().filter_map(|about| about.message_id.as_deref());
        let message_ids: Vec<_> = named.map(str::to_owned).chain(property).collect();
        let first = about.into_iter().next().unwrap_or_default();
        Self {
            message_id: message_ids.first().cloned(),
            tenant_id: first.tenant.map(|id| id.to_string()),
            conversation_id: first.conversation.map(|id| id.to_string()),
            reason: cause.reason.clone(),
            detail: cause.detail.clone(),
            written_by: cause.writer.as_str(),
            queue: cause.queue.clone(),
            timestamp: properties.timestamp().and_then(rfc3339_from_amqp),
            bytes: letter.body().len(),
            returns: letter.returns(),
            message_ids,
        }
    }

    pub(super) fn message_ids(&self) -> impl Iterator<Item = &str> {
        self.message_ids.iter().map(String::as_str)
    }

    /// As a line.
    pub(super) fn line(&self) -> String {
        let id = self.message_id.as_deref().unwrap_or("-");
        let queue = self.queue.as_deref().unwrap_or("-");
        let reason = match &*self.reason {
            "" => "-",
            reason => reason,
        };
        let conversation = match (&self.tenant_id, &self.conversation_id) {
            (None, None) => String::new(),
            (tenant, conversation) => format!(
                "  {} {}",
                tenant.as_deref().unwrap_or("-"),
                conversation.as_deref().unwrap_or("-")
            ),
        };
        let line = format!("{id}  {reason}  {queue}{conversation}  {}", self.detail);
        // A publisher's words may be orders to a terminal.
        let is_control = |c: char| c.is_control();
        line.replace(is_control, "\u{fffd}")
    }
}

/// What the letter's body is about, as far as it can be read.
fn about(config: &Config, letter: &Letter) -> Vec<About> {
    let properties = letter.properties();
    let encoding = properties.content_encoding().as_ref();
    let is_status = letter.queue() == Some(&config.amqp.status_queue);
    let kind = if is_status {
        Kind::StatusUpdate
    } else {
        Kind::InboundMessage
    };
    let delivered = Delivered {
        encoding: encoding.map(|encoding| encoding.as_str()),
        ..Delivered::now(kind, letter.body())
    };
    let (events, rejection) = match config.amqp.mapping.as_deref() {
        Some(mapping) => {
            let circumstances = Circumstances {
                exchange: &config.amqp.exchange,
                routing_key: kind.as_str(),
                queue: letter.queue().unwrap_or_default(),
                ..Circumstances::default()
            };
            match mapping.apply(&config.decoder, &delivered, &circumstances) {
                Ok(mapped) => (mapped.events, mapped.rejection),
                Err(rejection) => (Vec::new(), Some(rejection)),
            }
        }
        None => match config.decoder.decode(&delivered) {
            Ok(decoded) => (vec![decoded], None),
            Err(rejection) => (Vec::new(), Some(rejection)),
        },
    };
    let events = events.iter().map(|decoded| About::of(&decoded.event));
    events
        .chain(rejection.map(|rejection| rejection.about))
        .collect()
}
