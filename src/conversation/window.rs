//! The recent events of one conversation: what is replayed, what is a repeat, what has gone.
//!
//! Plain data: no lock, no clock, no I/O. Time comes in as an argument.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cursor::Position;
use super::entry::Entry;
use super::event::{Event, Identity};
use super::recent::{Deduplication, Recent};

/// The bounds of what is kept.
#[derive(Debug, Clone)]
pub struct WindowLimits {
    /// How long an event is kept.
    pub age: Duration,
    /// How many events a conversation keeps for replay.
    pub events: usize,
    /// How many bytes all windows may have together.
    pub bytes: usize,
    /// How many bytes a conversation keeps beyond `events` for members that are catching up.
    pub lag_bytes: usize,
    /// How many events a conversation remembers to recognise repeats.
    pub remembered: usize,
    /// Whether replicas share a journal: then they have to know the same repeats, whatever their
    /// clocks say and however much memory they have.
    pub shared: bool,
}

impl WindowLimits {
    /// Repeats are recognised for at least this many events of a conversation: more than one
    /// redelivery of everything unacknowledged brings.
    pub const MIN_REMEMBERED: usize = 4096;

    /// How far the clocks may be apart of those who write a shared journal.
    pub const SKEW: Duration = Duration::from_secs(60);

    /// How long a repeat's event is remembered: longer than it counts, by what clocks may differ.
    fn memory(&self) -> Duration {
        match self.shared {
            true => self.age + Self::SKEW,
            false => self.age,
        }
    }
}

/// The recent events of one conversation.
#[derive(Debug, Clone, Default)]
pub struct Window {
    entries: VecDeque<Arc<Entry>>,
    /// Everything after this position is here; at or before it something may be gone.
    floor: Position,
    newest: Position,
    bytes: usize,
    /// The bytes of those entries that are older than the newest `limits.events`.
    lag_bytes: usize,
    recent: Recent,
}

impl Window {
    /// An empty window of a conversation of which nothing after `floor` has been evicted.
    pub fn new(floor: Position) -> Self {
        Self {
            floor,
            newest: floor,
            ..Self::default()
        }
    }

    /// Whether `event`, which was accepted `at` this time, is new here.
    pub fn admit(&self, event: &Event, at: Instant, limits: &WindowLimits) -> Deduplication {
        self.recent.look_up(event, at, limits.age)
    }

    /// Remembers the time of an event that was not new.
    pub fn repeat(&mut self, event: &Event, at: Instant, limits: &WindowLimits) {
        self.recent.repeat(event, at, limits.age);
        self.forget(at, limits);
    }

    /// Forgets the events that no repeat is recognised by any more.
    pub fn forget(&mut self, at: Instant, limits: &WindowLimits) {
        // An event may be known by two names: that of its message, and the one the portal gave it.
        let most = 2 * limits.remembered;
        self.recent.expire(at, limits.memory(), most);
    }

    /// Appends an entry that [`admit`](Self::admit) called new. Its position is greater than all
    /// before.
    pub fn append(
        &mut self,
        entry: Arc<Entry>,
        identity: Option<Identity>,
        event_id: Option<Arc<str>>,
        limits: &WindowLimits,
    ) {
        debug_assert!(entry.position > self.newest);
        self.recent
            .remember(identity, event_id, entry.position, entry.accepted);
        self.newest = entry.position;
        self.bytes += entry.cost();
        self.entries.push_back(entry);
        if let Some(left_behind) = self.lagging(limits).checked_sub(1) {
            self.lag_bytes += self.entries[left_behind].cost();
        }
    }

    /// Drops entries that are too old, and those beyond the number to keep; of the latter, those
    /// after `needed_after` stay as far as `limits.lag_bytes` allows.
    ///
    /// Who needs what is asked at most once, and mostly not at all.
    pub fn trim(
        &mut self,
        now: Instant,
        needed_after: impl FnOnce(&Self) -> Option<Position>,
        limits: &WindowLimits,
    ) {
        let is_old = |entry: &Entry| now.saturating_duration_since(entry.accepted) > limits.age;
        while self.entries.front().is_some_and(|oldest| is_old(oldest)) {
            self.evict_entry(limits);
        }
        if self.lagging(limits) > 0 {
            let needed_after = needed_after(self);
            while self.lagging(limits) > 0
                && let Some(oldest) = self.entries.front()
            {
                let is_needed = needed_after.is_some_and(|after| oldest.position > after);
                if is_needed && self.lag_bytes <= limits.lag_bytes {
                    break;
                }
                self.evict_entry(limits);
            }
        }
    }

    /// Drops the oldest of what is kept: an entry, or an identity whose entry has gone before.
    /// `false` when there is neither. Identities stay that other replicas have as well.
    pub fn evict_oldest(&mut self, limits: &WindowLimits) -> bool {
        if limits.shared {
            return self.evict_entry(limits);
        }
        let entry = self.entries.front().map(|entry| entry.accepted);
        match (entry, self.recent.oldest()) {
            (Some(entry), Some(identity)) if identity < entry => self.recent.forget_oldest(),
            (Some(_), _) => self.evict_entry(limits),
            (None, _) => self.recent.forget_oldest(),
        }
    }

    fn evict_entry(&mut self, limits: &WindowLimits) -> bool {
        let lagging = self.lagging(limits) > 0;
        let Some(oldest) = self.entries.pop_front() else {
            return false;
        };
        self.floor = oldest.position;
        self.bytes -= oldest.cost();
        if lagging {
            self.lag_bytes -= oldest.cost();
        }
        if self.entries.is_empty() {
            self.entries.shrink_to_fit();
        }
        true
    }

    /// How many entries there are beyond those that are kept for replay.
    fn lagging(&self, limits: &WindowLimits) -> usize {
        self.entries.len().saturating_sub(limits.events)
    }

    /// Whether everything after `position` is still here.
    pub fn reaches_back_to(&self, position: Position) -> bool {
        position >= self.floor
    }

    /// The entries after `position`, oldest first.
    pub fn after(&self, position: Position) -> impl ExactSizeIterator<Item = &Arc<Entry>> {
        let from = self
            .entries
            .partition_point(|entry| entry.position <= position);
        self.entries.range(from..)
    }

    /// The position after which the newest `events` entries follow.
    pub fn replay_start(&self, events: usize) -> Position {
        match self.entries.len().checked_sub(events + 1) {
            Some(index) => self.entries[index].position,
            None => self.floor,
        }
    }

    /// The position of the newest event, also when it has been dropped.
    pub fn newest(&self) -> Position {
        self.newest
    }

    /// Nothing after this position has been dropped.
    pub fn floor(&self) -> Position {
        self.floor
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// When the oldest of what is kept was accepted, by which windows expire and are evicted.
    pub fn oldest(&self, limits: &WindowLimits) -> Option<Instant> {
        let entry = self.entries.front().map(|entry| entry.accepted);
        let identity = self.recent.oldest();
        match limits.shared {
            false => entry.into_iter().chain(identity).min(),
            // After every window that has entries: there is nothing here to be evicted.
            true => entry.or(identity.map(|identity| identity + limits.memory() + limits.age)),
        }
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.recent.oldest().is_none()
    }

    /// What is known of repeats, in bytes.
    pub(super) fn repeats_bytes(&self) -> usize {
        self.recent.bytes()
    }

    /// What the window counts against the bound for all, in bytes.
    pub fn bytes(&self, limits: &WindowLimits) -> usize {
        match limits.shared {
            true => self.bytes,
            false => self.bytes + self.recent.bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
