//! Cursors: what a client gives back is one that the gateway has written, or none.

#![no_main]

use agent_gateway::conversation::{Cursor, Id};
use libfuzzer_sys::fuzz_target;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        if let Some(cursor) = Cursor::parse(text) {
            // There is one way to write it.
            assert_eq!(cursor.to_string(), text);
        }
        if let Ok(id) = Id::parse(text) {
            assert_eq!(id.as_str(), text);
            assert!(!text.is_empty() && text.len() <= Id::MAX_LENGTH && text.is_ascii());
        }
    }
    // Any 32 letters are one.
    if let Some(letters) = input.first_chunk::<32>() {
        let text: String = letters
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
            .collect();
        let cursor = Cursor::parse(&text).unwrap();
        assert_eq!(cursor.to_string(), text);
        assert!(Cursor::parse(&text[1..]).is_none());
        assert!(Cursor::parse(&format!("{text}A")).is_none());
        assert!(Cursor::parse(&format!("{text}=")).is_none());
    }
});
