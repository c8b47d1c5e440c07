//! What a journal that replicas share needs of the hub: entries at positions that were given
//! elsewhere, another life of the journal, and members that wait for what this replica has not read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Accepted, Hub, Published};
use crate::conversation::batch::Batch;
use crate::conversation::beginning::{Asked, Beginning};
use crate::conversation::conversation::Conversation;
use crate::conversation::cursor::{Epoch, Mark, Position};
use crate::conversation::entry::Entry;
use crate::conversation::event::Event;
use crate::conversation::member::MemberId;
use crate::conversation::recent::Deduplication;

/// How long a member waits for this replica to have read what its cursor names. While the replica reads
/// what it has missed, it waits for so long without any of that having been read, or come nearer.
const WAIT: Duration = Duration::from_secs(5);

impl Hub {
    /// From now on, cursors are of this epoch of the journal.
    pub fn set_epoch(&self, epoch: Epoch) {
        self.seal.set_epoch(epoch);
    }

    /// Nothing is known of the journal up to `floor`, and nothing that was known counts any more:
    /// members are `reset`.
    pub fn begin(self: &Arc<Self>, floor: Position) {
        self.shared.begin(floor);
        self.eviction_floor.begin(floor);
        let map = self.conversations.read();
        let all: Vec<_> = map.values().cloned().collect();
        drop(map);
        for conversation in all {
            let mut state = conversation.lock();
            let fell_behind = state.begin(floor, &self.shared);
            for (member, outlet) in fell_behind {
                tokio::spawn(self.serving(&conversation, member, outlet));
            }
            let idle = state.is_idle();
            drop(state);
            if idle {
                self.drop_idle(&conversation);
            }
        }
    }

    /// Applies an event that stands at this position of the journal, whether it is new or not.
    pub fn record(
        self: &Arc<Self>,
        event: Event,
        (position, mark): (Position, Mark),
        accepted: Accepted,
        batch: &mut Batch,
    ) -> Published {
        self.shared.mark(position, mark);
        let published = self.apply(event, || position, accepted, batch);
        self.shared.advance(position);
        published
    }

    /// Passes by something else at this position of the journal.
    pub fn pass(&self, position: Position, mark: Mark) {
        self.shared.mark(position, mark);
        self.shared.advance(position);
    }

    /// Says whether this replica has read the journal to its end; until then nothing is forgotten by
    /// the local clock, and members that join wait for a time.
    pub fn set_current(&self, is_current: bool) {
        self.current.store(is_current, Ordering::Release);
        self.progressed();
    }

    /// More of the journal has been read: members may wait for it.
    pub fn progressed(&self) {
        self.progress.notify_waiters();
    }

    /// The journal is about to be read, and a step towards that was taken: members that wait for it go on
    /// waiting.
    pub fn approached(&self) {
        self.approach.fetch_add(1, Ordering::AcqRel);
    }

    /// Offers an event to the live members before it has its place in the journal, unless it is known
    /// there. When it gets its place, it is not offered to them again.
    pub fn offer_early(
        self: &Arc<Self>,
        event: &Event,
        accepted: Accepted,
        batch: &mut Batch,
    ) -> Published {
        let limits = &self.shared.limits;
        let (published, idle) = self.enter(&event.key, |conversation, state| {
            let published = match state.window.admit(event, accepted.instant, limits) {
                Deduplication::Duplicate(first) => Published::Duplicate(conversation.cursor(first)),
                Deduplication::Stale => {
                    Published::Stale(conversation.cursor(state.window.newest()))
                }
                Deduplication::New => {
                    let asked = Asked::Fresh { replay: false };
                    let head = self.shared.head();
                    let newest = Beginning::of(asked, &state.window, head, limits.events).newest;
                    let cursor = conversation.cursor(newest);
                    let Accepted { at, instant } = accepted;
                    let (name, payload, trace) = (event.name.clone(), &event.payload, event.trace);
                    let entry = Entry::new(cursor, newest, instant, at, name, payload, trace);
                    state.offer_early(event, &entry, batch);
                    Published::Early(cursor)
                }
            };
            (published, state.is_idle().then(|| conversation.clone()))
        });
        if let Some(conversation) = idle {
            self.drop_idle(&conversation);
        }
        published
    }

    /// Waits, as [`WAIT`] says, until what a joining member asks for can be known here.
    pub(in crate::conversation) async fn until_known(
        &self,
        conversation: &Conversation,
        member: MemberId,
    ) {
        if !self.shared.limits.shared {
            return;
        }
        let mut waited = std::pin::pin!(sleep(WAIT));
        let come = || (self.shared.head(), self.approach.load(Ordering::Acquire));
        let mut before = come();
        loop {
            let mut progress = std::pin::pin!(self.progress.notified());
            progress.as_mut().enable();
            if !conversation.waits(member, self.is_current()) {
                return;
            }
            tokio::select! {
                () = progress => {}
                () = &mut waited => {
                    let now = come();
                    if self.is_current() || now == before {
                        return;
                    }
                    before = now;
                    waited.as_mut().reset(tokio::time::Instant::now() + WAIT);
                }
            }
        }
    }

    pub(super) fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire)
    }

    /// The time by which a window is trimmed, when an event of this instant has been applied: a
    /// shared journal's may be of long ago.
    pub(super) fn now(&self, instant: Instant) -> Instant {
        match self.shared.limits.shared {
            true => Instant::now(),
            false => instant,
        }
    }
}
