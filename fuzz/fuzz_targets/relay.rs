//! The relay: whatever the portal posts is taken in, once, or refused with the field's name.

#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use agent_gateway::conversation::{
    Cursor, CursorKey, Decoder, Epoch, Hub, Kind, WindowLimits,
};
use agent_gateway::journal::{Journal, MemoryJournal, Published};
use agent_gateway::source::counts::EventCounts;
use agent_gateway::source::relay::{RelayError, emit};
use agent_gateway::trace::Span;
use agent_gateway_fuzz::{Delivery, is_field};
use futures_util::FutureExt as _;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

/// One for all inputs, as in life: an input may repeat what another has begun.
static JOURNAL: LazyLock<Journal> = LazyLock::new(|| {
    let limits = WindowLimits {
        age: Duration::from_secs(600),
        events: 64,
        bytes: 4 << 20,
        lag_bytes: 0,
        remembered: WindowLimits::MIN_REMEMBERED,
        shared: false,
    };
    let hub = Hub::new(Epoch(1), &CursorKey::random(), limits);
    Journal::Memory(MemoryJournal::new(Arc::new(hub)))
});

fuzz_target!(|input: &[u8]| {
    let Delivery { kind, body, .. } = Delivery::of(input);
    take(&body);
    if let Some(emit) = as_emit(kind, &body) {
        take(&emit);
    }
});

fn take(body: &[u8]) {
    match publish(body) {
        Ok(Published::New(cursor)) => {
            assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
            match publish(body) {
                Ok(Published::Duplicate(first)) => assert_eq!(first, cursor),
                // Without an id of any kind, twice the same is two events.
                Ok(Published::New(next)) => assert_ne!(next, cursor),
                other => panic!("{other:?} after {cursor}"),
            }
        }
        Ok(Published::Duplicate(_) | Published::Stale(_)) => {}
        // A journal in memory gives each event its place, and takes all of them.
        Ok(Published::Early(_)) | Err(RelayError::Unavailable) => panic!("the journal is in memory"),
        Err(RelayError::InvalidJson(reason)) => {
            let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
            assert!(serde_json::from_slice::<&serde_json::value::RawValue>(text).is_err());
            assert!(!reason.is_empty());
        }
        Err(RelayError::Invalid(invalid)) => {
            let field = invalid.field.strip_prefix("payload.");
            let field = field.unwrap_or(&invalid.field);
            assert!(
                is_field(field) || ["event", "eventId", "payload"].contains(&field),
                "{field}"
            );
            assert!(!invalid.reason.is_empty());
        }
    }
}

fn publish(body: &[u8]) -> Result<Published, RelayError> {
    let (decoder, counts) = (Decoder::default(), EventCounts::default());
    let mut span = Span::of_request("POST", "/internal/emit", None);
    // The journal of one process waits for nobody.
    let published = emit(&JOURNAL, &decoder, &counts, body, &mut span).now_or_never();
    published.unwrap()
}

/// The same event, as the portal would post it.
fn as_emit(kind: Kind, body: &[u8]) -> Option<Vec<u8>> {
    let mut payload: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let emit = json!({
        "tenantId": payload.remove("tenantId"),
        "conversationId": payload.remove("conversationId"),
        "eventId": payload.get("messageId"),
        "event": kind.as_str(),
        "payload": payload,
    });
    Some(emit.to_string().into_bytes())
}
