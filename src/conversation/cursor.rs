//! Where an event stands in the journal, and the form in which clients hold on to that.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aes::Aes128;
use aes::cipher::{BlockDecrypt as _, BlockEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::id::ConversationKey;

/// An event's place in the journal. Positions grow; within one [`Epoch`] none is given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// What an entry is told apart by from another one at the same position: a few bits of its id. In a
/// journal that never gives a position twice, all are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mark(pub u32);

/// Names one life of a journal. Positions of different epochs have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

/// The key under which cursors are sealed: the same on all replicas that share a journal.
#[derive(Clone)]
pub struct CursorKey([u8; 16]);

/// What a client gives back to resume: a position and the mark of the entry there, bound to the epoch
/// and to the conversation, so that neither another life of the journal nor another conversation takes
/// it for one of its own.
///
/// Which position it is remains with the gateway: positions are counted across all tenants, and
/// who could read them would see how much goes on elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    epoch: u64,
    /// The conversation's tag, the position and the mark, enciphered as one block.
    sealed: [u8; 16],
}

/// What all cursors of a journal have in common.
pub(super) struct Seal {
    epoch: AtomicU64,
    cipher: Aes128,
}

/// A conversation's part of its cursors.
#[derive(Clone)]
pub(super) struct CursorSpace {
    conversation: [u8; TAG],
    seal: Arc<Seal>,
}

/// The length of a conversation's tag in a block, in bytes; the position and the mark follow.
const TAG: usize = 6;

/// Where the mark begins.
const MARK: usize = 12;

impl CursorKey {
    /// A key that nobody else has.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The key that follows from a secret, the same wherever the secret is.
    pub fn derived(secret: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"agent-gateway cursors\0");
        hash.update(secret);
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Self(key)
    }

    /// A few bits by which replicas see that their keys differ, and nobody more than that.
    pub fn fingerprint(&self) -> u32 {
        let mut hash = Sha256::new();
        hash.update(b"agent-gateway cursor key\0");
        hash.update(self.0);
        let digest = hash.finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

impl fmt::Debug for CursorKey {
    // Keys appear in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CursorKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Clone for Seal {
    fn clone(&self) -> Self {
        Self {
            epoch: AtomicU64::new(self.epoch()),
            cipher: self.cipher.clone(),
        }
    }
}

impl Seal {
    /// The cursors of `epoch`.
    pub(super) fn new(epoch: Epoch, key: &CursorKey) -> Arc<Self> {
        let cipher = Aes128::new(&key.0.into());
        let epoch = AtomicU64::new(epoch.0);
        Arc::new(Self { epoch, cipher })
    }

    /// From now on, cursors are of another epoch.
    pub(super) fn set_epoch(&self, epoch: Epoch) {
        self.epoch.store(epoch.0, Ordering::Release);
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }
}

/// Binds a block's tag to the epoch.
fn whiten(block: &mut [u8; 16], epoch: u64) {
    for (index, byte) in epoch.to_be_bytes().into_iter().enumerate() {
        block[index % TAG] ^= byte;
    }
}

impl CursorSpace {
    /// The cursors of `key`.
    pub(super) fn new(seal: &Arc<Seal>, key: &ConversationKey) -> Self {
        let mut hash = Sha256::new();
        // No id contains a slash, so that no two pairs hash the same text.
        hash.update(key.tenant.as_str());
        hash.update(b"/");
        hash.update(key.conversation.as_str());
        let digest = hash.finalize();
        let mut conversation = [0; TAG];
        conversation.copy_from_slice(&digest[..TAG]);
        Self {
            conversation,
            seal: seal.clone(),
        }
    }

    /// The same conversation's space under another seal.
    #[cfg(test)]
    pub(super) fn of(&self, seal: &Arc<Seal>) -> Self {
        Self {
            conversation: self.conversation,
            seal: seal.clone(),
        }
    }

    /// The cursor of a position, of which 48 bits count: at a million entries a second, those of nine
    /// years.
    pub(super) fn cursor(&self, position: Position, mark: Mark) -> Cursor {
        let epoch = self.seal.epoch();
        let mut block = [0; 16];
        block[..TAG].copy_from_slice(&self.conversation);
        block[TAG..MARK].copy_from_slice(&position.0.to_be_bytes()[2..]);
        block[MARK..].copy_from_slice(&mark.0.to_be_bytes());
        whiten(&mut block, epoch);
        self.seal.cipher.encrypt_block((&mut block).into());
        Cursor {
            epoch,
            sealed: block,
        }
    }

    /// Whether the cursor is one of this life of the journal.
    pub(super) fn is_of_this_epoch(&self, cursor: Cursor) -> bool {
        cursor.epoch == self.seal.epoch()
    }

    /// The position and the mark that `cursor` stands for, if it is one of this space.
    pub(super) fn open(&self, cursor: Cursor) -> Option<(Position, Mark)> {
        if !self.is_of_this_epoch(cursor) {
            return None;
        }
        let mut block = cursor.sealed;
        self.seal.cipher.decrypt_block((&mut block).into());
        whiten(&mut block, cursor.epoch);
        let rest = block.strip_prefix(&self.conversation)?;
        let (position, mark) = rest.split_first_chunk::<6>()?;
        let mut wide = [0; 8];
        wide[2..].copy_from_slice(position);
        let mark = u32::from_be_bytes(mark.try_into().ok()?);
        Some((Position(u64::from_be_bytes(wide)), Mark(mark)))
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
mod tests;
