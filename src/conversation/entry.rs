//! An event that the journal has taken.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;
use std::time::Instant;

use bytes::Bytes;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::cursor::{Cursor, Position};
use super::event::EventName;
use super::timestamp::rfc3339;
use crate::frame;
use crate::trace::TraceContext;

/// One entry of a window. What goes out to members is rendered once, and shared by all of them.
#[derive(Debug)]
pub struct Entry {
    /// Where it stands in the journal.
    pub position: Position,
    /// When it was accepted, by the clock that never jumps.
    pub accepted: Instant,
    /// The Socket.IO event.
    pub name: EventName,
    /// A WebSocket frame with the EVENT packet of the root namespace. Everything else that is said
    /// of the event is made of its parts.
    root: Bytes,
    /// Where the first argument stands in it, and where the second.
    payload: Range<usize>,
    meta: Range<usize>,
    /// The same for the conversation's own namespace, once a member wants it.
    namespaced: OnceLock<Bytes>,
}

/// The Engine.IO message and the Socket.IO EVENT packet begin like this.
const EVENT: &[u8] = b"42";

/// What the second argument of a replayed event has more, with the ends of what it is put into.
const REPLAYED: &[u8] = br#","replayed":true}]"#;

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
        payload: &RawValue,
        trace: Option<TraceContext>,
    ) -> Self {
        let payload = payload.get().as_bytes();
        // None of these needs escaping in JSON.
        let head = format!("[\"{}\",", name.as_str());
        let at = rfc3339(at);
        let meta = match trace {
            None => format!(r#"{{"cursor":"{cursor}","at":"{at}"}}"#),
            Some(trace) => format!(r#"{{"cursor":"{cursor}","at":"{at}","trace":"{trace}"}}"#),
        };
        let parts = [EVENT, head.as_bytes(), payload, b",", meta.as_bytes(), b"]"];
        let root = frame::text(&parts);
        let end = root.len() - 1;
        let meta = end - meta.len()..end;
        let payload = meta.start - 1 - payload.len()..meta.start - 1;
        Self {
            position,
            accepted,
            name,
            root,
            payload,
            meta,
            namespaced: OnceLock::new(),
        }
    }

    /// A WebSocket frame with the EVENT packet for the root namespace, or for a conversation's own
    /// `namespace`; `replayed` for a member that did not see it happen.
    pub fn frame(&self, namespace: Option<&str>, replayed: bool) -> Bytes {
        match (namespace, replayed) {
            (None, false) => self.root.clone(),
            (Some(namespace), false) => self
                .namespaced
                .get_or_init(|| self.encode(Some(namespace), false))
                .clone(),
            (namespace, true) => self.encode(namespace, true),
        }
    }

    fn encode(&self, namespace: Option<&str>, replayed: bool) -> Bytes {
        let array = self.payload.start - self.head_length();
        let (arguments, end) = match replayed {
            true => (&self.root[array..self.meta.end - 1], REPLAYED),
            false => (&self.root[array..], &[][..]),
        };
        match namespace {
            None => frame::text(&[EVENT, arguments, end]),
            Some(namespace) => frame::text(&[EVENT, namespace.as_bytes(), b",", arguments, end]),
        }
    }

    /// The length of what stands before the payload in the packet's array: `["name",`.
    fn head_length(&self) -> usize {
        self.name.as_str().len() + r#"["","#.len()
    }

    /// The first argument of the Socket.IO event, as JSON.
    pub fn payload(&self) -> &str {
        self.part(self.payload.clone())
    }

    /// The second one.
    pub fn meta(&self, replayed: bool) -> Cow<'_, str> {
        let meta = self.part(self.meta.clone());
        match replayed {
            true => Cow::Owned(format!(r#"{},"replayed":true}}"#, &meta[..meta.len() - 1])),
            false => Cow::Borrowed(meta),
        }
    }

    fn part(&self, range: Range<usize>) -> &str {
        // Both are made of texts, above.
        std::str::from_utf8(&self.root[range]).unwrap_or_default()
    }

    /// What the entry counts against the bounds of the window, in bytes.
    pub fn cost(&self) -> usize {
        // The frame may be kept twice: for each kind of namespace.
        Self::OVERHEAD + 2 * self.root.len()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;
    use crate::conversation::cursor::{CursorKey, CursorSpace, Epoch, Mark, Seal};
    use crate::conversation::{ConversationKey, Id};

    fn entry(payload: &str, trace: Option<TraceContext>) -> Entry {
        let key = ConversationKey {
            tenant: Id::parse("t").unwrap(),
            conversation: Id::parse("c").unwrap(),
        };
        let cursors = CursorSpace::new(&Seal::new(Epoch(7), &CursorKey::random()), &key);
        Entry::new(
            cursors.cursor(Position(1), Mark(0)),
            Position(1),
            Instant::now(),
            OffsetDateTime::UNIX_EPOCH,
            EventName::Other("note".into()),
            &to_raw_value(payload).unwrap(),
            trace,
        )
    }

    /// The packet within a frame.
    fn packet(frame: &Bytes) -> String {
        let frame = frame::split(frame).next().unwrap();
        String::from_utf8(frame.text.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn every_form_of_the_packet_says_the_same() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceContext::parse(trace.as_bytes());
        let traced = format!(r#"T00:00:00Z","trace":"{trace}"}}"#);
        for (payload, trace, end) in [
            ("", None, r#"T00:00:00Z"}"#),
            ("hä", context, &traced),
            (&"x".repeat(70_000), None, r#"T00:00:00Z"}"#),
        ] {
            let entry = entry(payload, trace);
            let json = to_raw_value(payload).unwrap();
            assert_eq!(entry.payload(), json.get());
            let live = entry.meta(false).into_owned();
            let replayed = entry.meta(true).into_owned();
            assert!(
                live.starts_with(r#"{"cursor":""#) && live.ends_with(end),
                "{live}"
            );
            assert_eq!(replayed, live.replace('}', r#","replayed":true}"#));
            for (is_replayed, meta) in [(false, &live), (true, &replayed)] {
                for (namespace, prefix) in [(None, ""), (Some("/a"), "/a,")] {
                    let expected = format!("42{prefix}[\"note\",{json},{meta}]");
                    assert_eq!(packet(&entry.frame(namespace, is_replayed)), expected);
                }
            }
        }
    }

    #[test]
    fn live_frames_are_encoded_once() {
        let entry = entry("x", None);
        for namespace in [None, Some("/a")] {
            let (one, other) = (entry.frame(namespace, false), entry.frame(namespace, false));
            assert_eq!(one.as_ptr(), other.as_ptr());
        }
    }
}
