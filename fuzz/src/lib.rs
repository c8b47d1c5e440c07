//! What the targets share: the deliveries in `amqp/examples` are their first inputs, as they are.

use serde::Deserialize;
use serde_json::value::RawValue;

use agent_gateway::conversation::{Delivered, Kind, OPTIONAL_FIELDS};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use time::OffsetDateTime;

/// A delivery, as a file in `amqp/examples` describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Example<'a> {
    #[serde(borrow)]
    kind: &'a str,
    #[serde(default)]
    properties: Properties,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    body_text: Option<String>,
    body_base64: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    timestamp: Option<u64>,
    content_encoding: Option<String>,
}

/// What a queue delivers.
pub struct Delivery {
    /// By the queue.
    pub kind: Kind,
    /// The AMQP timestamp.
    pub sent_at: Option<u64>,
    /// The AMQP content-encoding.
    pub encoding: Option<String>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Delivery {
    /// The delivery that an example describes. Any other input is the body of one itself, so that
    /// bodies need not be text; its last bit chooses the kind.
    pub fn of(input: &[u8]) -> Self {
        if let Some(described) = Self::described(input) {
            return described;
        }
        let kind = match input.last() {
            Some(last) if last % 2 == 1 => Kind::StatusUpdate,
            _ => Kind::InboundMessage,
        };
        Self {
            kind,
            sent_at: None,
            encoding: None,
            body: input.to_vec(),
        }
    }

    fn described(input: &[u8]) -> Option<Self> {
        let example: Example<'_> = serde_json::from_slice(input).ok()?;
        let kind = match example.kind {
            "inbound_message" => Kind::InboundMessage,
            "status_update" => Kind::StatusUpdate,
            _ => return None,
        };
        let body = match (example.body, example.body_text, example.body_base64) {
            (Some(json), ..) => json.get().as_bytes().to_vec(),
            (None, Some(text), _) => text.into_bytes(),
            (None, None, packed) => BASE64_STANDARD.decode(packed?).ok()?,
        };
        Some(Self {
            kind,
            sent_at: example.properties.timestamp,
            encoding: example.properties.content_encoding,
            body,
        })
    }

    /// The same, as the decoder is given it.
    pub fn delivered(&self) -> Delivered<'_> {
        Delivered {
            kind: self.kind,
            body: &self.body,
            encoding: self.encoding.as_deref(),
            sent_at: self.sent_at,
            arrived_at: OffsetDateTime::UNIX_EPOCH,
        }
    }
}

/// The fields that an event cannot do without, as a mistake names them; `body` is the whole.
pub const REQUIRED_FIELDS: [&str; 5] = [
    "body",
    "tenantId",
    "conversationId",
    "messageId",
    "status",
];

/// Whether a mistake in this place is one that the contract knows.
pub fn is_field(name: &str) -> bool {
    REQUIRED_FIELDS.contains(&name) || OPTIONAL_FIELDS.contains(&name)
}
