//! What it costs to append to a window, without anybody to tell: `cargo bench --bench window`.
//!
//! Through the hub, as everything is: the look-up of the conversation, whether the event repeats
//! one, its place, and what falls out of the window for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agent_gateway::conversation::{
    Accepted, Batch, ConversationKey, CursorKey, Epoch, Event, EventName, Hub, Id, Identity,
    Position, Published, WindowLimits,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::value::RawValue;

/// A hub with the window of this many events.
fn hub(events: usize) -> Arc<Hub> {
    Arc::new(Hub::new(
        Epoch(1),
        &CursorKey::random(),
        WindowLimits {
            age: Duration::from_secs(600),
            events,
            bytes: 256 << 20,
            lag_bytes: 8 << 20,
            remembered: WindowLimits::MIN_REMEMBERED,
            shared: false,
        },
    ))
}

/// Makes events of `conversations`, one after the other.
struct Events {
    keys: Vec<ConversationKey>,
    payload: Box<RawValue>,
    made: AtomicU64,
}

impl Events {
    fn new(conversations: usize) -> Self {
        let id = |text: &str| Id::parse(text).unwrap_or_else(|error| panic!("{error}"));
        let keys = (0..conversations).map(|number| ConversationKey {
            tenant: id("acme"),
            conversation: id(&format!("c-{number}")),
        });
        let payload = r#"{"messageId":"m","text":"The driver says that nobody was at home yesterday.","timestamp":"2024-05-01T10:00:00Z"}"#;
        Self {
            keys: keys.collect(),
            payload: RawValue::from_string(payload.to_owned()).unwrap_or_default(),
            made: AtomicU64::new(0),
        }
    }

    /// An event that has not been before, and its position.
    fn next(&self) -> (Event, Position) {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let event = Event {
            key: self.keys[number as usize % self.keys.len()].clone(),
            name: EventName::InboundMessage,
            payload: self.payload.clone(),
            identity: Some(Identity::Inbound(format!("m-{number}").into())),
            event_id: None,
            trace: None,
        };
        (event, Position(number + 1))
    }
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    for (name, conversations) in [("one conversation", 1), ("500 conversations", 500)] {
        group.bench_function(name, |bencher| {
            let (hub, events) = (hub(256), Events::new(conversations));
            bencher.iter_batched(
                || events.next(),
                |(event, position)| apply(&hub, event, position),
                BatchSize::SmallInput,
            );
        });
    }
    group.bench_function("repeat", |bencher| {
        let (hub, events) = (hub(256), Events::new(1));
        let (event, position) = events.next();
        apply(&hub, event.clone(), position);
        bencher.iter_batched(
            || event.clone(),
            |event| apply(&hub, event, position),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn apply(hub: &Arc<Hub>, event: Event, position: Position) -> Published {
    hub.apply(event, || position, Accepted::now(), &mut Batch::default())
}

criterion_group!(benches, append);
criterion_main!(benches);
