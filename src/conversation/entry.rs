//! An event that the journal has taken.

use std::sync::OnceLock;
use std::time::Instant;

use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::cursor::{Cursor, Position};
use super::event::EventName;
use super::timestamp::rfc3339;

/// One entry of a window. Everything that goes out to members is rendered once.
#[derive(Debug)]
pub struct Entry {
    /// Where it stands in the journal.
    pub position: Position,
    /// When it was accepted, by the clock that never jumps.
    pub accepted: Instant,
    /// The Socket.IO event.
    pub name: EventName,
    /// The first argument of the Socket.IO event.
    pub payload: Box<RawValue>,
    meta: String,
    live: OnceLock<Box<RawValue>>,
    replayed: OnceLock<Box<RawValue>>,
}

impl Entry {
    /// What an entry costs besides its texts: the structure itself, its place in the window and
    /// the allocator's rounding, in bytes.
    const OVERHEAD: usize = 320;

    /// Puts the event at its position. `at` is the wall clock's time for people to read.
    pub(super) fn new(
        cursor: Cursor,
        position: Position,
        accepted: Instant,
        at: OffsetDateTime,
        name: EventName,
        payload: Box<RawValue>,
    ) -> Self {
        Self {
            position,
            accepted,
            name,
            payload,
            // Neither needs escaping in JSON.
            meta: format!(r#""cursor":"{cursor}","at":"{}""#, rfc3339(at)),
            live: OnceLock::new(),
            replayed: OnceLock::new(),
        }
    }

    /// The second argument of the Socket.IO event, for a member that sees it happen or for one
    /// that gets it from the window.
    pub fn meta(&self, replayed: bool) -> &RawValue {
        if replayed {
            self.replayed
                .get_or_init(|| raw(format!(r#"{{{},"replayed":true}}"#, self.meta)))
        } else {
            self.live.get_or_init(|| raw(format!("{{{}}}", self.meta)))
        }
    }

    /// What the entry counts against the bounds of the window, in bytes.
    pub fn cost(&self) -> usize {
        // The meta may be kept three times: as it is, and for each kind of member.
        Self::OVERHEAD + self.payload.get().len() + 3 * self.meta.len()
    }
}

fn raw(json: String) -> Box<RawValue> {
    // The text is made above of parts that need no escaping, so that it always is JSON.
    RawValue::from_string(json).unwrap_or_default()
}
