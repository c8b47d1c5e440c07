//! Where an event stands in the journal, and the form in which clients hold on to that.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::id::ConversationKey;

/// An event's place in the journal. Positions grow; within one [`Epoch`] none is given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// Names one life of a journal. Positions of different epochs have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(pub u64);

/// What a client gives back to resume: a position, bound to the epoch and to the conversation, so
/// that neither a restarted journal nor another conversation takes it for one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    epoch: u64,
    conversation: u64,
    position: u64,
}

/// A conversation's part of its cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CursorSpace {
    epoch: u64,
    conversation: u64,
}

impl CursorSpace {
    /// The cursors of `key` in `epoch`: the same in every process and in every release.
    pub(super) fn new(epoch: Epoch, key: &ConversationKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(epoch.0.to_be_bytes());
        // No id contains a slash, so that no two pairs hash the same text.
        hash.update(key.tenant.as_str());
        hash.update(b"/");
        hash.update(key.conversation.as_str());
        let digest = hash.finalize();
        let conversation = digest
            .iter()
            .take(8)
            .fold(0, |tag, &byte| (tag << 8) | u64::from(byte));
        Self {
            epoch: epoch.0,
            conversation,
        }
    }

    pub(super) fn cursor(self, position: Position) -> Cursor {
        Cursor {
            epoch: self.epoch,
            conversation: self.conversation,
            position: position.0,
        }
    }

    /// The position that `cursor` stands for, if it is one of this space.
    pub(super) fn position(self, cursor: Cursor) -> Option<Position> {
        let Self {
            epoch,
            conversation,
        } = self;
        (cursor.epoch == epoch && cursor.conversation == conversation)
            .then_some(Position(cursor.position))
    }
}

impl Cursor {
    /// Reads what [`Display`](fmt::Display) wrote; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 24];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        if length != bytes.len() {
            return None;
        }
        let number = |from: usize| {
            bytes[from..from + 8]
                .iter()
                .fold(0, |number, &byte| (number << 8) | u64::from(byte))
        };
        Some(Self {
            epoch: number(0),
            conversation: number(8),
            position: number(16),
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.epoch.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.conversation.to_be_bytes());
        bytes[16..].copy_from_slice(&self.position.to_be_bytes());
        let mut text = [0; 32];
        let length = URL_SAFE_NO_PAD
            .encode_slice(bytes, &mut text)
            .map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text[..length]).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::id::Id;
    use super::*;

    fn space(epoch: u64, tenant: &str, conversation: &str) -> CursorSpace {
        let key = ConversationKey {
            tenant: Id::parse(tenant).unwrap(),
            conversation: Id::parse(conversation).unwrap(),
        };
        CursorSpace::new(Epoch(epoch), &key)
    }

    #[test]
    fn a_cursor_survives_the_way_to_the_client_and_back() {
        let space = space(u64::MAX, "acme", "c-1");
        for position in [0, 1, u64::MAX] {
            let text = space.cursor(Position(position)).to_string();
            assert_eq!(text.len(), 32);
            let cursor = Cursor::parse(&text).unwrap();
            assert_eq!(space.position(cursor), Some(Position(position)));
        }
    }

    #[test]
    fn a_cursor_of_another_conversation_or_epoch_is_none_of_ours() {
        let cursor = space(1, "acme", "c-1").cursor(Position(7));
        for other in [
            space(2, "acme", "c-1"),
            space(1, "acme", "c-2"),
            space(1, "other", "c-1"),
            space(1, "acm", "ec-1"),
        ] {
            assert_eq!(other.position(cursor), None);
        }
    }

    #[test]
    fn other_texts_are_no_cursor() {
        for text in [
            "",
            "0",
            "null",
            "????????????????????????????????",
            &"A".repeat(31),
            &"A".repeat(33),
            &"A".repeat(128),
        ] {
            assert_eq!(Cursor::parse(text), None, "{text:?}");
        }
    }
}
