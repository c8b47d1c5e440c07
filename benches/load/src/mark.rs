//! What a message says about itself in its messageId.

use std::fmt;

/// Which message of which room it is, and when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) room: u32,
    /// Its number in the room, from 0.
    pub(crate) sequence: u32,
    /// By the [`Clock`](crate::clock::Clock), in nanoseconds.
    pub(crate) sent: u64,
}

/// Stands before the mark in an event's JSON.
const FIELD: &[u8] = br#""messageId":""#;

/// Three hexadecimal numbers of a fixed width, and what is between them.
const LENGTH: usize = 8 + 1 + 8 + 1 + 16;

impl Mark {
    /// The first mark in `json`. `at` is where the payload begins, in which both servers write the
    /// messageId first: the search is for what does not.
    pub(crate) fn find(json: &[u8], at: usize) -> Option<Self> {
        let field = at + 1;
        let begins = match json.get(field..field + FIELD.len()) {
            Some(FIELD) => field,
            _ => json
                .windows(FIELD.len())
                .position(|window| window == FIELD)?,
        };
        Self::parse(json.get(begins + FIELD.len()..)?)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = text.get(..LENGTH)?;
        Some(Self {
            room: number(&text[..8])?.try_into().ok()?,
            sequence: number(&text[9..17])?.try_into().ok()?,
            sent: number(&text[18..])?,
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:08x}-{:08x}-{:016x}",
            self.room, self.sequence, self.sent
        )
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(number << 4 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark {
        room: 499,
        sequence: 70_000,
        sent: 1 << 40,
    };

    #[test]
    fn a_mark_is_found_where_both_servers_write_it() {
        let event = format!(r#"42["inbound_message",{{"messageId":"{MARK}","text":"Hello"}}]"#);
        assert_eq!(Mark::find(event.as_bytes(), 21), Some(MARK));
    }

    #[test]
    fn a_mark_is_found_behind_other_fields() {
        let event = format!(r#"42["inbound_message",{{"text":"Hello","messageId":"{MARK}"}}]"#);
        assert_eq!(Mark::find(event.as_bytes(), 21), Some(MARK));
    }

    #[test]
    fn no_mark_is_found_in_another_message_id_or_in_a_part_of_one() {
        let event = r#"42["inbound_message",{"messageId":"wamid.HBgMMzQ2MDAwMDAwMDE1AAAAAA"}]"#;
        assert_eq!(Mark::find(event.as_bytes(), 21), None);
        let event = format!(r#"42["inbound_message",{{"messageId":"{MARK}"#);
        assert_eq!(Mark::find(&event.as_bytes()[..event.len() - 1], 21), None);
    }
}
