//! Where an event stands in the journal, and the form in which clients hold on to that.

use std::fmt;
use std::sync::Arc;

use aes::Aes128;
use aes::cipher::{BlockDecrypt as _, BlockEncrypt as _, KeyInit as _};
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
///
/// Which position it is remains with the gateway: positions are counted across all tenants, and
/// who could read them would see how much goes on elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    epoch: u64,
    /// The conversation's tag and the position, enciphered as one block.
    sealed: [u8; 16],
}

/// What all cursors of an epoch have in common.
pub(super) struct Seal {
    epoch: Epoch,
    cipher: Aes128,
}

/// A conversation's part of its cursors.
#[derive(Clone)]
pub(super) struct CursorSpace {
    conversation: [u8; 8],
    seal: Arc<Seal>,
}

impl Seal {
    /// The cursors of `epoch` under a key that nobody else has.
    pub(super) fn new(epoch: Epoch, key: [u8; 16]) -> Arc<Self> {
        let cipher = Aes128::new(&key.into());
        Arc::new(Self { epoch, cipher })
    }
}

impl CursorSpace {
    /// The cursors of `key`.
    pub(super) fn new(seal: &Arc<Seal>, key: &ConversationKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(seal.epoch.0.to_be_bytes());
        // No id contains a slash, so that no two pairs hash the same text.
        hash.update(key.tenant.as_str());
        hash.update(b"/");
        hash.update(key.conversation.as_str());
        let digest = hash.finalize();
        let mut conversation = [0; 8];
        conversation.copy_from_slice(&digest[..8]);
        Self {
            conversation,
            seal: seal.clone(),
        }
    }

    pub(super) fn cursor(&self, position: Position) -> Cursor {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&self.conversation);
        block[8..].copy_from_slice(&position.0.to_be_bytes());
        self.seal.cipher.encrypt_block((&mut block).into());
        Cursor {
            epoch: self.seal.epoch.0,
            sealed: block,
        }
    }

    /// Whether the cursor is one of this life of the journal.
    pub(super) fn is_of_this_epoch(&self, cursor: Cursor) -> bool {
        cursor.epoch == self.seal.epoch.0
    }

    /// The position that `cursor` stands for, if it is one of this space.
    pub(super) fn position(&self, cursor: Cursor) -> Option<Position> {
        if !self.is_of_this_epoch(cursor) {
            return None;
        }
        let mut block = cursor.sealed;
        self.seal.cipher.decrypt_block((&mut block).into());
        let position = block.strip_prefix(&self.conversation)?;
        let position = position.try_into().ok()?;
        Some(Position(u64::from_be_bytes(position)))
    }
}

impl fmt::Debug for CursorSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CursorSpace").finish_non_exhaustive()
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
        let (epoch, sealed) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            epoch: u64::from_be_bytes(*epoch),
            sealed: sealed.try_into().ok()?,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.epoch.to_be_bytes());
        bytes[8..].copy_from_slice(&self.sealed);
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
        CursorSpace::new(&Seal::new(Epoch(epoch), [7; 16]), &key)
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
    fn a_cursor_does_not_tell_how_much_has_happened() {
        let space = space(1, "acme", "c-1");
        let [one, next] = [1, 2].map(|position| space.cursor(Position(position)).sealed);
        let alike = one.iter().zip(&next).filter(|(one, next)| one == next);
        // By chance one byte of 16 may be the same, hardly four.
        assert!(alike.count() < 4);
    }

    #[test]
    fn a_cursor_that_was_changed_is_none_of_ours() {
        let space = space(1, "acme", "c-1");
        let cursor = space.cursor(Position(7));
        for byte in 0..16 {
            let mut changed = cursor;
            changed.sealed[byte] ^= 1;
            assert_eq!(space.position(changed), None);
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
