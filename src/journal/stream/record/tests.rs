//! Records come back as they were.

use serde_json::json;
use serde_json::value::RawValue;

use super::*;
use crate::conversation::{ConversationKey, Delivered, EventName, Id, Kind};
use crate::trace::TraceContext;

fn round(body: Body) -> Record {
    let record = Record {
        published_before: Some(Duration::from_millis(1_500)),
        ..Record::new(Some(Epoch(7)), body)
    };
    let read = Record::decode(&record.encode().unwrap()).unwrap();
    assert_eq!(
        (read.id, read.epoch, read.time, read.published_before),
        (
            record.id,
            record.epoch,
            record.time,
            record.published_before
        )
    );
    read
}

#[test]
fn an_event_comes_back_as_it_was() {
    let message = json!({
        "tenantId": "acme", "conversationId": "c-1", "messageId": "m-1", "text": "hä \"x\"",
    });
    let status = json!({
        "tenantId": "acme", "conversationId": "c-1", "messageId": "m-1", "status": "read",
    });
    for (kind, body) in [
        (Kind::InboundMessage, &message),
        (Kind::OutboundMessage, &message),
        (Kind::StatusUpdate, &status),
    ] {
        let body = body.to_string();
        let event = Delivered::now(kind, body.as_bytes())
            .decode()
            .unwrap()
            .event;
        let Body::Event(read) = round(Body::Event(event.clone())).body else {
            panic!("no event");
        };
        assert_eq!(format!("{read:?}"), format!("{event:?}"));
    }
    let event = Event {
        key: ConversationKey {
            tenant: Id::parse("acme").unwrap(),
            conversation: Id::parse("c-1").unwrap(),
        },
        name: EventName::Other("note".into()),
        payload: RawValue::from_string("{\"a\": 1.0}".to_owned()).unwrap(),
        identity: None,
        event_id: Some("e-1".into()),
        trace: TraceContext::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    };
    let Body::Event(read) = round(Body::Event(event.clone())).body else {
        panic!("no event");
    };
    assert_eq!(format!("{read:?}"), format!("{event:?}"));
}

#[test]
fn a_disconnect_comes_back_as_it_was() {
    let selection = Selection {
        tenant: Id::parse("acme").unwrap(),
        conversation: None,
        agent: Some("ada".to_owned()),
    };
    let Body::Disconnect(read) = round(Body::Disconnect(selection.clone())).body else {
        panic!("no disconnect");
    };
    assert_eq!(read, selection);
}

#[test]
fn what_another_version_writes_is_passed_by_and_what_is_no_record_is_told() {
    let other = json!({
        "id": "0a", "kind": "weather", "time": 1, "more": {"a": [1]},
    });
    let read = Record::decode(other.to_string().as_bytes()).unwrap();
    assert!(matches!((read.body, read.epoch), (Body::Unknown, None)));
    for body in [
        json!([]),
        json!({"kind": "event"}),
        json!({"id": "x", "kind": "epoch", "time": 1}),
        json!({"id": "1", "kind": "epoch", "time": 1, "epoch": "?"}),
        json!({"id": "1", "kind": "event", "time": 1}),
        json!({"id": "1", "kind": "disconnect", "time": 1, "disconnect": {"tenantId": "/"}}),
    ] {
        assert!(
            Record::decode(body.to_string().as_bytes()).is_err(),
            "{body}"
        );
    }
}
