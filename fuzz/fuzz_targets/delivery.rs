//! The decoder: whatever a queue delivers becomes an event that keeps the contract, or a rejection
//! that names the field.

#![no_main]

use agent_gateway::conversation::{
    BODY_LIMIT, Delivered, Event, Id, Identity, Kind, OPTIONAL_FIELDS, Reason, Rejection, Status,
};
use agent_gateway_fuzz::{Delivery, is_field};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fuzz_target!(|input: &[u8]| {
    let delivery = Delivery::of(input);
    let delivered = delivery.delivered();
    match delivered.decode() {
        Ok(decoded) => {
            // Who can be told is told of what is left out, and of nothing else.
            assert_eq!(delivered.check().is_ok(), decoded.left_out.is_empty());
            for invalid in &decoded.left_out {
                assert!(OPTIONAL_FIELDS.contains(&&*invalid.field), "{invalid}");
            }
            accepted(delivery.kind, &decoded.event);
        }
        Err(rejection) => {
            assert!(delivered.check().is_err());
            rejected(&delivery, &rejection);
        }
    }
});

fn accepted(kind: Kind, event: &Event) {
    for id in [&event.key.tenant, &event.key.conversation] {
        assert!(Id::parse(id.as_str()).is_ok(), "{id}");
    }
    assert_eq!(event.name.as_str(), kind.as_str());
    assert_eq!(event.event_id, None);
    let payload: Map<String, Value> = serde_json::from_str(event.payload.get()).unwrap();
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let message_id = text("messageId").unwrap();
    assert!((1..=256).contains(&message_id.chars().count()));
    let timestamp = text("timestamp").unwrap();
    assert!(timestamp.ends_with('Z'), "{timestamp}");
    assert!(
        OffsetDateTime::parse(timestamp, &Rfc3339).is_ok(),
        "{timestamp}"
    );
    let allowed: &[&str] = match (kind, event.identity.as_ref().unwrap()) {
        (Kind::InboundMessage, Identity::Inbound(id)) => {
            assert_eq!(**id, *message_id);
            assert!(text("type").is_some());
            &[
                "messageId",
                "type",
                "text",
                "mediaUrl",
                "mediaId",
                "mediaType",
                "fileName",
                "fileSize",
                "from",
                "fromName",
                "replyTo",
                "forwarded",
                "location",
                "contacts",
                "target",
                "emoji",
                "timestamp",
            ]
        }
        (Kind::StatusUpdate, Identity::Status(id, status)) => {
            assert_eq!(**id, *message_id);
            assert_eq!(Status::from_name(text("status").unwrap()), Some(*status));
            &["messageId", "status", "timestamp", "error"]
        }
        (kind, identity) => panic!("{identity:?} of {kind:?}"),
    };
    assert!(
        payload.keys().all(|name| allowed.contains(&&**name)),
        "{payload:?}"
    );
    again(kind, event);
}

/// What agents get is itself a delivery, and becomes the same event.
fn again(kind: Kind, event: &Event) {
    let fields = event.payload.get().strip_prefix('{').unwrap();
    let key = &event.key;
    let body = format!(
        r#"{{"tenantId":"{}","conversationId":"{}",{fields}"#,
        key.tenant, key.conversation
    );
    if body.len() > BODY_LIMIT {
        return;
    }
    let delivered = Delivered::now(kind, body.as_bytes());
    delivered
        .check()
        .unwrap_or_else(|rejection| panic!("{rejection:?}: {body}"));
    let again = delivered.decode().unwrap().event;
    assert_eq!(again.payload.get(), event.payload.get());
    assert_eq!(again.key, event.key);
    assert_eq!(again.identity, event.identity);
}

fn rejected(delivery: &Delivery, rejection: &Rejection) {
    let Delivery { encoding, body, .. } = delivery;
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let is_json = serde_json::from_slice::<&RawValue>(text).is_ok();
    // What is packed is another body than the one here.
    let packed = encoding.is_some();
    let fits = body.len() <= BODY_LIMIT;
    let reason = match rejection.reason {
        Reason::TooLarge => packed || !fits,
        Reason::InvalidJson => fits && (packed || !is_json),
        Reason::InvalidEvent => fits && (packed || is_json),
        Reason::UnsupportedEncoding => packed && fits,
        // The decoder finds fault with deliveries, not with itself.
        _ => false,
    };
    assert!(reason, "{rejection:?}");
    assert_eq!(
        rejection.field.is_some(),
        rejection.reason == Reason::InvalidEvent
    );
    let field = match (rejection.reason, rejection.field.as_deref()) {
        (Reason::UnsupportedEncoding, _) => "content-encoding",
        (_, field) => field.unwrap_or("body"),
    };
    assert!(
        is_field(field) || field == "content-encoding",
        "{field}"
    );
    let sentence = rejection.detail.strip_prefix(field).unwrap();
    let sentence = sentence.strip_prefix(": ").unwrap();
    assert!(
        !sentence.is_empty() && !sentence.contains('\n'),
        "{rejection:?}"
    );
}
