//! Members with sockets that take as much as they are allowed to, whatever happens around them.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::value::to_raw_value;
use tokio::sync::Notify;

use super::super::event::EventName;
use super::super::id::Id;
use super::super::member::{Joined, Offer, Participant, ResetNotice, Resume};
use super::*;

/// What a member was told.
#[derive(Debug, Clone, PartialEq)]
enum Told {
    Joined(Cursor, Resume, usize),
    Event(u64, bool),
    Reset(Cursor),
}

/// A socket with room for so many packets.
#[derive(Default)]
struct Pipe {
    room: Mutex<usize>,
    more_room: Notify,
    queued: Mutex<Vec<Told>>,
    /// What has been flushed.
    told: Mutex<Vec<Told>>,
}

impl Pipe {
    fn with_room(room: usize) -> Arc<Self> {
        let pipe = Self::default();
        pipe.make_room(room);
        Arc::new(pipe)
    }

    fn make_room(&self, more: usize) {
        let mut room = self.room.lock().unwrap();
        *room = room.saturating_add(more);
        self.more_room.notify_waiters();
    }

    fn take(&self, told: Told) -> Offer {
        let mut room = self.room.lock().unwrap();
        if *room == 0 {
            return Offer::Full;
        }
        *room -= 1;
        let mut queued = self.queued.lock().unwrap();
        queued.push(told);
        match queued.len() {
            1 => Offer::Queued,
            _ => Offer::Taken,
        }
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    fn events(&self) -> Vec<u64> {
        let told = self.told();
        let positions = told.iter().filter_map(|told| match told {
            Told::Event(position, _) => Some(*position),
            _ => None,
        });
        positions.collect()
    }
}

impl Outlet for Pipe {
    fn joined(&self, joined: &Joined) -> Offer {
        self.take(Told::Joined(joined.cursor, joined.resume, joined.replaying))
    }

    fn event(&self, entry: &Entry, replayed: bool) -> Offer {
        self.take(Told::Event(entry.position.0, replayed))
    }

    fn reset(&self, notice: &ResetNotice) -> Offer {
        self.take(Told::Reset(notice.cursor))
    }

    fn flush(&self) {
        let mut queued = self.queued.lock().unwrap();
        self.told.lock().unwrap().append(&mut queued);
    }

    fn room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            loop {
                let mut more_room = pin!(self.more_room.notified());
                more_room.as_mut().enable();
                if *self.room.lock().unwrap() > 0 {
                    return;
                }
                more_room.await;
            }
        })
    }

    fn disconnect(&self) -> bool {
        false
    }

    fn participant(&self) -> &Participant {
        static NOBODY: Participant = Participant {
            agent: String::new(),
            name: None,
            connected_at: OffsetDateTime::UNIX_EPOCH,
        };
        &NOBODY
    }
}

fn limits() -> Limits {
    Limits {
        age: Duration::from_secs(600),
        events: 10,
        bytes: usize::MAX,
        lag_bytes: 20_000,
        remembered: 4096,
    }
}

/// A hub, and the positions of each conversation's events.
struct World {
    hub: Arc<Hub>,
    newest: AtomicU64,
    published: HashMap<ConversationKey, Vec<u64>>,
}

impl World {
    fn new(limits: Limits) -> Self {
        Self {
            hub: Arc::new(Hub::new(Epoch(7), limits)),
            newest: AtomicU64::new(0),
            published: HashMap::new(),
        }
    }

    fn publish(&mut self, key: &ConversationKey) {
        let event = Event {
            key: key.clone(),
            name: EventName::Other("note".into()),
            payload: to_raw_value(&"x".repeat(100)).unwrap(),
            identity: None,
            event_id: None,
        };
        let next = || Position(self.newest.fetch_add(1, Ordering::Relaxed) + 1);
        let mut batch = Batch::default();
        let at = OffsetDateTime::UNIX_EPOCH;
        let applied = self.hub.apply(event, next, at, &mut batch);
        assert!(matches!(applied, Applied::Appended(_)));
        let position = self.newest.load(Ordering::Relaxed);
        self.published
            .entry(key.clone())
            .or_default()
            .push(position);
    }

    fn position(&self, key: &ConversationKey, cursor: Cursor) -> u64 {
        let space = CursorSpace::new(&self.hub.seal, key);
        space.position(cursor).unwrap().0
    }

    /// Checks all that a member can rely on: joined first; then its events in journal order, each
    /// once, none missing but before a reset.
    fn check(&self, key: &ConversationKey, resumed_at: Option<u64>, pipe: &Pipe) {
        let told = pipe.told();
        let published = self.published.get(key).cloned().unwrap_or_default();
        let mut told = told.into_iter();
        let Some(Told::Joined(cursor, resume, replaying)) = told.next() else {
            panic!("not joined first");
        };
        let standing = self.position(key, cursor);
        // The next event that has to come, unless it is not known because a window follows.
        let mut expected = match (resume, replaying) {
            (Resume::Resumed, _) => Some(after(&published, resumed_at.unwrap())),
            (_, 0) => Some(after(&published, standing)),
            _ => None,
        };
        let mut replayed = 0;
        let mut seen_reset = false;
        for told in told {
            match told {
                Told::Joined(..) => panic!("joined twice"),
                Told::Reset(_) => {
                    expected = None;
                    seen_reset = true;
                }
                Told::Event(position, is_replayed) => {
                    let index = published.binary_search(&position).unwrap();
                    if let Some(expected) = expected {
                        assert_eq!(index, expected, "a gap or a repeat");
                    }
                    expected = Some(index + 1);
                    if !seen_reset {
                        replayed += usize::from(is_replayed);
                        assert_eq!(is_replayed, position <= standing);
                    }
                }
            }
        }
        if !seen_reset {
            assert_eq!(replayed, replaying);
        }
        // And nothing is still to come.
        assert_eq!(expected.unwrap_or(published.len()), published.len());
    }
}

fn after(published: &[u64], position: u64) -> usize {
    published.partition_point(|&other| other <= position)
}

fn key(number: usize) -> ConversationKey {
    ConversationKey {
        tenant: Id::parse("acme").unwrap(),
        conversation: Id::parse(&format!("c-{number}")).unwrap(),
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test)
}

/// Lets every task go on until it waits, and time pass.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[derive(Debug, Clone)]
enum Act {
    Publish(usize, usize),
    Join(usize, usize),
    Resume(usize, usize),
    Leave(usize),
    MakeRoom(usize, usize),
    Settle,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (0_usize..3, 1_usize..80).prop_map(|(c, n)| Act::Publish(c, n)),
        3 => (0_usize..3, 0_usize..50).prop_map(|(c, n)| Act::Join(c, n)),
        3 => (0_usize..20, 0_usize..50).prop_map(|(m, n)| Act::Resume(m, n)),
        1 => (0_usize..20).prop_map(Act::Leave),
        6 => (0_usize..20, 1_usize..60).prop_map(|(m, n)| Act::MakeRoom(m, n)),
        4 => Just(Act::Settle),
    ];
    proptest::collection::vec(act, 1..60)
}

struct Seat {
    key: ConversationKey,
    resumed_at: Option<u64>,
    pipe: Arc<Pipe>,
    membership: Option<Membership>,
}

async fn play(acts: Vec<Act>) {
    let mut world = World::new(limits());
    let mut seats: Vec<Seat> = Vec::new();
    for act in acts {
        match act {
            Act::Publish(conversation, count) => {
                for _ in 0..count {
                    world.publish(&key(conversation));
                }
            }
            Act::Join(conversation, room) => {
                let key = key(conversation);
                let pipe = Pipe::with_room(room);
                let join = Join::Fresh {
                    replay: room % 4 != 0,
                };
                let membership = world.hub.join(&key, join, pipe.clone());
                seats.push(Seat {
                    key,
                    resumed_at: None,
                    pipe,
                    membership: Some(membership),
                });
            }
            Act::Resume(member, room) => {
                // Goes on from the last event that an earlier member saw.
                let Some(earlier) = seats.get(member) else {
                    continue;
                };
                let Some(&position) = earlier.pipe.events().last() else {
                    continue;
                };
                let key = earlier.key.clone();
                let cursor = CursorSpace::new(&world.hub.seal, &key).cursor(Position(position));
                let pipe = Pipe::with_room(room);
                let membership = world.hub.join(&key, Join::Resume(cursor), pipe.clone());
                seats.push(Seat {
                    key,
                    resumed_at: Some(position),
                    pipe,
                    membership: Some(membership),
                });
            }
            Act::Leave(member) => {
                let membership = seats
                    .get_mut(member)
                    .and_then(|seat| seat.membership.take());
                if let Some(membership) = membership {
                    world.hub.leave(&membership);
                }
            }
            Act::MakeRoom(member, more) => {
                if let Some(seat) = seats.get(member) {
                    seat.pipe.make_room(more);
                }
            }
            Act::Settle => settle().await,
        }
    }
    for seat in &seats {
        seat.pipe.make_room(1_000_000);
    }
    settle().await;
    for seat in seats.iter().filter(|seat| seat.membership.is_some()) {
        world.check(&seat.key, seat.resumed_at, &seat.pipe);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_member_gets_every_event_once_in_order_or_is_told(acts in acts()) {
        run(play(acts));
    }
}

#[test]
fn a_member_that_does_not_read_is_reset_and_the_others_are_not() {
    run(async {
        let mut world = World::new(limits());
        let healthy = Pipe::with_room(usize::MAX);
        let stalled = Pipe::with_room(5);
        for pipe in [&healthy, &stalled] {
            world
                .hub
                .join(&key(0), Join::Fresh { replay: true }, (*pipe).clone());
        }
        settle().await;
        for _ in 0..500 {
            world.publish(&key(0));
        }
        assert_eq!(healthy.events(), (1..=500).collect::<Vec<_>>());
        // What is kept for it is bounded: the ten for replay, the lag, and what is remembered.
        assert!(
            world.hub.bytes() < 20_000 + 10 * 1_000,
            "{}",
            world.hub.bytes()
        );
        stalled.make_room(usize::MAX - 10);
        settle().await;
        assert!(matches!(stalled.told()[5], Told::Reset(_)));
        assert_eq!(stalled.events()[4..], (491..=500).collect::<Vec<_>>());
        world.publish(&key(0));
        assert_eq!(stalled.events().last(), Some(&501));
    });
}

#[test]
fn a_conversation_without_members_and_entries_costs_nothing_and_is_not_taken_for_complete() {
    run(async {
        let mut world = World::new(Limits {
            bytes: 0,
            ..limits()
        });
        world.publish(&key(0));
        assert_eq!((world.hub.conversations(), world.hub.bytes()), (0, 0));
        let space = CursorSpace::new(&world.hub.seal, &key(0));
        for (position, resume) in [(0, Resume::Reset), (1, Resume::Resumed), (2, Resume::Reset)] {
            let pipe = Pipe::with_room(10);
            let cursor = space.cursor(Position(position));
            let membership = world.hub.join(&key(0), Join::Resume(cursor), pipe.clone());
            settle().await;
            assert!(
                matches!(pipe.told()[0], Told::Joined(_, told, 0) if told == resume),
                "{position}"
            );
            world.hub.leave(&membership);
        }
        assert_eq!(world.hub.conversations(), 0);
    });
}

#[test]
fn the_bound_for_all_windows_drops_the_oldest_of_all() {
    run(async {
        let mut world = World::new(Limits {
            bytes: 20_000,
            ..limits()
        });
        for _ in 0..5 {
            world.publish(&key(0));
        }
        // A burst in many conversations: it takes what it needs from the oldest.
        for number in 1..200 {
            world.publish(&key(number));
            assert!(world.hub.bytes() <= 20_000);
        }
        let pipe = Pipe::with_room(100);
        let start = CursorSpace::new(&world.hub.seal, &key(0)).cursor(Position(0));
        world.hub.join(&key(0), Join::Resume(start), pipe.clone());
        let newest = Pipe::with_room(100);
        world
            .hub
            .join(&key(199), Join::Fresh { replay: true }, newest.clone());
        settle().await;
        assert!(matches!(pipe.told()[0], Told::Joined(_, Resume::Reset, 0)));
        assert!(matches!(
            newest.told()[0],
            Told::Joined(_, Resume::Fresh, 1)
        ));
    });
}
