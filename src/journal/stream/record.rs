//! What stands in the stream: one JSON object a record, with everything that counts in its body.
//! (A stream keeps no tables of headers.)

mod wire;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use time::OffsetDateTime;

use super::greeting::Greeting;
use crate::conversation::{Epoch, Event, Mark, Selection};
use wire::{Wire, WireEvent};

/// Names a record, wherever in the stream it stands, and however often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordId(u128);

/// A record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: RecordId,
    /// The epoch of the stream, as far as whoever wrote the record knew it.
    pub(crate) epoch: Option<Epoch>,
    /// When it was written, by the clock of whoever wrote it; whole milliseconds.
    pub(crate) time: OffsetDateTime,
    /// How long before that its event was published, as the publisher says; whole milliseconds.
    pub(crate) published_before: Option<Duration>,
    pub(crate) body: Body,
}

/// What a record says.
#[derive(Debug, Clone)]
pub(crate) enum Body {
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
pub(crate) enum InvalidRecord {
    #[error("it is not JSON of a record's form ({0})")]
    Json(#[from] serde_json::Error),
    #[error("its {0} is not as it should be")]
    Field(&'static str),
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

#[cfg(test)]
mod tests;
