//! Members with sockets that take as much as they are allowed to, whatever happens around them.

mod shared;

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::value::to_raw_value;
use tokio::sync::Notify;

use super::super::cursor::Mark;
use super::super::entry::Entry;
use super::super::event::EventName;
use super::super::id::Id;
use super::super::member::{Joined, Offer, Participant, ResetNotice, Resume};
use super::*;

/// What a member has received.
#[derive(Debug, Clone, PartialEq)]
enum Received {
    Joined(Cursor, Resume, usize),
    Event(u64, bool),
    Reset(Cursor),
}

/// A socket with room for so many packets.
#[derive(Default)]
struct Pipe {
    room: Mutex<usize>,
    more_room: Notify,
    queued: Mutex<Vec<Received>>,
    /// What has been flushed.
    received: Mutex<Vec<Received>>,
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

    fn take(&self, received: Received) -> Offer {
        let mut room = self.room.lock().unwrap();
        if *room == 0 {
            return Offer::Full;
        }
        *room -= 1;
        let mut queued = self.queued.lock().unwrap();
        queued.push(received);
        match queued.len() {
            1 => Offer::Queued,
            _ => Offer::Taken,
        }
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    fn events(&self) -> Vec<u64> {
        let received = self.received();
        let positions = received.iter().filter_map(|received| match received {
            Received::Event(position, _) => Some(*position),
            _ => None,
        });
        positions.collect()
    }
}

impl Outlet for Pipe {
    fn joined(&self, joined: &Joined) -> Offer {
        self.take(Received::Joined(
            joined.cursor,
            joined.resume,
            joined.replaying,
        ))
    }

    fn event(&self, entry: &Entry, replayed: bool) -> Offer {
        self.take(Received::Event(entry.position.0, replayed))
    }

    fn reset(&self, notice: &ResetNotice) -> Offer {
        self.take(Received::Reset(notice.cursor))
    }

    fn flush(&self) {
        let mut queued = self.queued.lock().unwrap();
        self.received.lock().unwrap().append(&mut queued);
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

fn limits() -> WindowLimits {
    WindowLimits {
        age: Duration::from_secs(600),
        events: 10,
        bytes: usize::MAX,
        lag_bytes: 20_000,
        remembered: 4096,
        shared: false,
    }
}

/// A hub, and the positions of each conversation's events.
struct World {
    hub: Arc<Hub>,
    newest: AtomicU64,
    published: HashMap<ConversationKey, Vec<u64>>,
}

impl World {
    fn new(limits: WindowLimits) -> Self {
        Self {
            hub: Arc::new(Hub::new(Epoch(7), &CursorKey::random(), limits)),
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
            trace: None,
        };
        let next = || Position(self.newest.fetch_add(1, Ordering::Relaxed) + 1);
        let mut batch = Batch::default();
        let applied = self.hub.apply(event, next, Accepted::now(), &mut batch);
        assert!(matches!(applied, Published::New(_)));
        let position = self.newest.load(Ordering::Relaxed);
        self.published
            .entry(key.clone())
            .or_default()
            .push(position);
    }

    fn position(&self, key: &ConversationKey, cursor: Cursor) -> u64 {
        let space = CursorSpace::new(&self.hub.seal, key);
        space.open(cursor).unwrap().0.0
    }

    /// Checks all that a member can rely on: joined first; then its events in journal order, each
    /// once, none missing but before a reset.
    fn check(&self, key: &ConversationKey, resumed_at: Option<u64>, pipe: &Pipe) {
        let received = pipe.received();
        let published = self.published.get(key).cloned().unwrap_or_default();
        let mut received = received.into_iter();
        let Some(Received::Joined(cursor, resume, replaying)) = received.next() else {
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
        for received in received {
            match received {
                Received::Joined(..) => panic!("joined twice"),
                Received::Reset(_) => {
                    expected = None;
                    seen_reset = true;
                }
                Received::Event(position, is_replayed) => {
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
async fn quiesce() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[derive(Debug, Clone)]
enum Action {
    Publish(usize, usize),
    Join(usize, usize),
    Resume(usize, usize),
    Leave(usize),
    MakeRoom(usize, usize),
    Quiesce,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        6 => (0_usize..3, 1_usize..80).prop_map(|(c, n)| Action::Publish(c, n)),
        3 => (0_usize..3, 0_usize..50).prop_map(|(c, n)| Action::Join(c, n)),
        3 => (0_usize..20, 0_usize..50).prop_map(|(m, n)| Action::Resume(m, n)),
        1 => (0_usize..20).prop_map(Action::Leave),
        6 => (0_usize..20, 1_usize..60).prop_map(|(m, n)| Action::MakeRoom(m, n)),
        4 => Just(Action::Quiesce),
    ];
    proptest::collection::vec(action, 1..60)
}

struct Subscriber {
    key: ConversationKey,
    resumed_at: Option<u64>,
    pipe: Arc<Pipe>,
    membership: Option<Membership>,
}

async fn play(actions: Vec<Action>) {
    let mut world = World::new(limits());
    let mut subscribers: Vec<Subscriber> = Vec::new();
    for action in actions {
        match action {
            Action::Publish(conversation, count) => {
                for _ in 0..count {
                    world.publish(&key(conversation));
                }
            }
            Action::Join(conversation, room) => {
                let key = key(conversation);
                let pipe = Pipe::with_room(room);
                let join = Join::Fresh {
                    replay: room % 4 != 0,
                };
                let membership = world.hub.join(&key, join, pipe.clone());
                subscribers.push(Subscriber {
                    key,
                    resumed_at: None,
                    pipe,
                    membership: Some(membership),
                });
            }
            Action::Resume(member, room) => {
                // Goes on from the last event that an earlier member saw.
                let Some(earlier) = subscribers.get(member) else {
                    continue;
                };
                let Some(&position) = earlier.pipe.events().last() else {
                    continue;
                };
                let key = earlier.key.clone();
                let cursor =
                    CursorSpace::new(&world.hub.seal, &key).cursor(Position(position), Mark(0));
                let pipe = Pipe::with_room(room);
                let membership = world.hub.join(&key, Join::Resume(cursor), pipe.clone());
                subscribers.push(Subscriber {
                    key,
                    resumed_at: Some(position),
                    pipe,
                    membership: Some(membership),
                });
            }
            Action::Leave(member) => {
                let membership = subscribers
                    .get_mut(member)
                    .and_then(|subscriber| subscriber.membership.take());
                if let Some(membership) = membership {
                    world.hub.leave(&membership);
                }
            }
            Action::MakeRoom(member, more) => {
                if let Some(subscriber) = subscribers.get(member) {
                    subscriber.pipe.make_room(more);
                }
            }
            Action::Quiesce => quiesce().await,
        }
    }
    for subscriber in &subscribers {
        subscriber.pipe.make_room(1_000_000);
    }
    quiesce().await;
    for subscriber in subscribers
        .iter()
        .filter(|subscriber| subscriber.membership.is_some())
    {
        world.check(&subscriber.key, subscriber.resumed_at, &subscriber.pipe);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_member_gets_every_event_once_in_order_or_a_reset(actions in actions()) {
        run(play(actions));
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
        quiesce().await;
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
        quiesce().await;
        assert!(matches!(stalled.received()[5], Received::Reset(_)));
        assert_eq!(stalled.events()[4..], (491..=500).collect::<Vec<_>>());
        world.publish(&key(0));
        assert_eq!(stalled.events().last(), Some(&501));
    });
}

#[test]
fn a_conversation_without_members_and_entries_costs_nothing_and_is_not_taken_for_complete() {
    run(async {
        let mut world = World::new(WindowLimits {
            bytes: 0,
            ..limits()
        });
        world.publish(&key(0));
        assert_eq!((world.hub.conversations(), world.hub.bytes()), (0, 0));
        let space = CursorSpace::new(&world.hub.seal, &key(0));
        for (position, resume) in [(0, Resume::Reset), (1, Resume::Resumed), (2, Resume::Reset)] {
            let pipe = Pipe::with_room(10);
            let cursor = space.cursor(Position(position), Mark(0));
            let membership = world.hub.join(&key(0), Join::Resume(cursor), pipe.clone());
            quiesce().await;
            assert!(
                matches!(pipe.received()[0], Received::Joined(_, received, 0) if received == resume),
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
        let mut world = World::new(WindowLimits {
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
        let start = CursorSpace::new(&world.hub.seal, &key(0)).cursor(Position(0), Mark(0));
        world.hub.join(&key(0), Join::Resume(start), pipe.clone());
        let newest = Pipe::with_room(100);
        world
            .hub
            .join(&key(199), Join::Fresh { replay: true }, newest.clone());
        quiesce().await;
        assert!(matches!(
            pipe.received()[0],
            Received::Joined(_, Resume::Reset, 0)
        ));
        assert!(matches!(
            newest.received()[0],
            Received::Joined(_, Resume::Fresh, 1)
        ));
    });
}
