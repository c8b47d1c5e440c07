//! `amqp/examples`: each is decoded as the gateway decodes it, and does what it says.

use std::fs;
use std::path::Path;

use agent_gateway::conversation::{Delivered, Kind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Example {
    what: String,
    kind: String,
    #[serde(default)]
    properties: Properties,
    body: Option<Box<RawValue>>,
    body_text: Option<String>,
    /// What is not text.
    body_base64: Option<String>,
    event: Option<Expected>,
    /// The optional fields that the event goes without.
    #[serde(default)]
    left_out: Vec<String>,
    rejection: Option<Rejected>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Properties {
    timestamp: Option<u64>,
    content_encoding: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Expected {
    tenant_id: String,
    conversation_id: String,
    payload: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejected {
    reason: String,
    field: Option<String>,
}

#[test]
fn every_example_delivery_is_decoded_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("amqp/examples");
    let mut counts = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        // Those of other shapes have a folder each.
        if path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let example: Example = serde_json::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let kind = match &*example.kind {
            "inbound_message" => Kind::InboundMessage,
            "status_update" => Kind::StatusUpdate,
            other => panic!("{name}: {other}"),
        };
        let body = match (&example.body, &example.body_text, &example.body_base64) {
            (Some(json), None, None) => json.get().as_bytes().to_vec(),
            (None, Some(text), None) => text.as_bytes().to_vec(),
            (None, None, Some(packed)) => BASE64_STANDARD.decode(packed).unwrap(),
            _ => panic!("{name}: one of body, bodyText and bodyBase64"),
        };
        let delivered = Delivered {
            kind,
            body: &body,
            encoding: example.properties.content_encoding.as_deref(),
            sent_at: example.properties.timestamp,
            arrived_at: OffsetDateTime::UNIX_EPOCH,
        };
        // Who can be told is told of every mistake.
        let flawless = example.event.is_some() && example.left_out.is_empty();
        assert_eq!(delivered.check().is_ok(), flawless, "{name}");
        match (delivered.decode(), example.event, example.rejection) {
            (Ok(decoded), Some(expected), None) => {
                counts.0 += 1;
                let event = decoded.event;
                let left_out: Vec<_> = decoded.left_out.iter().map(|one| &*one.field).collect();
                assert_eq!(left_out, example.left_out, "{name}");
                assert!(name.starts_with("good-"), "{name}");
                assert_eq!(event.name.as_str(), example.kind, "{name}");
                assert_eq!(event.key.tenant.as_str(), expected.tenant_id, "{name}");
                assert_eq!(
                    event.key.conversation.as_str(),
                    expected.conversation_id,
                    "{name}"
                );
                let payload: Value = serde_json::from_str(event.payload.get()).unwrap();
                assert_eq!(payload, expected.payload, "{name}: {}", example.what);
            }
            (Err(rejection), None, Some(expected)) => {
                counts.1 += 1;
                assert!(name.starts_with("bad-"), "{name}");
                assert_eq!(rejection.reason.as_str(), expected.reason, "{name}");
                assert_eq!(
                    rejection.field.as_deref(),
                    expected.field.as_deref(),
                    "{name}: {}",
                    example.what
                );
                if let Some(field) = expected.field {
                    assert!(
                        rejection.detail.starts_with(&field),
                        "{name}: {}",
                        rejection.detail
                    );
                }
            }
            (decoded, ..) => panic!("{name} ({}): {decoded:?}", example.what),
        }
    }
    assert!(counts.0 >= 10 && counts.1 >= 20, "{counts:?}");
}
