//! Entries of a journal that replicas share.

use super::*;

/// A hub that has read its journal.
fn shared_hub() -> Arc<Hub> {
    let hub = new_hub(Epoch(7), &CursorKey::random());
    hub.set_current(true);
    hub
}

fn new_hub(epoch: Epoch, key: &CursorKey) -> Arc<Hub> {
    let limits = WindowLimits {
        shared: true,
        ..limits()
    };
    Arc::new(Hub::new(epoch, key, limits))
}

fn note(id: u64) -> Event {
    Event {
        key: key(0),
        name: EventName::Other("note".into()),
        payload: to_raw_value("x").unwrap(),
        identity: None,
        event_id: Some(format!("e-{id}").into()),
        trace: None,
    }
}

/// The event of this number at this position, under the mark of the number.
fn record(hub: &Arc<Hub>, number: u64, position: u64) -> Published {
    let place = (Position(position), Mark(number as u32));
    let mut batch = Batch::default();
    hub.record(note(number), place, Accepted::now(), &mut batch)
}

fn join(hub: &Arc<Hub>, join: Join) -> Arc<Pipe> {
    let pipe = Pipe::with_room(1_000);
    hub.join(&key(0), join, pipe.clone());
    pipe
}

fn resume(pipe: &Pipe) -> (Resume, usize) {
    match pipe.received()[0] {
        Received::Joined(_, resume, replaying) => (resume, replaying),
        ref other => panic!("{other:?}"),
    }
}

/// The cursor of the entry with this mark at this position.
fn cursor(hub: &Hub, position: u64, mark: u32) -> Join {
    let space = CursorSpace::new(&hub.seal, &key(0));
    Join::Resume(space.cursor(Position(position), Mark(mark)))
}

#[test]
fn a_member_that_comes_before_the_journal_has_been_read_waits_for_it() {
    run(async {
        let secret = CursorKey::random();
        let other = new_hub(Epoch(7), &secret);
        // Whatever is drawn at the start.
        let hub = new_hub(Epoch(1), &secret);
        let back = join(&hub, cursor(&other, 5, 1));
        let fresh = join(&hub, Join::Fresh { replay: true });
        quiesce().await;
        assert!(back.received().is_empty() && fresh.received().is_empty());
        hub.begin(Position(4));
        hub.set_epoch(Epoch(7));
        record(&hub, 1, 5);
        record(&hub, 2, 6);
        quiesce().await;
        assert!(back.received().is_empty() && fresh.received().is_empty());
        hub.set_current(true);
        quiesce().await;
        assert_eq!(resume(&back), (Resume::Resumed, 1));
        assert_eq!(resume(&fresh), (Resume::Fresh, 2));
    });
}

#[test]
fn a_member_waits_as_long_as_more_of_the_journal_is_read_and_not_for_one_that_is_not_read() {
    run(async {
        let hub = new_hub(Epoch(7), &CursorKey::random());
        let back = join(&hub, cursor(&hub, 60, 60));
        for position in 1..=20 {
            record(&hub, position, position);
            quiesce().await;
        }
        assert!(back.received().is_empty());
        for _ in 0..10 {
            quiesce().await;
        }
        assert_eq!(resume(&back), (Resume::Reset, 10));
    });
}

#[test]
fn a_member_waits_as_long_as_the_journal_is_about_to_be_read() {
    run(async {
        let hub = new_hub(Epoch(7), &CursorKey::random());
        let back = join(&hub, cursor(&hub, 1, 1));
        for _ in 0..20 {
            hub.approached();
            quiesce().await;
        }
        assert!(back.received().is_empty());
        record(&hub, 1, 1);
        hub.set_current(true);
        quiesce().await;
        assert_eq!(resume(&back), (Resume::Resumed, 0));
    });
}

#[test]
fn a_repeat_is_answered_with_its_first_place_on_every_replica() {
    run(async {
        let answers = [shared_hub(), shared_hub()].map(|hub| {
            let answers = [(1, 5), (2, 6), (1, 9), (3, 10)];
            answers.map(|(number, position)| match record(&hub, number, position) {
                Published::New(cursor) => ("new", hub_position(&hub, cursor)),
                Published::Duplicate(cursor) => ("duplicate", hub_position(&hub, cursor)),
                other => panic!("{other:?}"),
            })
        });
        let expected = [("new", 5), ("new", 6), ("duplicate", 5), ("new", 10)];
        assert_eq!(answers, [expected, expected]);
    });
}

fn hub_position(hub: &Hub, cursor: Cursor) -> u64 {
    let space = CursorSpace::new(&hub.seal, &key(0));
    space.open(cursor).unwrap().0.0
}

#[test]
fn what_was_sent_early_is_not_seen_again_by_those_who_got_it() {
    run(async {
        let hub = shared_hub();
        let live = join(&hub, Join::Fresh { replay: true });
        quiesce().await;
        record(&hub, 1, 1);
        let mut batch = Batch::default();
        for _ in 0..2 {
            let early = hub.offer_early(&note(2), Accepted::now(), &mut batch);
            assert!(matches!(early, Published::Early(_)));
        }
        // What has its place is not sent again.
        let known = hub.offer_early(&note(1), Accepted::now(), &mut batch);
        assert!(matches!(known, Published::Duplicate(_)));
        drop(batch);
        let late = join(&hub, Join::Fresh { replay: true });
        quiesce().await;
        // Early, an event is where the member is: at 1.
        assert_eq!(live.events(), [1, 1]);
        record(&hub, 3, 2);
        record(&hub, 2, 3);
        record(&hub, 2, 4);
        record(&hub, 5, 5);
        assert_eq!(live.events(), [1, 1, 2, 5]);
        assert_eq!(late.events(), [1, 2, 3, 5]);
    });
}

#[test]
fn a_member_that_is_behind_passes_by_what_it_was_sent_early() {
    run(async {
        let hub = shared_hub();
        let pipe = Pipe::with_room(2);
        hub.join(&key(0), Join::Fresh { replay: true }, pipe.clone());
        quiesce().await;
        let mut batch = Batch::default();
        hub.offer_early(&note(2), Accepted::now(), &mut batch);
        drop(batch);
        for (number, position) in [(1, 1), (2, 2), (3, 3)] {
            record(&hub, number, position);
        }
        pipe.make_room(100);
        quiesce().await;
        assert_eq!(pipe.events(), [0, 1, 3]);
        record(&hub, 4, 4);
        assert_eq!(pipe.events(), [0, 1, 3, 4]);
    });
}

#[test]
fn a_cursor_that_this_replica_has_not_come_to_waits_for_it_and_not_for_ever() {
    run(async {
        let hub = shared_hub();
        record(&hub, 1, 1);
        let early = join(&hub, cursor(&hub, 2, 2));
        let other = join(&hub, cursor(&hub, 9, 9));
        quiesce().await;
        assert!(early.received().is_empty() && other.received().is_empty());
        record(&hub, 2, 2);
        record(&hub, 3, 3);
        hub.progressed();
        quiesce().await;
        assert_eq!(resume(&early), (Resume::Resumed, 1));
        for _ in 0..5 {
            quiesce().await;
        }
        assert_eq!(resume(&other), (Resume::Reset, 3));
    });
}

#[test]
fn a_cursor_of_an_entry_that_is_gone_from_its_position_is_reset() {
    run(async {
        let hub = shared_hub();
        record(&hub, 1, 1);
        record(&hub, 2, 2);
        hub.pass(Position(3), Mark(3));
        for (position, mark, expected) in [
            (1, 1, Resume::Resumed),
            (1, 7, Resume::Reset),
            (3, 3, Resume::Resumed),
            (3, 4, Resume::Reset),
        ] {
            let pipe = join(&hub, cursor(&hub, position, mark));
            quiesce().await;
            assert_eq!(resume(&pipe).0, expected, "{position} {mark}");
        }
    });
}

#[test]
fn when_the_journal_begins_again_members_are_reset_and_older_cursors_as_well() {
    run(async {
        let hub = shared_hub();
        record(&hub, 1, 101);
        let live = join(&hub, Join::Fresh { replay: true });
        quiesce().await;
        hub.set_current(false);
        hub.begin(Position(4));
        hub.set_epoch(Epoch(8));
        record(&hub, 2, 5);
        quiesce().await;
        assert_eq!(live.received().len(), 2, "it waits");
        hub.set_current(true);
        quiesce().await;
        assert!(matches!(live.received()[2], Received::Reset(_)));
        assert_eq!(live.events(), [101, 5]);
        record(&hub, 3, 6);
        assert_eq!(live.events(), [101, 5, 6]);
        for (position, expected) in [(3, Resume::Reset), (4, Resume::Resumed)] {
            let pipe = join(&hub, cursor(&hub, position, 0));
            quiesce().await;
            assert_eq!(resume(&pipe).0, expected);
        }
    });
}
