//! The portal's fallback: events that come by `POST /internal/emit`. It needs no broker.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use serde_json::value::RawValue;
use time::OffsetDateTime;
use tracing::{Level, debug, enabled};

use crate::conversation::fields::{Fields, message_id, text};
use crate::conversation::{
    About, Arrival, ConversationKey, Decoder, Event, EventName, Identity, Invalid, JsonText, Kind,
    NoObject,
};
use crate::journal::{Journal, Published};
use crate::source::counts::EventCounts;
use crate::source::description::describe;
use crate::trace::{Span, TraceContext};

/// Names that agents receive with another meaning: the gateway's own events, and those that
/// Socket.IO reserves (<https://socket.io/docs/v4/emit-cheatsheet/#reserved-events>).
const RESERVED: [&str; 9] = [
    "joined",
    "reset",
    "token_expiring",
    "token_expired",
    "refresh_token",
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
];

const EVENT_LIMIT: usize = 64;
const EVENT_ID_LIMIT: usize = 128;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// The body is not JSON.
    #[error("the body is not JSON ({0})")]
    InvalidJson(String),
    /// The body is JSON, but not an emit.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The journal does not take it now.
    #[error("the event cannot be taken now, try again later")]
    Unavailable,
}

/// Publishes the event in the body of an emit, and counts it.
///
/// # Errors
/// [`RelayError`] names the field.
pub async fn emit(
    journal: &Journal,
    decoder: &Decoder,
    counts: &EventCounts,
    body: &[u8],
    span: &mut Span,
) -> Result<Published, RelayError> {
    let arrival = Arrival {
        at: Instant::now(),
        published_before: None,
    };
    let arrived_at = OffsetDateTime::now_utc();
    let text = JsonText::new(body);
    let trace = span.context();
    let event = match decode(decoder, &text, arrived_at) {
        Ok(event) => Event { trace, ..event },
        Err(error) => {
            if enabled!(Level::DEBUG) {
                log_refusal(&text, trace, &error);
            }
            return Err(error);
        }
    };
    // Mostly it is not needed.
    let is_needed = enabled!(Level::DEBUG) || span.is_recorded();
    let told = is_needed.then(|| (About::of(&event), event.event_id.clone()));
    let name = event.name.clone();
    let published = journal.relay(event, arrival).await;
    let published = published.map_err(|_| RelayError::Unavailable)?;
    if let Published::New(_) = published {
        counts.note(&name, arrived_at);
    }
    if let Some((about, event_id)) = told {
        describe(span, &about, published.as_str());
        debug!(
            event = name.as_str(),
            tenant = about.tenant.as_ref().map(tracing::field::display),
            conversation = about.conversation.as_ref().map(tracing::field::display),
            message_id = about.message_id.as_deref(),
            event_id = event_id.as_deref(),
            trace_id = trace.map(|trace| tracing::field::display(trace.trace_id())),
            outcome = published.as_str(),
            "emit"
        );
    }
    Ok(published)
}

/// Logs what a refused call was about, as far as that can be read.
fn log_refusal(text: &JsonText<'_>, trace: Option<TraceContext>, error: &RelayError) {
    let fields = fields(text).ok();
    let about = fields.as_ref().map(|fields| {
        let payload = fields.get("payload").and_then(|raw| Fields::of(raw).ok());
        About::read(fields, payload.as_ref().unwrap_or(fields))
    });
    let about = about.unwrap_or_default();
    let value = |name| fields.as_ref().and_then(|fields| fields.get(name));
    let name = value("event").and_then(|raw| event_name(raw).ok());
    let event_id = value("eventId").and_then(|raw| event_id(raw).ok());
    debug!(
        event = name.as_ref().map(EventName::as_str),
        tenant = about.tenant.as_ref().map(tracing::field::display),
        conversation = about.conversation.as_ref().map(tracing::field::display),
        message_id = about.message_id.as_deref(),
        event_id = event_id.as_deref(),
        trace_id = trace.map(|trace| tracing::field::display(trace.trace_id())),
        outcome = "refused",
        %error,
        "emit refused"
    );
}

/// The fields of a call's body.
///
/// # Errors
/// It is not JSON, or no object.
pub(crate) fn fields<'a>(text: &'a JsonText<'_>) -> Result<Fields<'a>, RelayError> {
    text.fields().map_err(|error| match error {
        NoObject::NotJson(error) => RelayError::InvalidJson(error.to_string()),
        NoObject::Other(reason) => Invalid::new("body", reason).into(),
    })
}

fn decode(
    decoder: &Decoder,
    text: &JsonText<'_>,
    now: OffsetDateTime,
) -> Result<Event, RelayError> {
    let fields = fields(text)?;
    let key = ConversationKey {
        tenant: fields.id("tenantId")?,
        conversation: fields.id("conversationId")?,
    };
    let name = fields.required("event", event_name)?;
    let event_id = fields.optional("eventId", event_id)?;
    let payload = fields
        .get("payload")
        .ok_or_else(|| Invalid::new("payload", "is missing"))?;
    let within = Fields::of(payload).map_err(|reason| Invalid::new("payload", reason))?;
    let event = match name {
        EventName::InboundMessage => decoder.payload(Kind::InboundMessage, key, &within, now)?,
        EventName::StatusUpdate => decoder.payload(Kind::StatusUpdate, key, &within, now)?,
        EventName::Other(_) => Event {
            identity: identity(&name, &within),
            key,
            name,
            payload: payload.to_owned(),
            event_id: None,
            trace: None,
        },
    };
    Ok(Event { event_id, ..event })
}

/// What makes an event a repeat whose payload is the portal's own affair: the messageId of an
/// `outbound_message`, where it has one.
fn identity(name: &EventName, payload: &Fields<'_>) -> Option<Identity> {
    if name.as_str() != "outbound_message" {
        return None;
    }
    let id = message_id(payload.get("messageId")?).ok()?;
    Some(Identity::Outbound(id.into()))
}

fn event_id(raw: &RawValue) -> Result<Arc<str>, Cow<'static, str>> {
    Ok(text(raw, 1, EVENT_ID_LIMIT)?.into())
}

fn event_name(raw: &RawValue) -> Result<EventName, Cow<'static, str>> {
    let name = text(raw, 0, usize::MAX)?;
    let mut bytes = name.bytes();
    let well_formed = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && name.len() <= EVENT_LIMIT;
    if !well_formed {
        return Err("must be a-z, then up to 63 of a-z 0-9 _".into());
    }
    if RESERVED.contains(&&*name) {
        return Err("is reserved".into());
    }
    Ok(match &*name {
        "inbound_message" => EventName::InboundMessage,
        "status_update" => EventName::StatusUpdate,
        _ => EventName::Other(name.into()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn decode_json(body: &Value) -> Result<Event, RelayError> {
        decode_bytes(body.to_string().as_bytes())
    }

    fn decode_bytes(body: &[u8]) -> Result<Event, RelayError> {
        decode(
            &Decoder::default(),
            &JsonText::new(body),
            OffsetDateTime::UNIX_EPOCH,
        )
    }

    fn emit() -> Value {
        json!({"tenantId": "t", "conversationId": "c", "event": "note", "payload": {"a": 1}})
    }

    fn field_of(body: &Value) -> String {
        match decode_json(body) {
            Err(RelayError::Invalid(invalid)) => invalid.field.into_owned(),
            other => panic!("{other:?} for {body}"),
        }
    }

    #[test]
    fn another_event_passes_its_payload_on_as_it_came() {
        let body = br#"{"tenantId":"t","conversationId":"c","event":"note","payload":{"b": 1.0, "a":[ ]}}"#;
        let event = decode_bytes(body).unwrap();
        assert_eq!(event.name.as_str(), "note");
        assert_eq!(event.payload.get(), r#"{"b": 1.0, "a":[ ]}"#);
    }

    #[test]
    fn mistakes_name_the_place_in_the_body() {
        for (name, values) in [
            (
                "tenantId",
                vec![json!(null), json!(7.5), json!(""), json!("a/b")],
            ),
            ("conversationId", vec![json!(null), json!("x".repeat(129))]),
            (
                "event",
                vec![
                    json!(null),
                    json!("Note"),
                    json!("1a"),
                    json!(""),
                    json!("a-b"),
                    json!("x".repeat(65)),
                    json!("joined"),
                    json!("disconnect"),
                ],
            ),
            ("payload", vec![json!(null), json!([]), json!("x")]),
            ("eventId", vec![json!(""), json!(7), json!("x".repeat(129))]),
        ] {
            for value in values {
                let mut body = emit();
                body[name] = value;
                assert_eq!(field_of(&body), name, "{body}");
            }
        }
    }

    #[test]
    fn mistakes_in_a_contracts_payload_name_the_place_within_it() {
        let mut body = emit();
        body["event"] = json!("inbound_message");
        body["payload"] = json!({"text": "hi"});
        assert_eq!(field_of(&body), "payload.messageId");
        body["event"] = json!("status_update");
        body["payload"] = json!({"messageId": "m", "status": "failed", "error": {"title": 1}});
        assert_eq!(field_of(&body), "payload.error.title");
        body["payload"] = json!([]);
        assert_eq!(field_of(&body), "payload");
    }

    #[test]
    fn what_is_not_json_is_told_apart() {
        for body in ["", "{", "{'a':1}", "\u{feff}", "\u{feff}\u{feff}{}"] {
            let result = decode_bytes(body.as_bytes());
            assert!(matches!(result, Err(RelayError::InvalidJson(_))), "{body}");
        }
        let result = decode_bytes(b"[]");
        assert!(matches!(result, Err(RelayError::Invalid(invalid)) if invalid.field == "body"));
    }
}
