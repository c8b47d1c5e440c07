//! What stands in the modelled stream, and the record that it is to the real code.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::value::to_raw_value;
use time::OffsetDateTime;

use crate::conversation::{Accepted, ConversationKey, Epoch, Event, EventName, Id, Identity};
use crate::journal::steps::{Body, Greeting, Outgoing, Purpose, Record, RecordId};

/// A record, in few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stored {
    /// No two have the same.
    pub(super) id: u8,
    /// Of an event: the message that it is of.
    pub(super) message: Option<u8>,
    /// The epoch that whoever wrote it knows; the record that draws one has its own number.
    pub(super) epoch: Option<u8>,
    /// When it was written.
    pub(super) time: u8,
}

/// The conversation that everything happens in.
pub(super) static CONVERSATION: LazyLock<ConversationKey> = LazyLock::new(|| ConversationKey {
    tenant: Id::parse("acme").unwrap(),
    conversation: Id::parse("c-1").unwrap(),
});

impl Stored {
    pub(super) fn outgoing(self, purpose: Purpose) -> Outgoing {
        let none = u8::MAX;
        let bytes = [
            self.id,
            self.message.unwrap_or(none),
            self.epoch.unwrap_or(none),
            self.time,
        ];
        Outgoing {
            id: record_id(self.id),
            body: Bytes::copy_from_slice(&bytes),
            is_notice: purpose == Purpose::Notice,
        }
    }

    pub(super) fn of(outgoing: &Outgoing) -> Self {
        let some = |byte: u8| (byte != u8::MAX).then_some(byte);
        Self {
            id: outgoing.body[0],
            message: some(outgoing.body[1]),
            epoch: some(outgoing.body[2]),
            time: outgoing.body[3],
        }
    }

    pub(super) fn record(self) -> Record {
        let body = match self.message {
            Some(_) => Body::Event(self.event()),
            None if self.epoch == Some(self.id) => Body::Epoch,
            None => Body::Replica(greeting()),
        };
        Record {
            id: record_id(self.id),
            epoch: self.epoch.map(|epoch| Epoch(epoch.into())),
            time: accepted(self.time).at,
            published_before: None,
            body,
        }
    }

    fn event(self) -> Event {
        Event {
            key: CONVERSATION.clone(),
            name: EventName::InboundMessage,
            payload: to_raw_value(&self.id).unwrap(),
            identity: self.message.map(|message| Identity::Inbound(name(message))),
            event_id: None,
            trace: None,
        }
    }
}

fn name(message: u8) -> Arc<str> {
    static NAMES: LazyLock<Vec<Arc<str>>> =
        LazyLock::new(|| (0..8).map(|number| format!("m-{number}").into()).collect());
    NAMES[usize::from(message)].clone()
}

pub(super) fn record_id(id: u8) -> RecordId {
    // Marks are of these bits; 0 is that of what is not known.
    format!("{:x}", u32::from(id) + 1).parse().unwrap()
}

/// A moment of the modelled time.
pub(super) fn accepted(time: u8) -> Accepted {
    // Nothing becomes old while the checker runs.
    static BASE: LazyLock<Instant> = LazyLock::new(|| Instant::now() + Duration::from_hours(24));
    let since = Duration::from_secs(time.into());
    Accepted {
        at: OffsetDateTime::UNIX_EPOCH + since,
        instant: *BASE + since,
    }
}

fn greeting() -> Greeting {
    Greeting {
        replica: String::new(),
        leaving: false,
        prefetch: 2,
        window: 1,
        remembered: 1,
        cursor_key: 0,
        tokens: 0,
    }
}
