//! The decoder against whatever anybody may send.

use agent_gateway::conversation::{
    Decoded, Delivered, Event, Kind, OPTIONAL_FIELDS, Reason, Rejection,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::OffsetDateTime;

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::InboundMessage), Just(Kind::StatusUpdate)]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(".{0,6}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

const FIELDS: [&str; 21] = [
    "tenantId",
    "conversationId",
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
    "status",
    "error",
    "timestamp",
];

/// Those that what they lie in cannot do without.
const REQUIRED_WITHIN: [&str; 4] = [
    "replyTo.messageId",
    "location.latitude",
    "location.longitude",
    "contacts.name",
];

fn good(kind: Kind) -> Value {
    let mut body = json!({
        "tenantId": "acme", "conversationId": "c-1", "messageId": "m-1", "timestamp": 1_714_557_600,
    });
    match kind {
        Kind::InboundMessage | Kind::OutboundMessage => body["text"] = "hi".into(),
        Kind::StatusUpdate => body["status"] = "failed".into(),
    }
    body
}

fn delivered(kind: Kind, body: &[u8]) -> Delivered<'_> {
    Delivered {
        arrived_at: OffsetDateTime::UNIX_EPOCH,
        ..Delivered::now(kind, body)
    }
}

fn decode(kind: Kind, body: &[u8]) -> Result<Event, Rejection> {
    Ok(delivered(kind, body).decode()?.event)
}

/// What agents get of an event.
fn payload(event: &Event) -> Value {
    serde_json::from_str(event.payload.get()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_an_event_or_have_a_reason(
        kind in kind(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        sent_at in proptest::option::of(any::<u64>()),
    ) {
        let decoded = Delivered { sent_at, ..delivered(kind, &body) }.decode();
        let is_json = serde_json::from_slice::<Value>(&body).is_ok();
        match decoded {
            Ok(_) => prop_assert!(is_json),
            Err(rejection) => {
                prop_assert!(!rejection.detail.is_empty());
                if !is_json {
                    prop_assert!(rejection.reason != Reason::TooLarge);
                }
            }
        }
    }

    #[test]
    fn a_field_of_any_other_value_is_taken_or_named(
        kind in kind(),
        field in proptest::sample::select(&FIELDS[..]),
        value in any_json(),
    ) {
        let mut body = good(kind);
        body[field] = value;
        let body = body.to_string();
        let strict = delivered(kind, body.as_bytes()).check();
        match delivered(kind, body.as_bytes()).decode() {
            Ok(Decoded { event, left_out }) => {
                // What goes out is JSON again, and never more than the contract's fields.
                for name in payload(&event).as_object().unwrap().keys() {
                    prop_assert!(FIELDS[2..].contains(&&**name), "{}", name);
                }
                // What was left out is named where somebody can be told.
                for invalid in &left_out {
                    prop_assert!(OPTIONAL_FIELDS.contains(&&*invalid.field), "{}", invalid);
                    prop_assert!(invalid.field.split('.').next() == Some(field), "{}", invalid);
                }
                let first = left_out.first().map(ToString::to_string);
                prop_assert_eq!(strict.err().map(|rejection| rejection.detail), first);
            }
            Err(rejection) => {
                prop_assert_eq!(rejection.reason, Reason::InvalidEvent);
                prop_assert!(strict.is_err());
                // What can be read of it is told, whatever else is wrong.
                let about = &rejection.about;
                let read = |name, value: Option<&str>, there| {
                    value == (name != field).then_some(there)
                };
                prop_assert!(read("tenantId", about.tenant.as_ref().map(|id| id.as_str()), "acme"));
                prop_assert!(read("messageId", about.message_id.as_deref(), "m-1"));
                let named = rejection.field.unwrap();
                prop_assert!(&*named == field || named.starts_with(&format!("{field}.")), "{}", rejection.detail);
                prop_assert!(rejection.detail.starts_with(&*named));
            }
        }
    }

    #[test]
    fn text_arrives_as_it_was_sent(text in "(?s).+", id in ".{1,64}") {
        let mut body = good(Kind::InboundMessage);
        body["text"] = text.clone().into();
        body["messageId"] = id.clone().into();
        let event = decode(Kind::InboundMessage, body.to_string().as_bytes()).unwrap();
        let payload = payload(&event);
        prop_assert_eq!(&payload["text"], &text);
        prop_assert_eq!(&payload["messageId"], &id);
    }

    #[test]
    fn an_optional_field_that_is_empty_is_absent(
        kind in kind(),
        field in proptest::sample::select(&OPTIONAL_FIELDS[..]),
    ) {
        let mut body = good(kind);
        prop_assume!(!REQUIRED_WITHIN.contains(&field));
        if kind == Kind::InboundMessage {
            body["mediaUrl"] = "https://media.test/1".into();
            body["replyTo"] = json!({"messageId": "m-0"});
            body["location"] = json!({"latitude": 1, "longitude": 2});
        }
        let mut without = body.clone();
        match field.split_once('.') {
            Some(("contacts", field)) => {
                body["contacts"] = json!([{"name": "Ada", field: ""}]);
                without["contacts"] = json!([{"name": "Ada"}]);
            }
            Some((object, field)) => {
                let mut within = body[object].as_object().cloned().unwrap_or_default();
                without[object] = json!(within);
                within.insert(field.to_owned(), "".into());
                body[object] = json!(within);
            }
            None => {
                body[field] = "".into();
                without.as_object_mut().unwrap().remove(field);
            }
        }
        prop_assert!(delivered(kind, body.to_string().as_bytes()).check().is_ok());
        let with = decode(kind, body.to_string().as_bytes()).unwrap();
        let without = decode(kind, without.to_string().as_bytes()).unwrap();
        prop_assert_eq!(payload(&with), payload(&without));
    }

    #[test]
    fn a_moment_is_the_same_in_every_form(seconds in 0_i64..99_999_999_999, millis in 0_i64..1_000) {
        let total = i128::from(seconds) * 1_000 + i128::from(millis);
        let at = OffsetDateTime::from_unix_timestamp_nanos(total * 1_000_000).unwrap();
        let format = &time::format_description::well_known::Rfc3339;
        let expected = at.format(format).unwrap();
        let mut forms = vec![json!(expected)];
        if total >= 100_000_000_000 {
            forms.extend([json!(total as u64), json!(total.to_string())]);
        }
        if millis == 0 {
            forms.extend([json!(seconds), json!(seconds.to_string())]);
        }
        for form in forms {
            let mut body = good(Kind::StatusUpdate);
            body["timestamp"] = form;
            let event = decode(Kind::StatusUpdate, body.to_string().as_bytes()).unwrap();
            prop_assert_eq!(&payload(&event)["timestamp"], &expected);
        }
    }
}
