//! What is explored, and which faults are found.
//!
//! `cargo test` explores a little of everything; `make model` more of each, and prints how much that was.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use super::mutant::Mutant;
use super::properties::{ACKNOWLEDGED, AGREE, COMPLETE, ORDER, TOLD};
use super::{Fault, World};

/// Deliveries alone: the consumer of the queue moves from one replica to the other.
const DELIVERIES: World = World {
    before: &[],
    messages: &[0, 1, 2],
    prefetch: 2,
    later_prefetch: 2,
    faults: 1,
    kinds: &[Fault::Source, Fault::Appender, Fault::Kill, Fault::Leave],
    moves: 0,
    later: false,
    mutant: None,
};

/// A message that was published twice, and once more when it is no longer known.
const REPEATS: World = World {
    messages: &[0, 0],
    kinds: &[Fault::Source, Fault::Kill],
    later: true,
    ..DELIVERIES
};

/// A stream that is not what was read, and a member that comes back with its cursor.
const REWRITTEN: World = World {
    before: &[0],
    messages: &[],
    kinds: &[Fault::Rewrite, Fault::Remake],
    moves: 1,
    ..DELIVERIES
};

/// A member that comes back while replicas go, and reads slowly.
const MEMBER: World = World {
    before: &[0],
    messages: &[1],
    kinds: &[Fault::Kill, Fault::Tail, Fault::Full, Fault::Impatience],
    moves: 1,
    ..DELIVERIES
};

#[test]
fn deliveries_come_in_order_whoever_takes_them() {
    explore("deliveries", DELIVERIES, 1);
}

#[test]
fn repeats_are_the_same_on_every_replica() {
    explore("repeats", REPEATS, 1);
}

#[test]
fn what_was_rewritten_resets_a_member() {
    explore("rewritten", REWRITTEN, 1);
}

#[test]
fn a_member_gets_everything_in_order_once_or_is_told() {
    explore("member", MEMBER, 1);
}

#[test]
#[ignore = "it takes minutes: make model"]
fn more_of_everything() {
    let threads = available_parallelism().map_or(1, NonZero::get);
    let twice = World {
        messages: &[0, 1],
        faults: 2,
        ..DELIVERIES
    };
    explore("deliveries, with two faults", twice, threads);
    let repeats = World {
        messages: &[0, 1, 0],
        ..REPEATS
    };
    explore("repeats among others", repeats, threads);
    let rewritten = World {
        messages: &[1],
        kinds: &[Fault::Rewrite],
        ..REWRITTEN
    };
    explore("rewritten while deliveries come", rewritten, threads);
    let comes_and_goes = World { moves: 3, ..MEMBER };
    explore("a member that comes and goes", comes_and_goes, threads);
}

#[test]
fn it_finds_a_consumer_that_is_cancelled_before_its_channel_is_closed() {
    let world = World {
        kinds: &[Fault::Leave],
        mutant: Some(Mutant::CancelsFirst),
        ..DELIVERIES
    };
    find(world, ORDER);
}

#[test]
fn it_finds_a_smaller_prefetch_after_a_restart() {
    let world = World {
        messages: &[0, 1],
        later_prefetch: 1,
        faults: 2,
        kinds: &[Fault::Kill],
        ..DELIVERIES
    };
    find(world, ORDER);
}

#[test]
fn it_finds_what_is_acknowledged_before_it_has_its_place() {
    let world = World {
        kinds: &[Fault::Kill],
        mutant: Some(Mutant::AcknowledgesEarly),
        ..DELIVERIES
    };
    find(world, ACKNOWLEDGED);
}

#[test]
fn it_finds_what_is_not_appended_again() {
    let world = World {
        kinds: &[Fault::Appender],
        mutant: Some(Mutant::NothingAgain),
        ..DELIVERIES
    };
    find(world, COMPLETE);
}

#[test]
fn it_finds_a_marker_that_is_not_appended_again() {
    let world = World {
        messages: &[0],
        faults: 2,
        kinds: &[Fault::Appender, Fault::Tail],
        mutant: Some(Mutant::NoticesOnce),
        ..DELIVERIES
    };
    find(world, COMPLETE);
}

#[test]
fn it_finds_positions_that_each_replica_counts() {
    let world = World {
        kinds: &[],
        mutant: Some(Mutant::LocalPositions),
        ..DELIVERIES
    };
    find(world, TOLD);
}

#[test]
fn it_finds_repeats_that_a_local_clock_decides() {
    let world = World {
        messages: &[0],
        mutant: Some(Mutant::LocalClock),
        ..REPEATS
    };
    find(world, TOLD);
}

#[test]
fn it_finds_a_tail_that_goes_on_in_another_stream() {
    let world = World {
        messages: &[0, 1],
        kinds: &[Fault::Rewrite],
        mutant: Some(Mutant::NoVerification),
        ..DELIVERIES
    };
    find(world, AGREE);
}

#[test]
fn it_finds_cursors_that_do_not_say_which_entry_they_mean() {
    let world = World {
        kinds: &[Fault::Rewrite],
        mutant: Some(Mutant::NoMarks),
        ..REWRITTEN
    };
    find(world, TOLD);
}

#[test]
fn it_finds_cursors_that_do_not_say_which_stream_they_are_of() {
    let world = World {
        kinds: &[Fault::Remake],
        mutant: Some(Mutant::NoMarksAndEpochs),
        ..REWRITTEN
    };
    find(world, TOLD);
}

/// Explores all there is within the bounds, in which everything has to be right.
fn explore(name: &str, world: World, threads: usize) {
    let begun = Instant::now();
    let builder = world.checker().threads(threads);
    let checker = builder.finish_when(HasDiscoveries::Any).spawn_bfs().join();
    println!(
        "{name}: {} states in {:.0} s, {} steps deep",
        checker.unique_state_count(),
        begun.elapsed().as_secs_f32(),
        checker.max_depth(),
    );
    if let Some((property, path)) = checker.discoveries().into_iter().next() {
        let last = path.last_state().clone();
        panic!(
            "{property}: {:?}: {:?}\n{last:#?}",
            last.wrong,
            path.into_actions()
        );
    }
}

/// Explores until something is wrong, and this among it.
fn find(world: World, property: &str) {
    let builder = world.checker().finish_when(HasDiscoveries::Any);
    let checker = builder.spawn_bfs().join();
    let found: Vec<_> = checker.discoveries().into_keys().collect();
    assert!(found.contains(&property), "{found:?}");
}
