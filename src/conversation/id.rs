//! Identifiers of tenants and conversations.

use std::fmt;
use std::sync::Arc;

/// A tenant's or a conversation's id: 1 to 128 characters of `A-Z a-z 0-9 . _ ~ : @ + = -`.
///
/// None of these needs escaping in a Socket.IO namespace, and none can be mistaken for the
/// separators of one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(Arc<str>);

/// Why a string is not an [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The string has no character.
    #[error("must not be empty")]
    Empty,
    /// The string has more than [`Id::MAX_LENGTH`] characters.
    #[error("must have at most 128 characters")]
    TooLong,
    /// The string has a character outside the allowed set.
    #[error("may only have the characters A-Z a-z 0-9 . _ ~ : @ + = -")]
    Character,
}

impl Id {
    /// The longest id, in characters.
    pub const MAX_LENGTH: usize = 128;

    /// Checks `text` and takes it as an id.
    ///
    /// # Errors
    /// [`InvalidId`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if text.is_empty() {
            return Err(InvalidId::Empty);
        }
        if !text.bytes().all(is_allowed) {
            return Err(InvalidId::Character);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidId::TooLong);
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'~' | b':' | b'@' | b'+' | b'=' | b'-')
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What a conversation is looked up by: always the pair, never a string made of both, in which
/// two different pairs could look alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConversationKey {
    /// The customer account that the conversation belongs to.
    pub tenant: Id,
    /// The WhatsApp thread within that account.
    pub conversation: Id,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_allowed_character_passes_and_its_neighbours_do_not() {
        assert!(Id::parse("AZaz09._~:@+=-").is_ok());
        for text in ["a b", "a/b", "a,b", "a?b", "a%b", "ä", "a\0", "a\n"] {
            assert_eq!(Id::parse(text), Err(InvalidId::Character), "{text:?}");
        }
    }

    #[test]
    fn length_is_one_to_128() {
        assert_eq!(Id::parse(""), Err(InvalidId::Empty));
        assert!(Id::parse(&"x".repeat(128)).is_ok());
        assert_eq!(Id::parse(&"x".repeat(129)), Err(InvalidId::TooLong));
    }
}
