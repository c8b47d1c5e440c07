//! The window against a model that forgets nothing.

use proptest::prelude::*;
use serde_json::value::to_raw_value;
use time::OffsetDateTime;

use super::super::cursor::{CursorKey, CursorSpace, Epoch, Mark, Seal};
use super::super::event::{EventName, Status};
use super::super::id::{ConversationKey, Id};
use super::*;

fn key() -> ConversationKey {
    ConversationKey {
        tenant: Id::parse("acme").unwrap(),
        conversation: Id::parse("c-1").unwrap(),
    }
}

fn event(identity: Option<Identity>, event_id: Option<&str>, size: usize) -> Event {
    Event {
        key: key(),
        name: EventName::InboundMessage,
        payload: to_raw_value(&"x".repeat(size)).unwrap(),
        identity,
        event_id: event_id.map(Arc::from),
        trace: None,
    }
}

fn message(id: usize) -> Option<Identity> {
    Some(Identity::Inbound(format!("m-{id}").into()))
}

fn tick(id: usize, status: Status) -> Option<Identity> {
    Some(Identity::Status(format!("m-{id}").into(), status))
}

/// A window, and everything that was ever appended to it.
struct Model {
    window: Window,
    limits: WindowLimits,
    now: Instant,
    cursors: CursorSpace,
    appended: Vec<(Arc<Entry>, Option<Identity>)>,
}

impl Model {
    fn new(events: usize, lag_bytes: usize) -> Self {
        Self {
            window: Window::default(),
            limits: WindowLimits {
                age: Duration::from_secs(60),
                events,
                bytes: usize::MAX,
                lag_bytes,
                remembered: 40,
                shared: false,
            },
            now: Instant::now(),
            cursors: CursorSpace::new(&Seal::new(Epoch(1), &CursorKey::random()), &key()),
            appended: Vec::new(),
        }
    }

    fn append(&mut self, event: Event) -> Deduplication {
        let admission = self.window.admit(&event, self.now, &self.limits);
        if admission != Deduplication::New {
            self.window.repeat(&event, self.now, &self.limits);
        } else {
            let position = Position(self.appended.len() as u64 * 3 + 1);
            let entry = Arc::new(Entry::new(
                self.cursors.cursor(position, Mark(0)),
                position,
                self.now,
                OffsetDateTime::UNIX_EPOCH,
                event.name,
                &event.payload,
                event.trace,
            ));
            self.appended.push((entry.clone(), event.identity.clone()));
            self.window
                .append(entry, event.identity, event.event_id, &self.limits);
            self.window.forget(self.now, &self.limits);
        }
        admission
    }

    /// Appends a new event of `size` bytes.
    fn grow(&mut self, size: usize) {
        let admission = self.append(event(message(self.appended.len()), None, size));
        assert_eq!(admission, Deduplication::New);
    }

    fn trim(&mut self, needed_after: Option<Position>) {
        self.window.forget(self.now, &self.limits);
        self.window.trim(self.now, |_| needed_after, &self.limits);
    }

    fn positions(&self) -> Vec<u64> {
        self.window
            .entries()
            .map(|entry| entry.position.0)
            .collect()
    }

    /// What holds whatever has happened.
    fn check(&self) {
        let window = &self.window;
        let kept: Vec<_> = window.entries().cloned().collect();
        let gone = self.appended.len() - kept.len();
        for (entry, (expected, _)) in kept.iter().zip(&self.appended[gone..]) {
            assert!(Arc::ptr_eq(entry, expected), "a gap in the window");
        }
        let floor = gone
            .checked_sub(1)
            .map_or(Position(0), |last| self.appended[last].0.position);
        assert_eq!(window.floor(), floor);
        let costs: usize = kept.iter().map(|entry| entry.cost()).sum();
        assert_eq!(window.bytes, costs);
        let lagging = kept.len().saturating_sub(self.limits.events);
        let lag: usize = kept[..lagging].iter().map(|entry| entry.cost()).sum();
        assert_eq!(window.lag_bytes, lag);
        for (index, (entry, _)) in self.appended.iter().enumerate() {
            let position = entry.position;
            assert_eq!(window.reaches_back_to(position), index + 1 >= gone);
            if window.reaches_back_to(position) {
                assert_eq!(
                    window.after(position).len(),
                    self.appended.len() - index - 1
                );
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Message(usize),
    Tick(usize, Status),
    Relayed(usize),
    Wait(u64),
    Trim(Option<u64>),
    Evict,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let status = prop_oneof![
        Just(Status::Sent),
        Just(Status::Failed),
        Just(Status::Delivered),
        Just(Status::Read),
    ];
    let step = prop_oneof![
        6 => (0_usize..60).prop_map(Step::Message),
        4 => (0_usize..20, status).prop_map(|(id, status)| Step::Tick(id, status)),
        2 => (0_usize..20).prop_map(Step::Relayed),
        2 => (0_u64..40).prop_map(Step::Wait),
        2 => proptest::option::of(0_u64..400).prop_map(Step::Trim),
        1 => Just(Step::Evict),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn whatever_happens_the_window_is_the_newest_part_of_what_was_appended(
        steps in steps(),
        events in 0_usize..20,
        lag_bytes in 0_usize..10_000,
    ) {
        let mut model = Model::new(events, lag_bytes);
        for step in steps {
            match step {
                Step::Message(id) => { model.append(event(message(id), None, id)); }
                Step::Tick(id, status) => { model.append(event(tick(id, status), None, 0)); }
                Step::Relayed(id) => { model.append(event(None, Some(&format!("e-{id}")), 9)); }
                Step::Wait(seconds) => model.now += Duration::from_secs(seconds),
                Step::Evict => { model.window.evict_oldest(&model.limits); }
                Step::Trim(needed) => {
                    let needed = needed.map(Position);
                    model.trim(needed);
                    let window = &model.window;
                    let lagging = window.entries().len().saturating_sub(events);
                    if lagging > 0 {
                        // More than the bound only for somebody, and within the other bound.
                        let oldest = window.entries().next().unwrap();
                        prop_assert!(needed.is_some_and(|after| oldest.position > after));
                        prop_assert!(window.lag_bytes <= lag_bytes);
                    }
                    let young = |entry: &Arc<Entry>| model.now - entry.accepted <= model.limits.age;
                    prop_assert!(window.entries().all(young));
                }
            }
            model.check();
        }
    }

    /// Against a list of everything that happened, without tables; and against a window that begins
    /// later and remembers nothing of before: what it has read for as long as repeats are known is
    /// enough for it to come to the same results.
    #[test]
    fn a_repeat_is_known_for_as_long_as_promised_and_no_status_goes_back(
        steps in steps(),
        later in 0_usize..100,
        shared in any::<bool>(),
    ) {
        let mut model = Model::new(5, 0);
        model.limits.shared = shared;
        model.limits.remembered = 200;
        let mut other = Model::new(5, 0);
        other.limits = model.limits.clone();
        other.now = model.now;
        let mut happened: Vec<(Instant, Option<Identity>)> = Vec::new();
        let mut begun = None;
        for (number, step) in steps.into_iter().enumerate() {
            let identity = match step {
                Step::Message(id) => message(id),
                Step::Tick(id, status) => tick(id, status),
                Step::Wait(seconds) => {
                    model.now += Duration::from_secs(seconds);
                    other.now = model.now;
                    continue;
                }
                _ => continue,
            };
            let young = |at: &Instant| model.now - *at <= model.limits.age;
            let known = |identity: &Option<Identity>| {
                happened.iter().any(|(at, known)| young(at) && known == identity)
            };
            let newer = happened.iter().any(|(at, known)| match (known, &identity) {
                (Some(Identity::Status(a, known)), Some(Identity::Status(b, status))) => {
                    young(at) && a == b && known > status
                }
                _ => false,
            });
            let is_new = !known(&identity) && !newer;
            let admission = model.append(event(identity.clone(), None, 0));
            prop_assert_eq!(admission == Deduplication::New, is_new);
            if number >= later {
                let begun = *begun.get_or_insert(model.now);
                let others = other.append(event(identity.clone(), None, 0));
                if model.now - begun > model.limits.age {
                    prop_assert_eq!(others == Deduplication::New, is_new);
                }
            }
            happened.push((model.now, identity));
        }
    }

    #[test]
    fn no_more_is_remembered_than_the_latest(steps in steps()) {
        let mut model = Model::new(5, 0);
        model.limits.remembered = 4;
        let mut latest: Vec<Option<Identity>> = Vec::new();
        for step in steps {
            let Step::Message(id) = step else { continue };
            let identity = message(id);
            let is_known = latest.contains(&identity);
            let admission = model.append(event(identity.clone(), None, 0));
            prop_assert_eq!(admission != Deduplication::New, is_known);
            latest.retain(|other| *other != identity);
            latest.push(identity);
            if latest.len() > 8 {
                latest.remove(0);
            }
        }
    }
}

#[test]
fn the_newest_events_are_kept() {
    let mut model = Model::new(3, 0);
    for _ in 0..5 {
        model.grow(10);
        model.trim(None);
    }
    assert_eq!(model.positions(), [7, 10, 13]);
    assert_eq!(model.window.replay_start(3), Position(4));
    assert_eq!(model.window.replay_start(2), Position(7));
    assert_eq!(model.window.replay_start(0), Position(13));
}

#[test]
fn what_a_member_still_needs_stays_as_far_as_the_bound_for_lag_allows() {
    let mut model = Model::new(2, 4 * 600);
    for _ in 0..4 {
        model.grow(100);
        model.trim(Some(Position(1)));
    }
    // The first is what the member has; the others are kept for it.
    assert_eq!(model.positions(), [4, 7, 10]);
    for _ in 0..20 {
        model.grow(100);
        model.trim(Some(Position(1)));
    }
    assert!(model.window.lag_bytes <= 4 * 600);
    assert!(!model.window.reaches_back_to(Position(1)));
    // Nobody needs them any more.
    model.trim(None);
    assert_eq!(model.positions().len(), 2);
}

#[test]
fn an_event_id_is_known_again_and_is_no_message_id() {
    let mut model = Model::new(3, 0);
    assert_eq!(
        model.append(event(None, Some("m-1"), 0)),
        Deduplication::New
    );
    assert_eq!(model.append(event(message(1), None, 0)), Deduplication::New);
    assert_eq!(
        model.append(event(None, Some("m-1"), 0)),
        Deduplication::Duplicate(Position(1))
    );
    assert_eq!(
        model.append(event(message(1), Some("other"), 0)),
        Deduplication::Duplicate(Position(4))
    );
}

#[test]
fn an_idle_window_ends_up_with_nothing() {
    let mut model = Model::new(3, 0);
    for _ in 0..10 {
        model.grow(50);
    }
    model.now += Duration::from_secs(61);
    model.trim(Some(Position(0)));
    assert!(model.window.is_empty());
    assert_eq!(model.window.bytes(&model.limits), 0);
    assert_eq!(model.window.newest(), model.window.floor());
}
