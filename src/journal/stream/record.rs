//! What stands in the stream: one JSON object a record, with everything that counts in its body.
//! (A stream keeps no tables of headers.)

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::greeting::Greeting;
use crate::conversation::{
    ConversationKey, Epoch, Event, EventName, Id, Identity, Mark, Selection, Status,
};
use crate::trace::TraceContext;

/// Names a record, wherever in the stream it stands, and however often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RecordId(u128);

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: RecordId,
    /// The epoch of the stream, as far as whoever wrote the record knew it.
    pub(super) epoch: Option<Epoch>,
    /// When it was written, by the clock of whoever wrote it; whole milliseconds.
    pub(super) time: OffsetDateTime,
    /// How long before that its event was published, as the publisher says; whole milliseconds.
    pub(super) published_before: Option<Duration>,
    pub(super) body: Body,
}

/// What a record says.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// An event.
    Event(Event),
    /// These members are to be disconnected.
    Disconnect(Selection),
    /// A replica is there.
    Replica(Greeting),
    /// The epoch that a replica has drawn for a stream of which it knows none.
    Epoch,
    /// What another version has written.
    Unknown,
}

/// Why a body is no record.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidRecord {
    #[error("it is not JSON of a record's form ({0})")]
    Json(#[from] serde_json::Error),
    #[error("its {0} is not as it should be")]
    Field(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    id: String,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
    /// Milliseconds since 1970.
    time: i64,
    /// Milliseconds before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    event: Option<WireEvent<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disconnect: Option<WireSelection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replica: Option<Greeting>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEvent<'a> {
    #[serde(borrow)]
    tenant_id: Cow<'a, str>,
    #[serde(borrow)]
    conversation_id: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    /// Of a message or a status: what it repeats, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<Cow<'a, str>>,
    /// The trace that the event belongs to, as `traceparent` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSelection {
    tenant_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
}

impl RecordId {
    pub(super) fn random() -> Self {
        Self(rand::random())
    }

    /// What tells the record from another at its position.
    pub(super) fn mark(self) -> Mark {
        // Of random bits any are as good as others.
        Mark(self.0 as u32)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for RecordId {
    type Err = InvalidRecord;

    fn from_str(text: &str) -> Result<Self, InvalidRecord> {
        let id = u128::from_str_radix(text, 16);
        id.map(Self).map_err(|_| InvalidRecord::Field("id"))
    }
}

impl Record {
    /// A new one, of now.
    pub(super) fn new(epoch: Option<Epoch>, body: Body) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            id: RecordId::random(),
            epoch,
            time: now.replace_millisecond(now.millisecond()).unwrap_or(now),
            published_before: None,
            body,
        }
    }

    /// Has an event that nothing else is known by be known by its record: what is appended again,
    /// because a confirm was lost, is then a repeat.
    pub(super) fn known_by_itself(mut self) -> Self {
        if let Body::Event(event) = &mut self.body
            && event.identity.is_none()
            && event.event_id.is_none()
        {
            event.event_id = Some(format!("record {}", self.id).into());
        }
        self
    }

    /// The record as it stands in the stream.
    pub(super) fn encode(&self) -> Result<Vec<u8>, InvalidRecord> {
        let mut wire = Wire {
            id: self.id.to_string(),
            kind: self.body.kind(),
            epoch: self.epoch.map(|epoch| format!("{:016x}", epoch.0)),
            time: milliseconds(self.time),
            published: self
                .published_before
                .map(|before| before.as_millis() as u64),
            event: None,
            disconnect: None,
            replica: None,
        };
        match &self.body {
            Body::Event(event) => wire.event = Some(WireEvent::of(event)),
            Body::Disconnect(selection) => wire.disconnect = Some(selection.into()),
            Body::Replica(greeting) => wire.replica = Some(greeting.clone()),
            Body::Epoch | Body::Unknown => {}
        }
        Ok(serde_json::to_vec(&wire)?)
    }

    /// Reads what [`encode`](Self::encode) wrote, perhaps of another version.
    pub(super) fn decode(body: &[u8]) -> Result<Self, InvalidRecord> {
        let wire: Wire<'_> = serde_json::from_slice(body)?;
        let time = i128::from(wire.time) * 1_000_000;
        let time = OffsetDateTime::from_unix_timestamp_nanos(time);
        let field = InvalidRecord::Field;
        let epoch = |text: String| {
            let epoch = u64::from_str_radix(&text, 16);
            epoch.map(Epoch).map_err(|_| field("epoch"))
        };
        Ok(Self {
            id: wire.id.parse()?,
            epoch: wire.epoch.map(epoch).transpose()?,
            time: time.map_err(|_| field("time"))?,
            published_before: wire.published.map(Duration::from_millis),
            body: match wire.kind {
                "event" => Body::Event(wire.event.ok_or(field("event"))?.event()?),
                "disconnect" => {
                    let disconnect = wire.disconnect.ok_or(field("disconnect"))?;
                    Body::Disconnect(disconnect.selection()?)
                }
                "replica" => Body::Replica(wire.replica.ok_or(field("replica"))?),
                "epoch" => Body::Epoch,
                _ => Body::Unknown,
            },
        })
    }
}

impl Body {
    fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "event",
            Self::Disconnect(_) => "disconnect",
            Self::Replica(_) => "replica",
            Self::Epoch => "epoch",
            Self::Unknown => "unknown",
        }
    }
}

fn milliseconds(time: OffsetDateTime) -> i64 {
    // Within the years that a time may have, it fits.
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

impl<'a> WireEvent<'a> {
    fn of(event: &'a Event) -> Self {
        let status = match event.identity {
            Some(Identity::Status(_, status)) => Some(status),
            _ => None,
        };
        let message_id = event.identity.as_ref().map(Identity::message_id);
        Self {
            tenant_id: event.key.tenant.as_str().into(),
            conversation_id: event.key.conversation.as_str().into(),
            event: event.name.as_str().into(),
            message_id: message_id.map(|id| Cow::Borrowed(&**id)),
            status,
            event_id: event.event_id.as_deref().map(Cow::Borrowed),
            trace: event.trace.map(|trace| trace.to_string()),
            payload: &event.payload,
        }
    }

    fn event(self) -> Result<Event, InvalidRecord> {
        let name = match &*self.event {
            "inbound_message" => EventName::InboundMessage,
            "status_update" => EventName::StatusUpdate,
            other => EventName::Other(other.into()),
        };
        let message_id = self.message_id.map(|id| (*id).into());
        let identity = match (&name, message_id, self.status) {
            (_, None, _) => None,
            (_, Some(id), Some(status)) => Some(Identity::Status(id, status)),
            (EventName::InboundMessage, Some(id), None) => Some(Identity::Inbound(id)),
            (_, Some(id), None) => Some(Identity::Outbound(id)),
        };
        Ok(Event {
            key: ConversationKey {
                tenant: id(&self.tenant_id, "event.tenantId")?,
                conversation: id(&self.conversation_id, "event.conversationId")?,
            },
            name,
            payload: self.payload.to_owned(),
            identity,
            event_id: self.event_id.map(|id| (*id).into()),
            trace: self
                .trace
                .and_then(|trace| TraceContext::parse(trace.as_bytes())),
        })
    }
}

impl From<&Selection> for WireSelection {
    fn from(selection: &Selection) -> Self {
        Self {
            tenant_id: selection.tenant.to_string(),
            conversation_id: selection.conversation.as_ref().map(Id::to_string),
            agent_id: selection.agent.clone(),
        }
    }
}

impl WireSelection {
    fn selection(self) -> Result<Selection, InvalidRecord> {
        let conversation = self.conversation_id.as_deref();
        let conversation = conversation.map(|text| id(text, "disconnect.conversationId"));
        Ok(Selection {
            tenant: id(&self.tenant_id, "disconnect.tenantId")?,
            conversation: conversation.transpose()?,
            agent: self.agent_id,
        })
    }
}

fn id(text: &str, field: &'static str) -> Result<Id, InvalidRecord> {
    Id::parse(text).map_err(|_| InvalidRecord::Field(field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::{Delivered, Kind};

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
}
