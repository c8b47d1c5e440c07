//! The judge is put to the test before it judges: it must find every kind of fault in records that
//! were made up for the purpose, and none in a good one.

use std::sync::{Arc, Mutex};

use super::judge::{Asked, Fault, GenerationRecord, Joined, Meta, Payload, Record, Verdict};
use super::script::{Conversation, Kind, STATUSES, Subject};

/// A step of a made-up record.
enum Step {
    /// Connects with the cursor that it holds, if it holds one.
    Joined(&'static str, usize, u32),
    Reset(u32),
    /// A message with this number, at this cursor.
    Message(u32, u32),
    Replayed(u32, u32),
    Status(u32, &'static str, u32),
    /// A new process generation of the gateway.
    Restart,
}

use Step::{Joined as Join, Message, Replayed, Reset, Restart, Status};

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
    for (name, steps, expected) in trials {
        let found = play(steps).err().map(|verdict| verdict.fault);
        if found != expected {
            return Err(format!("{name}: found {found:?} instead of {expected:?}"));
        }
    }
    two_members()
}

/// What one member is not told is found although the script allows it.
fn two_members() -> Result<(), String> {
    let conversation = published();
    let shared = Arc::new(Mutex::new(GenerationRecord::new(true)));
    let mut first = Record::new(conversation.clone());
    let mut second = Record::new(conversation);
    let join = |record: &mut Record, steps: Vec<Step>| {
        record.connect(0, shared.clone(), Asked::Fresh { replay: true });
        steps.into_iter().try_for_each(|step| take(record, &step))
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
        Err(verdict) if verdict.fault == Fault::Lost => Ok(()),
        other => Err(format!("a status that one member lacks: found {other:?}")),
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

fn play(steps: Vec<Step>) -> Result<(), Verdict> {
    let mut generation = 0;
    let mut shared = Arc::new(Mutex::new(GenerationRecord::new(true)));
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
                record.connect(generation, shared.clone(), asked);
            }
            _ => {}
        }
        take(&mut record, &step)?;
    }
    Ok(())
}

fn take(record: &mut Record, step: &Step) -> Result<(), Verdict> {
    let (kind, number, status, cursor, replayed) = match *step {
        Restart => return Ok(()),
        Join(resume, replaying, cursor) => {
            return record.joined(&Joined {
                tenant_id: record.conversation.tenant.clone(),
                conversation_id: record.conversation.id.clone(),
                cursor: cursor.to_string(),
                resume: resume.to_owned(),
                replaying,
            });
        }
        Reset(cursor) => return record.reset(&cursor.to_string()),
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
        replayed,
    };
    record.event(kind, &payload, &meta)
}
