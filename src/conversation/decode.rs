//! The one decoder: whatever comes from outside becomes an [`Event`] here, or a [`Rejection`]
//! that names the field and the reason. Behind this door everything is trusted.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use time::OffsetDateTime;
use url::Url;

use super::event::{Event, EventName, Identity, Status};
use super::fields::{Fields, Read, text};
use super::id::ConversationKey;
use super::timestamp;

/// The largest body of a delivery or of a relay request, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;

const MESSAGE_ID_LIMIT: usize = 256;
const FROM_LIMIT: usize = 128;
const MEDIA_URL_LIMIT: usize = 2048;

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

/// A field that breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// Where: the field's name, dotted when nested; `body` for the whole.
    pub field: Cow<'static, str>,
    /// What is wrong with it, to be read after the field's name.
    pub reason: Cow<'static, str>,
}

impl Invalid {
    /// `field` breaks the rule that `reason` states.
    pub fn new(field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// The same, for a field that lies within `parent`.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        Self {
            field: format!("{parent}.{}", self.field).into(),
            reason: self.reason,
        }
    }
}

/// Why a delivery can never succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The class of the mistake.
    pub reason: Reason,
    /// The field that is wrong, where one is.
    pub field: Option<Cow<'static, str>>,
    /// A sentence that names the field.
    pub detail: String,
}

/// The classes of mistakes, as the dead letter's `x-gateway-reason` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The body is not JSON.
    InvalidJson,
    /// The body is JSON, but not an event.
    InvalidEvent,
    /// The body is larger than [`BODY_LIMIT`].
    TooLarge,
    /// The gateway itself fails on it, again and again.
    InternalError,
}

impl Reason {
    /// The reason on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidEvent => "invalid_event",
            Self::TooLarge => "too_large",
            Self::InternalError => "internal_error",
        }
    }
}

impl From<Invalid> for Rejection {
    fn from(invalid: Invalid) -> Self {
        Self {
            reason: Reason::InvalidEvent,
            detail: invalid.to_string(),
            field: Some(invalid.field),
        }
    }
}

/// Decodes a delivery's body.
///
/// `sent_at` is the AMQP timestamp property (its specification says seconds; milliseconds, which
/// some clients write, are recognised), `arrived_at` the time that counts when nothing else does.
///
/// # Errors
/// [`Rejection`] when no retry could make an event of these bytes.
pub fn decode_delivery(
    kind: Kind,
    body: &[u8],
    sent_at: Option<u64>,
    arrived_at: OffsetDateTime,
) -> Result<Event, Rejection> {
    if body.len() > BODY_LIMIT {
        return Err(Rejection {
            reason: Reason::TooLarge,
            field: None,
            detail: format!("body: has {} bytes, the limit is {BODY_LIMIT}", body.len()),
        });
    }
    let json: &RawValue = serde_json::from_slice(body).map_err(|error| Rejection {
        reason: Reason::InvalidJson,
        field: None,
        detail: format!("body: is not JSON ({error})"),
    })?;
    let fields = Fields::of(json).map_err(|reason| Invalid::new("body", reason))?;
    let key = ConversationKey {
        tenant: fields.id("tenantId")?,
        conversation: fields.id("conversationId")?,
    };
    let fallback = sent_at
        .and_then(|sent_at| timestamp::from_unix(sent_at as f64))
        .unwrap_or(arrived_at);
    Ok(event(kind, key, &fields, fallback)?)
}

/// Decodes the payload of an `inbound_message` or a `status_update` that came by the relay, which
/// names the conversation elsewhere.
///
/// # Errors
/// [`Invalid`] names the field within the payload.
pub fn decode_payload(
    kind: Kind,
    key: ConversationKey,
    payload: &RawValue,
    arrived_at: OffsetDateTime,
) -> Result<Event, Invalid> {
    let fields = Fields::of(payload).map_err(|reason| Invalid::new("payload", reason))?;
    event(kind, key, &fields, arrived_at).map_err(|invalid| invalid.within("payload"))
}

fn event(
    kind: Kind,
    key: ConversationKey,
    fields: &Fields<'_>,
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
            let payload = InboundMessage::read(fields, &message_id, timestamp)?;
            let identity = Identity::Message(message_id.clone());
            (EventName::InboundMessage, to_raw_value(&payload), identity)
        }
        Kind::StatusUpdate => {
            let payload = StatusUpdate::read(fields, &message_id, timestamp)?;
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

/// What agents get of a customer's message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InboundMessage<'a> {
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    timestamp: String,
}

impl<'a> InboundMessage<'a> {
    fn read(fields: &Fields<'_>, message_id: &'a str, timestamp: String) -> Result<Self, Invalid> {
        let message = Self {
            message_id,
            text: fields.optional("text", |raw| text(raw, 0, usize::MAX))?,
            media_url: fields.optional("mediaUrl", media_url)?,
            media_type: fields.optional("mediaType", media_type)?,
            from: fields.optional("from", |raw| text(raw, 0, FROM_LIMIT))?,
            timestamp,
        };
        if message.text.is_none() && message.media_url.is_none() {
            return Err(Invalid::new("text", "or mediaUrl must be there"));
        }
        Ok(message)
    }
}

/// What agents get of a tick.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusUpdate<'a> {
    message_id: &'a str,
    status: Status,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

/// Why WhatsApp gave up on a message.
#[derive(Serialize)]
struct Failure {
    /// WhatsApp's codes are numbers; strings pass as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

impl<'a> StatusUpdate<'a> {
    fn read(fields: &Fields<'_>, message_id: &'a str, timestamp: String) -> Result<Self, Invalid> {
        let status = fields.required("status", |raw| {
            let name = text(raw, 0, usize::MAX)?;
            Status::from_name(&name).ok_or("must be sent, delivered, read or failed".into())
        })?;
        // Only a failure has an error; beside another status it is one of the ignored fields.
        let error = match (status, fields.get("error")) {
            (Status::Failed, Some(raw)) => Some(Failure::read(raw)?),
            _ => None,
        };
        Ok(Self {
            message_id,
            status,
            timestamp,
            error,
        })
    }
}

impl Failure {
    fn read(raw: &RawValue) -> Result<Self, Invalid> {
        let fields = Fields::of(raw).map_err(|reason| Invalid::new("error", reason))?;
        let read = || {
            Ok(Self {
                code: fields.optional("code", |raw| match raw.get().as_bytes().first() {
                    Some(b'"') => text(raw, 0, usize::MAX).map(|_| raw.to_owned()),
                    Some(b'-' | b'0'..=b'9') => Ok(raw.to_owned()),
                    _ => Err("must be a number or a string".into()),
                })?,
                title: fields.optional("title", |raw| text(raw, 0, usize::MAX))?,
            })
        };
        read().map_err(|invalid: Invalid| invalid.within("error"))
    }
}

fn media_url(raw: &RawValue) -> Read<String> {
    const ABSOLUTE: &str = "must be an absolute http or https URL";
    let text = text(raw, 0, MEDIA_URL_LIMIT)?;
    // `Url` repairs what browsers repair: spaces around, tabs within, a missing slash. A
    // publisher is told instead, because what is passed on is the text as it came.
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    let written_out = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !written_out || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ABSOLUTE.into());
    }
    match Url::parse(&text) {
        Ok(url) if url.has_host() => Ok(text),
        _ => Err(ABSOLUTE.into()),
    }
}

fn media_type(raw: &RawValue) -> Read<String> {
    let text = text(raw, 0, usize::MAX)?;
    match mediatype::MediaType::parse(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err("must be a MIME type such as image/jpeg".into()),
    }
}
