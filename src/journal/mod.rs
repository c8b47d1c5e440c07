//! The journal puts accepted events in one order and gives each a position.
//!
//! Invariant 4 of the project starts here: when [`Journal::append`] has returned, the event is in
//! its conversation's window and has been offered to the members, so that its delivery may be
//! acknowledged and its relay call answered.

mod memory;

pub use memory::Journal;

use crate::conversation::Cursor;

/// What the journal did with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is new; it stands at this cursor.
    New(Cursor),
    /// It repeats the event that stands at this cursor.
    Duplicate(Cursor),
    /// It is a stale status; this is where the conversation stands.
    Stale(Cursor),
}
