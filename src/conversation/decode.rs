//! The one decoder: whatever comes from outside becomes an [`Event`] here, or a [`Rejection`]
//! that names the field and the reason. What has passed it is trusted.
//!
//! What is required decides. An optional field that cannot be used is a mistake where somebody can
//! be told (the relay, the command line); a queue's delivery goes without it.

mod encoding;
mod inbound_message;
mod media;
mod parts;
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
use super::fields::{Fields, message_id};
use super::id::ConversationKey;
use super::json_text::{JsonText, NoObject};
use super::rejection::{About, Invalid, Reason, Rejection};
use super::timestamp;
use super::url_template::UrlTemplate;

pub use self::reader::OPTIONAL_FIELDS;

/// The largest body of a delivery or of a relay request, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;

/// Which of the contracts an event has to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `inbound_message`
    InboundMessage,
    /// `status_update`
    StatusUpdate,
    /// `outbound_message`: as a customer's message, of the agent's side. No queue is for these alone.
    OutboundMessage,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::InboundMessage,
        Self::StatusUpdate,
        Self::OutboundMessage,
    ];

    /// The name of the event and the first word of the routing key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InboundMessage => "inbound_message",
            Self::StatusUpdate => "status_update",
            Self::OutboundMessage => "outbound_message",
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

    /// Decodes it as it is decoded where nothing is configured.
    ///
    /// # Errors
    /// [`Rejection`] when no retry could make an event of it.
    pub fn decode(&self) -> Result<Decoded, Rejection> {
        Decoder::default().decode(self)
    }

    /// Says what is wrong with it to who is about to publish it, optional fields included.
    ///
    /// # Errors
    /// [`Rejection`] when it is not an event in every field.
    pub fn check(&self) -> Result<(), Rejection> {
        let decoder = Decoder::default();
        decoder.read(self, &mut Unusable::Refused).map(drop)
    }

    /// The body as it was before it was packed.
    ///
    /// # Errors
    /// [`Rejection`] when it is too large, or cannot be unpacked.
    pub(crate) fn unpacked(&self) -> Result<Cow<'a, [u8]>, Rejection> {
        if self.body.len() > BODY_LIMIT {
            return Err(Rejection::new(
                Reason::TooLarge,
                format!(
                    "body: has {} bytes, the limit is {BODY_LIMIT}",
                    self.body.len()
                ),
            ));
        }
        encoding::unpacked(self.encoding, self.body)
    }

    /// The time that counts where the body names none.
    pub(crate) fn at(&self) -> OffsetDateTime {
        let sent_at = self.sent_at.map(|sent_at| sent_at as f64);
        let sent_at = sent_at.and_then(timestamp::from_unix);
        sent_at.unwrap_or(self.arrived_at)
    }
}

/// The decoder, as it is configured: there is one for deliveries and the relay.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    /// Where a medium is that comes with the provider's id and without a URL.
    media_urls: Option<Arc<UrlTemplate>>,
}

impl Decoder {
    /// One that makes URLs of media's ids, if there is a template for them.
    pub fn new(media_urls: Option<UrlTemplate>) -> Self {
        let media_urls = media_urls.map(Arc::new);
        Self { media_urls }
    }

    /// Decodes a delivery. Optional fields that cannot be used are left out.
    ///
    /// # Errors
    /// [`Rejection`] when no retry could make an event of it.
    pub fn decode(&self, delivered: &Delivered<'_>) -> Result<Decoded, Rejection> {
        let mut unusable = Unusable::LeftOut(Vec::new());
        let event = self.read(delivered, &mut unusable)?;
        let left_out = match unusable {
            Unusable::LeftOut(all) => all,
            Unusable::Refused => Vec::new(),
        };
        Ok(Decoded { event, left_out })
    }

    fn read(&self, delivered: &Delivered<'_>, unusable: &mut Unusable) -> Result<Event, Rejection> {
        let body = delivered.unpacked()?;
        let text = JsonText::new(&body);
        let fields = text.fields().map_err(|error| match error {
            NoObject::NotJson(error) => not_json(&error.to_string()),
            NoObject::Other(reason) => Invalid::new("body", reason).into(),
        })?;
        let mut event = || {
            let key = ConversationKey {
                tenant: fields.id("tenantId")?,
                conversation: fields.id("conversationId")?,
            };
            let reader = Reader::new(&fields, unusable);
            self.event(delivered.kind, key, reader, delivered.at())
        };
        event().map_err(|invalid| Rejection {
            about: About::read(&fields, &fields),
            ..invalid.into()
        })
    }

    /// Decodes the payload of an `inbound_message` or a `status_update` that came by the relay, which
    /// names the conversation elsewhere.
    ///
    /// # Errors
    /// [`Invalid`] names the field within the payload, also an optional one.
    pub(crate) fn payload(
        &self,
        kind: Kind,
        key: ConversationKey,
        payload: &Fields<'_>,
        arrived_at: OffsetDateTime,
    ) -> Result<Event, Invalid> {
        let mut unusable = Unusable::Refused;
        let reader = Reader::new(payload, &mut unusable);
        let event = self.event(kind, key, reader, arrived_at);
        event.map_err(|invalid| invalid.within("payload"))
    }

    fn event(
        &self,
        kind: Kind,
        key: ConversationKey,
        mut fields: Reader<'_, '_>,
        fallback: OffsetDateTime,
    ) -> Result<Event, Invalid> {
        let written = fields.required("messageId", message_id)?;
        let message_id: Arc<str> = Arc::from(&*written);
        let timestamp = timestamp::rfc3339(
            fields
                .optional("timestamp", |raw| {
                    timestamp::parse(raw).map_err(Cow::Borrowed)
                })?
                .unwrap_or(fallback),
        );
        let (name, payload, identity) = match kind {
            Kind::InboundMessage | Kind::OutboundMessage => {
                let urls = self.media_urls.as_deref();
                let payload = InboundMessage::read(&mut fields, written, timestamp, &key, urls)?;
                let payload = to_raw_value(&payload);
                match kind {
                    Kind::OutboundMessage => {
                        let name = EventName::Other(kind.as_str().into());
                        (name, payload, Identity::Outbound(message_id))
                    }
                    _ => {
                        let identity = Identity::Inbound(message_id);
                        (EventName::InboundMessage, payload, identity)
                    }
                }
            }
            Kind::StatusUpdate => {
                let payload = StatusUpdate::read(&mut fields, written, timestamp)?;
                let (status, payload) = (payload.status, to_raw_value(&payload));
                let identity = Identity::Status(message_id, status);
                (EventName::StatusUpdate, payload, identity)
            }
        };
        let payload = payload.map_err(|error| Invalid::new("body", error.to_string()))?;
        Ok(Event {
            key,
            name,
            payload,
            identity: Some(identity),
            event_id: None,
            trace: None,
        })
    }
}

/// The body is not JSON, for this reason.
pub(crate) fn not_json(reason: &str) -> Rejection {
    Rejection::new(Reason::InvalidJson, format!("body: is not JSON ({reason})"))
}
