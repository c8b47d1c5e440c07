//! What has happened since the start, for the log and for monitoring.

use std::time::Duration;

use super::member::Resume;
use crate::counter::{Counter, CounterSet};
use crate::histogram::{Histogram, SHORT};

/// Counts since the start.
#[derive(Debug)]
pub struct Counters {
    /// Events that were new.
    pub events: Counter,
    /// Repeats, which were not emitted.
    pub duplicates: Counter,
    /// Statuses that were older than what was known.
    pub stale: Counter,
    /// Entries that live members' sockets took, once for each member.
    pub offered: Counter,
    /// Entries that members which were catching up took from the window.
    pub caught_up_entries: Counter,
    /// How often a member that joined, or was behind, became live.
    pub caught_up: Counter,
    /// How often a live member's socket had no room.
    pub fell_behind: Counter,
    /// Joins, by how much the client could rely on having.
    pub joins: CounterSet<Resume, 3>,
    /// `reset`s sent, because something may be missing, by why it may.
    pub resets: CounterSet<ResetReason, 4>,
    /// Events and identities that were dropped, still young, for the bound of all windows together.
    pub evicted: Counter,
    /// How long events took.
    pub latencies: Latencies,
}

/// Why something may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetReason {
    /// A member took its entries more slowly than the window let go of them.
    TooSlow,
    /// The client came back with a cursor that is older than the window.
    CursorExpired,
    /// Its cursor is of another journal: before a restart, mostly.
    AnotherJournal,
    /// It is no cursor, or another conversation's.
    UnknownCursor,
}

/// How long events took to where they had to go.
#[derive(Debug)]
pub struct Latencies {
    /// From the AMQP timestamp that a publisher has put on a delivery, by its own clock and mostly in
    /// whole seconds, until the event was offered to the members.
    pub publication_to_offer: Histogram<15>,
    /// From when a source had it until it was offered to the members.
    pub arrival_to_offer: Histogram<15>,
    /// From there until the kernel had it for the last member's socket that takes anything.
    pub arrival_to_socket: Histogram<15>,
}

/// What a queue adds to the gateway's own part, until somebody has mended what it waits for.
const LONG: [Duration; 15] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(3_600),
];

impl Default for Counters {
    fn default() -> Self {
        let resume = |resume: Resume| (resume, resume.as_str());
        Self {
            events: Counter::default(),
            duplicates: Counter::default(),
            stale: Counter::default(),
            offered: Counter::default(),
            caught_up_entries: Counter::default(),
            caught_up: Counter::default(),
            fell_behind: Counter::default(),
            joins: CounterSet::new([Resume::Fresh, Resume::Resumed, Resume::Reset].map(resume)),
            resets: CounterSet::new([
                (ResetReason::TooSlow, "too_slow"),
                (ResetReason::CursorExpired, "cursor_expired"),
                (ResetReason::AnotherJournal, "another_journal"),
                (ResetReason::UnknownCursor, "unknown_cursor"),
            ]),
            evicted: Counter::default(),
            latencies: Latencies {
                publication_to_offer: Histogram::new(&LONG),
                arrival_to_offer: Histogram::new(&SHORT),
                arrival_to_socket: Histogram::new(&SHORT),
            },
        }
    }
}
