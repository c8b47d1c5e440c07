//! Cursors name a position in one conversation, and nothing else.

use super::super::id::Id;
use super::*;

fn space(epoch: u64, tenant: &str, conversation: &str) -> CursorSpace {
    let key = ConversationKey {
        tenant: Id::parse(tenant).unwrap(),
        conversation: Id::parse(conversation).unwrap(),
    };
    CursorSpace::new(&Seal::new(Epoch(epoch), &CursorKey([7; 16])), &key)
}

#[test]
fn a_cursor_survives_the_way_to_the_client_and_back() {
    let space = space(u64::MAX, "acme", "c-1");
    for (position, mark) in [(0, 0), (1, 7), ((1 << 48) - 1, u32::MAX)] {
        let text = space.cursor(Position(position), Mark(mark)).to_string();
        assert_eq!(text.len(), 32);
        let cursor = Cursor::parse(&text).unwrap();
        assert_eq!(space.open(cursor), Some((Position(position), Mark(mark))));
    }
}

#[test]
fn a_cursor_of_another_conversation_or_epoch_is_none_of_ours() {
    let cursor = space(1, "acme", "c-1").cursor(Position(7), Mark(1));
    for other in [
        space(2, "acme", "c-1"),
        space(1, "acme", "c-2"),
        space(1, "other", "c-1"),
        space(1, "acm", "ec-1"),
    ] {
        assert_eq!(other.open(cursor), None);
    }
}

#[test]
fn a_cursor_does_not_tell_how_much_has_happened() {
    let space = space(1, "acme", "c-1");
    let [one, next] = [1, 2].map(|position| space.cursor(Position(position), Mark(0)).sealed);
    let alike = one.iter().zip(&next).filter(|(one, next)| one == next);
    // By chance one byte of 16 may be the same, hardly four.
    assert!(alike.count() < 4);
}

#[test]
fn a_cursor_that_was_changed_is_none_of_ours() {
    let space = space(1, "acme", "c-1");
    let cursor = space.cursor(Position(7), Mark(1));
    for byte in 0..16 {
        let mut changed = cursor;
        changed.sealed[byte] ^= 1;
        assert_eq!(space.open(changed), None);
    }
}

#[test]
fn a_cursor_cannot_be_moved_to_another_epoch() {
    let mut cursor = space(1, "acme", "c-1").cursor(Position(7), Mark(1));
    cursor.epoch = 2;
    assert_eq!(space(2, "acme", "c-1").open(cursor), None);
}

#[test]
fn a_key_follows_from_its_secret_alone() {
    let key = |secret| CursorKey::derived(secret);
    assert_eq!(key("one").0, key("one").0);
    assert_ne!(key("one").0, key("other").0);
    assert_eq!(key("one").fingerprint(), key("one").fingerprint());
    assert_ne!(key("one").fingerprint(), key("other").fingerprint());
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
