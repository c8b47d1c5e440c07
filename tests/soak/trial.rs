//! The judge is put to the test before it judges: it must find every kind of fault in records that
//! were made up for the purpose, and none in a good one.

use std::sync::{Arc, Mutex};

use super::judge::{
    Asked, Fault, GenerationRecord, Joined, Kept, Meta, Millis, Payload, Record, Verdict,
};
use super::script::{Conversation, Kind, STATUSES, Subject};

/// A step of a made-up record.
enum Step {
    /// Connects with the cursor that it holds, if it holds one.
    Joined(&'static str, usize, u32),
    Reset(u32),
    /// The same, because the journal is not the one that it was.
    BegunAgain(u32),
    /// A message with this number, at this cursor.
    Message(u32, u32),
    Replayed(u32, u32),
    Status(u32, &'static str, u32),
    /// A new process generation of the gateway.
    Restart,
    /// So many seconds pass.
    Wait(Millis),
}

use Step::{BegunAgain, Joined as Join, Message, Replayed, Reset, Restart, Status, Wait};

/// What the made-up replicas keep.
const KEPT: Kept = Kept {
    age: 45_000,
    events: 3,
};

/// # Errors
/// What it has not found, or has found where there is nothing.
pub(crate) fn try_the_judge() -> Result<(), String> {
    let fresh = || Join("fresh", 0, 0);
    // Published: messages 0 1 2 1 3 4 and, for message 9, the statuses sent read delivered.
    let trials: Vec<(&str, Vec<Step>, Option<Fault>)> = vec![
        (
            "everything, with a resume and a repeat after a restart",
            vec![
                fresh(),
                Message(0, 1),
                Status(9, "sent", 2),
                Message(1, 3),
                Join("resumed", 1, 4),
                Replayed(2, 4),
                Restart,
                Join("reset", 2, 2),
                Replayed(2, 1),
                Replayed(1, 2),
                Message(3, 3),
            ],
            None,
        ),
        (
            "a gap",
            vec![fresh(), Message(0, 1), Message(2, 2)],
            Some(Fault::Lost),
        ),
        (
            "a gap at a resume",
            vec![fresh(), Message(0, 1), Join("resumed", 0, 2), Message(2, 3)],
            Some(Fault::Lost),
        ),
        (
            "a repeat",
            vec![
                fresh(),
                Message(0, 1),
                Message(1, 2),
                Message(2, 3),
                Message(1, 4),
            ],
            Some(Fault::SeenTwice),
        ),
        (
            "an event twice across a resume",
            vec![
                fresh(),
                Message(0, 1),
                Join("resumed", 1, 1),
                Replayed(0, 1),
            ],
            Some(Fault::SeenTwice),
        ),
        (
            "an event twice on a connection that was reset",
            vec![
                fresh(),
                Message(0, 1),
                Message(1, 2),
                Reset(3),
                Replayed(0, 1),
            ],
            Some(Fault::SeenTwice),
        ),
        (
            "the wrong order",
            vec![fresh(), Message(1, 1), Message(0, 2)],
            Some(Fault::OutOfOrder),
        ),
        (
            "a status that goes back",
            vec![
                fresh(),
                Status(9, "sent", 1),
                Status(9, "read", 2),
                Status(9, "delivered", 3),
            ],
            Some(Fault::WentBack),
        ),
        (
            "what was not published",
            vec![fresh(), Message(7, 1)],
            Some(Fault::Foreign),
        ),
        (
            "a reset for which there was no reason",
            vec![fresh(), Message(0, 1), Join("reset", 2, 2), Replayed(0, 1)],
            Some(Fault::NeedlessReset),
        ),
        (
            "a resume into another process generation",
            vec![fresh(), Message(0, 1), Restart, Join("resumed", 0, 1)],
            Some(Fault::Contract),
        ),
        (
            "an event before joined",
            vec![Message(0, 1)],
            Some(Fault::Contract),
        ),
        (
            "a replay that is not marked",
            vec![Join("fresh", 1, 1), Message(0, 1)],
            Some(Fault::Contract),
        ),
        (
            "a replay that ends elsewhere",
            vec![Join("fresh", 1, 5), Replayed(0, 1)],
            Some(Fault::Contract),
        ),
    ];
    try_records(trials, || GenerationRecord::new(true))?;
    try_records(trials_of_a_stream(), || GenerationRecord::of_stream(KEPT))?;
    two_members()?;
    two_replicas()?;
    a_fresh_member()
}

fn try_records(
    trials: Vec<(&str, Vec<Step>, Option<Fault>)>,
    generation: fn() -> GenerationRecord,
) -> Result<(), String> {
    for (name, steps, expected) in trials {
        let found = play(steps, generation()).err();
        let fault = found.as_ref().map(|verdict| verdict.fault);
        if fault != expected {
            return Err(format!("{name}: found {found:?} instead of {expected:?}"));
        }
    }
    Ok(())
}

/// What holds of replicas that share a stream: `Wait` is all that happens when one of them starts again.
fn trials_of_a_stream() -> Vec<(&'static str, Vec<Step>, Option<Fault>)> {
    let fresh = || Join("fresh", 0, 0);
    vec![
        (
            "a resume at another replica",
            vec![
                fresh(),
                Message(0, 1),
                Join("resumed", 1, 2),
                Replayed(1, 2),
                Message(2, 3),
            ],
            None,
        ),
        (
            "a repeat after a restart",
            vec![
                fresh(),
                Message(0, 1),
                Message(1, 2),
                Join("resumed", 0, 2),
                Message(2, 3),
                Message(1, 4),
            ],
            Some(Fault::SeenTwice),
        ),
        (
            "an event that a replica lacks",
            vec![
                fresh(),
                Message(0, 1),
                Join("resumed", 1, 3),
                Replayed(2, 3),
            ],
            Some(Fault::Lost),
        ),
        (
            "a reset by a restart",
            vec![fresh(), Message(0, 1), Join("reset", 1, 1), Replayed(0, 1)],
            Some(Fault::NeedlessReset),
        ),
        (
            "a reset where nothing has come since",
            vec![fresh(), Message(0, 1), Join("reset", 0, 1)],
            Some(Fault::NeedlessReset),
        ),
        (
            "a reset by a journal that has begun again",
            vec![fresh(), Message(0, 1), BegunAgain(1)],
            Some(Fault::NeedlessReset),
        ),
        (
            "a reset by a replica that had not read the journal",
            vec![
                fresh(),
                Message(0, 1),
                Message(1, 2),
                Wait(JOIN_WAIT),
                Join("reset", 0, 0),
                Message(0, 1),
                Message(1, 2),
                Message(2, 3),
            ],
            None,
        ),
    ]
}

/// A member that is reset is told to be so by what another has seen: the window was full, or what it
/// lacks was too old, or there was no reason.
fn two_replicas() -> Result<(), String> {
    let needless = Some(Fault::NeedlessReset);
    for (name, events, seconds, expected) in [
        ("a full window", 3, 10, None),
        ("what was dropped for its age", 2, 50, None),
        ("a window that was dropped for its age", 0, 50, None),
        ("nothing is missing", 4, 50, needless),
        ("what was dropped too early", 2, 10, needless),
        ("a window that was dropped too early", 0, 10, needless),
    ] {
        let conversation = published();
        let shared = Arc::new(Mutex::new(GenerationRecord::of_stream(KEPT)));
        let mut one = Record::new(conversation.clone());
        let mut other = Record::new(conversation);
        let mut now = 0;
        let mut play = |record: &mut Record, steps: Vec<Step>| {
            steps.into_iter().try_for_each(|step| {
                if let Join(..) = step {
                    let asked = match record.cursor() {
                        Some(_) => Asked::Resume,
                        None => Asked::Fresh { replay: true },
                    };
                    record.connect(0, shared.clone(), asked, now);
                }
                take(record, &step, &mut now)
            })
        };
        let seen = vec![
            Join("fresh", 0, 0),
            Message(0, 1),
            Message(1, 2),
            Message(2, 3),
            Message(3, 4),
            Message(4, 5),
        ];
        play(&mut other, vec![Join("fresh", 0, 0), Message(0, 1)])
            .and_then(|()| play(&mut one, seen))
            .map_err(|verdict| verdict.detail)?;
        let number = 5 - events as u32;
        let reset = match events {
            // The last of all comes after it.
            0 => vec![Join("reset", 0, 4), Message(4, 5)],
            _ => vec![Join("reset", events, 5), Replayed(number, number + 1)],
        };
        let wait = Wait(seconds * 1_000);
        let reset: Vec<_> = std::iter::once(wait).chain(reset).collect();
        let found = play(&mut other, reset).err().map(|verdict| verdict.fault);
        if found != expected {
            return Err(format!("{name}: found {found:?} instead of {expected:?}"));
        }
    }
    Ok(())
}

/// A member that comes later gets of the window what is not too old.
fn a_fresh_member() -> Result<(), String> {
    for (seconds, expected) in [(50, None), (10, Some(Fault::Lost))] {
        let conversation = published();
        let shared = Arc::new(Mutex::new(GenerationRecord::of_stream(KEPT)));
        let first = vec![
            Join("fresh", 0, 0),
            Message(0, 1),
            Message(1, 2),
            Message(2, 3),
        ];
        let later = vec![Join("fresh", 1, 3), Replayed(2, 3), Message(3, 4)];
        let mut found = None;
        for (mut now, steps) in [(0, first), (seconds * 1_000, later)] {
            let mut record = Record::new(conversation.clone());
            record.connect(0, shared.clone(), Asked::Fresh { replay: true }, now);
            let mut steps = steps.into_iter();
            let played = steps.try_for_each(|step| take(&mut record, &step, &mut now));
            found = played.err().map(|verdict| verdict.fault);
        }
        if found != expected {
            return Err(format!("a fresh member after {seconds} s: found {found:?}"));
        }
    }
    Ok(())
}

/// What one member is not told is found although the script allows it.
fn two_members() -> Result<(), String> {
    let conversation = published();
    let shared = Arc::new(Mutex::new(GenerationRecord::new(true)));
    let mut first = Record::new(conversation.clone());
    let mut second = Record::new(conversation.clone());
    let mut third = Record::new(conversation);
    let join = |record: &mut Record, steps: Vec<Step>| {
        record.connect(0, shared.clone(), Asked::Fresh { replay: true }, 0);
        steps
            .into_iter()
            .try_for_each(|step| take(record, &step, &mut 0))
    };
    let both = vec![
        Join("fresh", 0, 0),
        Message(0, 1),
        Status(9, "sent", 2),
        Message(1, 3),
    ];
    let interleaved = vec![Join("fresh", 0, 0), Message(0, 1), Message(1, 3)];
    join(&mut first, both).map_err(|verdict| verdict.detail)?;
    match join(&mut second, interleaved) {
        Err(verdict) if verdict.fault == Fault::Lost => {}
        other => {
            return Err(format!("a status that one member lacks: found {other:?}"));
        }
    }
    match join(&mut third, vec![Join("fresh", 0, 0), Message(0, 7)]) {
        Err(verdict) if verdict.fault == Fault::Contract => Ok(()),
        other => Err(format!("an event at another cursor: found {other:?}")),
    }
}

fn published() -> Arc<Conversation> {
    let conversation = Conversation::new(0, "acme", "c-1");
    for number in [0, 1, 2, 1, 3, 4] {
        let subject = Subject { number, rank: 0 };
        conversation.script(Kind::Message).write(subject);
    }
    for rank in [0, 3, 2] {
        let subject = Subject { number: 9, rank };
        conversation.script(Kind::Status).write(subject);
    }
    Arc::new(conversation)
}

fn play(steps: Vec<Step>, first: GenerationRecord) -> Result<(), Verdict> {
    let (mut generation, mut now, mut asked_at) = (0, 0, 0);
    let mut shared = Arc::new(Mutex::new(first));
    let mut record = Record::new(published());
    for step in steps {
        match step {
            Restart => {
                generation += 1;
                shared = Arc::new(Mutex::new(GenerationRecord::new(false)));
            }
            Join(..) => {
                let asked = match record.cursor() {
                    Some(_) => Asked::Resume,
                    None => Asked::Fresh { replay: true },
                };
                record.connect(generation, shared.clone(), asked, asked_at);
            }
            _ => {}
        }
        // A member that waits has asked before.
        asked_at = now;
        take(&mut record, &step, &mut now)?;
    }
    Ok(())
}

/// Longer than a replica waits for the stream.
const JOIN_WAIT: Millis = 5_000;

fn take(record: &mut Record, step: &Step, now: &mut Millis) -> Result<(), Verdict> {
    let reset = |reason: &str| format!("made up: {reason}");
    let (kind, number, status, cursor, replayed) = match *step {
        Restart => return Ok(()),
        Wait(time) => {
            *now += time;
            return Ok(());
        }
        Join(resume, replaying, cursor) => {
            let joined = Joined {
                tenant_id: record.conversation.tenant.clone(),
                conversation_id: record.conversation.id.clone(),
                cursor: cursor.to_string(),
                resume: resume.to_owned(),
                replaying,
            };
            return record.joined(&joined, *now);
        }
        Reset(cursor) => return record.reset(&cursor.to_string(), &reset("too slow")),
        BegunAgain(cursor) => {
            let reason = reset("the journal has begun again");
            return record.reset(&cursor.to_string(), &reason);
        }
        Message(number, cursor) => (Kind::Message, number, None, cursor, false),
        Replayed(number, cursor) => (Kind::Message, number, None, cursor, true),
        Status(number, status, cursor) => (Kind::Status, number, Some(status), cursor, false),
    };
    debug_assert!(status.is_none_or(|status| STATUSES.contains(&status)));
    let payload = Payload {
        message_id: record.conversation.message_id(kind, number),
        text: (kind == Kind::Message).then(|| "x".repeat(Conversation::length(number))),
        status: status.map(str::to_owned),
    };
    let meta = Meta {
        cursor: cursor.to_string(),
        at: 0,
        replayed,
    };
    record.event(kind, &payload, &meta)
}
