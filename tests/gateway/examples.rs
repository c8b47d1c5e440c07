//! `amqp/examples`: each is decoded as the gateway decodes it, and does what it says.

use std::fs;
use std::path::Path;

use agent_gateway::conversation::{Kind, decode_delivery};
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
    event: Option<Expected>,
    rejection: Option<Rejected>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Properties {
    timestamp: Option<u64>,
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
        let name = path.file_name().unwrap().to_str().unwrap();
        let example: Example = serde_json::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let kind = match &*example.kind {
            "inbound_message" => Kind::InboundMessage,
            "status_update" => Kind::StatusUpdate,
            other => panic!("{name}: {other}"),
        };
        let body = match (&example.body, &example.body_text) {
            (Some(json), None) => json.get(),
            (None, Some(text)) => text,
            _ => panic!("{name}: one of body and bodyText"),
        };
        let decoded = decode_delivery(
            kind,
            body.as_bytes(),
            example.properties.timestamp,
            OffsetDateTime::UNIX_EPOCH,
        );
        match (decoded, example.event, example.rejection) {
            (Ok(event), Some(expected), None) => {
                counts.0 += 1;
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
