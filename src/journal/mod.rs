//! The journal puts accepted events in one order and gives each a position.
//!
//! Invariant 4 of the project starts here: when [`Journal::append`] has returned, the event is in
//! its conversation's window and has been offered to the members, so that its delivery may be
//! acknowledged and its relay call answered.

mod memory;

pub use crate::conversation::Published;
pub use memory::Journal;
