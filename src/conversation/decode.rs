//! The one decoder: whatever comes from outside becomes an [`Event`] here, or a [`Rejection`]
//! that names the field and the reason. Behind this door everything is trusted.
//!
//! What is required decides. An optional field that cannot be used is a mistake where somebody can
//! be told (the relay, the command line); a queue's delivery goes without it.

mod encoding;
mod inbound_message;
mod reader;
mod status_update;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::to_raw_value;
use time::OffsetDateTime;

use self::inbound_message::InboundMessage;
use self::reader::{Reader, Unusable};
use self::status_update::StatusUpdate;
use super::event::{Event, EventName, Identity};
use super::fields::{Fields, MESSAGE_ID_LIMIT, text};
use super::id::ConversationKey;
use super::json_text::JsonText;
use super::rejection::{About, Invalid, Reason, Rejection};
use super::timestamp;

pub use self::reader::OPTIONAL_FIELDS;

/// The largest body of a delivery or of a relay request, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;

/// Which of the two contracts an event has to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `inbound_message`
    InboundMessage,
    /// `status_update`
    StatusUpdate,
}

impl Kind {
    /// The name of the event and the first word of the routing key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InboundMessage => "inbound_message",
            Self::StatusUpdate => "status_update",
        }
    }
}

/// What a queue delivers: the body, and those properties that count.
#[derive(Debug, Clone, Copy)]
pub struct Delivered<'a> {
    /// By the queue.
    pub kind: Kind,
    /// The bytes.
    pub body: &'a [u8],
    /// The AMQP property `content-encoding`.
    pub encoding: Option<&'a str>,
    /// The AMQP property `timestamp`: by its specification seconds; milliseconds, which some
    /// clients write, are recognised.
    pub sent_at: Option<u64>,
    /// The time that counts when nothing else does.
    pub arrived_at: OffsetDateTime,
}

/// An event, and what it had to do without.
#[derive(Debug)]
pub struct Decoded {
    /// The event.
    pub event: Event,
    /// The optional fields that could not be used, and what is wrong with each; the names are among
    /// [`OPTIONAL_FIELDS`].
    pub left_out: Vec<Invalid>,
}

impl<'a> Delivered<'a> {
    /// A body without properties, of now.
    pub fn now(kind: Kind, body: &'a [u8]) -> Self {
        Self {
            kind,
            body,
            encoding: None,
            sent_at: None,
            arrived_at: OffsetDateTime::now_utc(),
        }
    }

    /// Decodes it. Optional fields that cannot be used are left out.
    ///
    /// # Errors
    /// [`Rejection`] when no retry could make an event of it.
    pub fn decode(&self) -> Result<Decoded, Rejection> {
        let mut unusable = Unusable::LeftOut(Vec::new());
        let event = self.read(&mut unusable)?;
        let left_out = match unusable {
            Unusable::LeftOut(all) => all,
            Unusable::Refused => Vec::new(),
        };
        Ok(Decoded { event, left_out })
    }

    /// Says what is wrong with it to who is about to publish it, optional fields included.
    ///
    /// # Errors
    /// [`Rejection`] when it is not an event in every field.
    pub fn check(&self) -> Result<(), Rejection> {
        self.read(&mut Unusable::Refused).map(drop)
    }

    fn read(&self, unusable: &mut Unusable) -> Result<Event, Rejection> {
        if self.body.len() > BODY_LIMIT {
            return Err(Rejection::new(
                Reason::TooLarge,
                format!(
                    "body: has {} bytes, the limit is {BODY_LIMIT}",
                    self.body.len()
                ),
            ));
        }
        let body = encoding::unpacked(self.encoding, self.body)?;
        let text = JsonText::new(&body);
        let json = text.value().map_err(|error| {
            Rejection::new(Reason::InvalidJson, format!("body: is not JSON ({error})"))
        })?;
        let fields = Fields::of(json).map_err(|reason| Invalid::new("body", reason))?;
        self.event(&fields, unusable).map_err(|invalid| Rejection {
            about: About::read(&fields, &fields),
            ..invalid.into()
        })
    }

    fn event(&self, fields: &Fields<'_>, unusable: &mut Unusable) -> Result<Event, Invalid> {
        let key = ConversationKey {
            tenant: fields.id("tenantId")?,
            conversation: fields.id("conversationId")?,
        };
        let sent_at = self.sent_at;
        let fallback = sent_at
            .and_then(|sent_at| timestamp::from_unix(sent_at as f64))
            .unwrap_or(self.arrived_at);
        event(self.kind, key, Reader::new(fields, unusable), fallback)
    }
}

/// Decodes the payload of an `inbound_message` or a `status_update` that came by the relay, which
/// names the conversation elsewhere.
///
/// # Errors
/// [`Invalid`] names the field within the payload, also an optional one.
pub(crate) fn decode_payload(
    kind: Kind,
    key: ConversationKey,
    payload: &Fields<'_>,
    arrived_at: OffsetDateTime,
) -> Result<Event, Invalid> {
    let mut unusable = Unusable::Refused;
    event(kind, key, Reader::new(payload, &mut unusable), arrived_at)
        .map_err(|invalid| invalid.within("payload"))
}

fn event(
    kind: Kind,
    key: ConversationKey,
    mut fields: Reader<'_>,
    fallback: OffsetDateTime,
) -> Result<Event, Invalid> {
    let message_id: Arc<str> = fields
        .required("messageId", |raw| text(raw, 1, MESSAGE_ID_LIMIT))?
        .into();
    let timestamp = timestamp::rfc3339(
        fields
            .optional("timestamp", |raw| {
                timestamp::parse(raw).map_err(Cow::Borrowed)
            })?
            .unwrap_or(fallback),
    );
    let (name, payload, identity) = match kind {
        Kind::InboundMessage => {
            let payload = InboundMessage::read(&mut fields, &message_id, timestamp)?;
            let identity = Identity::Inbound(message_id.clone());
            (EventName::InboundMessage, to_raw_value(&payload), identity)
        }
        Kind::StatusUpdate => {
            let payload = StatusUpdate::read(&mut fields, &message_id, timestamp)?;
            let identity = Identity::Status(message_id.clone(), payload.status);
            (EventName::StatusUpdate, to_raw_value(&payload), identity)
        }
    };
    let payload = payload.map_err(|error| Invalid::new("body", error.to_string()))?;
    Ok(Event {
        key,
        name,
        payload,
        identity: Some(identity),
        event_id: None,
    })
}
