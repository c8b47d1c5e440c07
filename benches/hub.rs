//! What it costs to join a conversation and to offer an event to its members:
//! `cargo bench --bench hub`. The members take everything and send nothing.

use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use agent_gateway::conversation::{
    Accepted, Arrival, Batch, ConversationKey, CursorKey, Entry, Epoch, Event, EventName, Hub, Id,
    Join, Joined, Offer, Outlet, Participant, Position, ResetNotice, WindowLimits,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use tokio::runtime::Runtime;

/// A member who counts what it is told.
struct Listener {
    participant: Participant,
    told: AtomicUsize,
}

impl Listener {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            participant: Participant {
                agent: "agent-1".to_owned(),
                name: None,
                connected_at: OffsetDateTime::UNIX_EPOCH,
            },
            told: AtomicUsize::new(0),
        })
    }

    fn tell(&self) -> Offer {
        self.told.fetch_add(1, Ordering::Relaxed);
        Offer::Taken
    }
}

impl Outlet for Listener {
    fn joined(&self, joined: &Joined) -> Offer {
        black_box(joined);
        self.tell()
    }

    fn event(&self, entry: &Entry, replayed: bool) -> Offer {
        black_box((entry, replayed));
        self.tell()
    }

    fn reset(&self, notice: &ResetNotice) -> Offer {
        black_box(notice);
        self.tell()
    }

    fn flush(&self) {}

    fn room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn participant(&self) -> &Participant {
        &self.participant
    }

    fn disconnect(&self) -> bool {
        false
    }
}

/// A conversation, the only one of its hub.
struct Room {
    hub: Arc<Hub>,
    key: ConversationKey,
    payload: Box<RawValue>,
    events: u64,
}

impl Room {
    fn new() -> Self {
        let id = |text: &str| Id::parse(text).unwrap_or_else(|error| panic!("{error}"));
        let limits = WindowLimits {
            age: Duration::from_secs(600),
            events: 256,
            bytes: 256 << 20,
            lag_bytes: 8 << 20,
            remembered: WindowLimits::MIN_REMEMBERED,
            shared: false,
        };
        let payload = r#"{"messageId":"m","text":"The driver says that nobody was at home yesterday.","timestamp":"2024-05-01T10:00:00Z"}"#;
        Self {
            hub: Arc::new(Hub::new(Epoch(1), &CursorKey::random(), limits)),
            key: ConversationKey {
                tenant: id("acme"),
                conversation: id("c-1"),
            },
            payload: RawValue::from_string(payload.to_owned()).unwrap_or_default(),
            events: 0,
        }
    }

    fn event(&mut self) -> (Event, Position) {
        self.events += 1;
        let event = Event {
            key: self.key.clone(),
            name: EventName::InboundMessage,
            payload: self.payload.clone(),
            identity: None,
            event_id: None,
            trace: None,
        };
        (event, Position(self.events))
    }

    fn apply(&self, (event, position): (Event, Position)) {
        let at = Accepted::now();
        black_box(
            self.hub
                .apply(event, || position, at, &mut Batch::default()),
        );
    }
}

/// Joining until all that is replayed has come, and leaving.
fn join(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("join");
    for replayed in [0, 256] {
        group.bench_function(format!("{replayed} replayed"), |bencher| {
            let runtime = runtime();
            let mut room = Room::new();
            for _ in 0..replayed {
                let next = room.event();
                room.apply(next);
            }
            bencher.iter(|| {
                runtime.block_on(async {
                    let listener = Listener::new();
                    let join = Join::Fresh { replay: true };
                    let membership = room.hub.join(&room.key, join, listener.clone());
                    while room.hub.catching_up() > 0 {
                        tokio::task::yield_now().await;
                    }
                    room.hub.leave(&membership);
                    assert_eq!(listener.told.load(Ordering::Relaxed), 1 + replayed);
                });
            });
        });
    }
    group.finish();
}

/// An event to members who are all live.
fn offer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("offer");
    for members in [2, 1_000] {
        group.throughput(Throughput::Elements(members));
        group.bench_function(format!("{members} members"), |bencher| {
            let runtime = runtime();
            let mut room = Room::new();
            let listener = Listener::new();
            runtime.block_on(async {
                for _ in 0..members {
                    let join = Join::Fresh { replay: false };
                    room.hub.join(&room.key, join, listener.clone());
                }
                while room.hub.catching_up() > 0 {
                    tokio::task::yield_now().await;
                }
            });
            let hub = room.hub.clone();
            let at = Accepted::now();
            bencher.iter_batched(
                || room.event(),
                |(event, position)| {
                    // As a source does it, whose events are timed.
                    let mut batch = Batch::default();
                    batch.arrived(Arrival {
                        at: Instant::now(),
                        published_before: Some(Duration::from_millis(1)),
                    });
                    hub.apply(event, || position, at, &mut batch)
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.build().unwrap_or_else(|error| panic!("{error}"))
}

criterion_group!(benches, join, offer);
criterion_main!(benches);
