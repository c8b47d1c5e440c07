//! Compares what a member sees with what was published, and with what other members see.
//!
//! Two things are known. First, the script: what was published, in the order of each queue; a
//! member must see it line by line, without the lines that are repeats or stale. Second, the
//! cursors: within one process generation of the gateway an event has the same cursor for everybody, and the
//! same event follows it. The first finds what nobody was told, the second what one member was not
//! told, and whether both kinds of events are interleaved for all in the same way.
//!
//! A gateway that starts again begins somewhere in the queues, with an empty memory. What it saw
//! first is not known from outside, so that a repeat may be an event again if what it repeats
//! stands before everything that was seen of this process generation. Everything else is exact.
//!
//! Replicas that share a stream are one generation from the beginning to the end, however often they
//! start again: all of it is exact, and a member is `reset` only when
//!
//! - what follows its cursor has left the window, by its age or by how much came since: what was dropped
//!   must be old enough, or the window full;
//! - it has been too slow for the window on its connection;
//! - its replica has waited for the stream in vain, for as long as it waits.

mod heard;
mod order;
mod verdict;
mod window;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::script::{Conversation, Kind, STATUSES, Subject};
pub(crate) use heard::{Joined, Meta, Millis, Payload};
pub(crate) use verdict::{Fault, Verdict};
use verdict::{Judged, verdict};
use window::{Begun, GivenUp};

/// What a `reset` says when the journal is not the one that it was.
const BEGUN_AGAIN: &str = "begun again";

/// A replica that has not read what a member asks for answers after five seconds; a moment less.
const JOURNAL_WAIT: Millis = 4_900;

/// What replicas that share a stream keep for replay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) age: Millis,
    pub(crate) events: usize,
}

/// What all members of a conversation have seen of one process generation of the gateway.
#[derive(Debug, Default)]
pub(crate) struct GenerationRecord {
    /// Nothing was published before this generation began.
    first: bool,
    /// Of replicas that share a stream.
    kept: Option<Kept>,
    /// The gateway began at or before this line of each script.
    began_by: [Option<usize>; 2],
    /// What stands at a cursor, and when it was accepted.
    events: HashMap<String, (Kind, Subject, Millis)>,
    /// Where an event stands.
    cursors: HashMap<(Kind, Subject), String>,
    after: HashMap<String, String>,
    before: HashMap<String, String>,
}

impl GenerationRecord {
    pub(crate) fn new(first: bool) -> Self {
        Self {
            first,
            began_by: [first.then_some(0); 2],
            ..Self::default()
        }
    }

    /// That of replicas that share a stream.
    pub(crate) fn of_stream(kept: Kept) -> Self {
        Self {
            kept: Some(kept),
            ..Self::new(true)
        }
    }
}

/// What a member asked for when it joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Fresh {
        replay: bool,
    },
    /// With the cursor that it holds.
    Resume,
    /// With something that is no cursor of this conversation, or one of a process generation that is over.
    Nonsense,
}

/// Which events have to be marked as replayed.
#[derive(Debug, PartialEq, Eq)]
enum Replay {
    /// So many more; the last of them stands at this cursor.
    Counted(usize, String),
    /// All up to this cursor.
    Upto(String),
    Over,
}

/// One member in one conversation: what it has seen, through all its connections.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) conversation: Arc<Conversation>,
    shared: Arc<Mutex<GenerationRecord>>,
    generation: u32,
    asked: Asked,
    asked_at: Millis,
    /// Its replica has answered only after it had waited for the stream.
    waited: bool,
    /// Each reset, in words.
    resets: Vec<String>,
    /// Whether `joined` has come on this connection.
    joined: bool,
    /// What a client would give back, and the process generation of the gateway that it is of.
    cursor: Option<(u32, String)>,
    /// The last that it held of an earlier process generation, when it came to another.
    outdated: Option<String>,
    /// Where the member stands; several cursors where nothing lies between them.
    stands_at: Vec<String>,
    /// The cursor with which it was reset.
    given_up: Option<GivenUp>,
    /// How it has begun, until that is judged.
    begun: Option<Begun>,
    replay: Replay,
    /// The lines of each script that its last event can be.
    reached: [Vec<usize>; 2],
    /// The first of them that it has seen without a gap.
    from: [usize; 2],
    /// What this connection has seen of each script, reset or not.
    seen_upto: [Option<usize>; 2],
    /// The last that came, for the report.
    pub(crate) latest: VecDeque<String>,
}

impl Record {
    const LATEST: usize = 12;

    pub(crate) fn new(conversation: Arc<Conversation>) -> Self {
        Self {
            conversation,
            shared: Arc::default(),
            generation: 0,
            asked: Asked::Fresh { replay: true },
            asked_at: 0,
            waited: false,
            resets: Vec::new(),
            joined: false,
            cursor: None,
            outdated: None,
            stands_at: Vec::new(),
            given_up: None,
            begun: None,
            replay: Replay::Over,
            reached: Default::default(),
            from: [0; 2],
            seen_upto: [None; 2],
            latest: VecDeque::new(),
        }
    }

    /// The cursor that a client would give back.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_ref().map(|(_, cursor)| &**cursor)
    }

    /// A cursor that it held of a process generation that is over.
    pub(crate) fn outdated(&self) -> Option<&str> {
        self.outdated.as_deref()
    }

    /// A new connection, to the gateway of this process generation.
    pub(crate) fn connect(
        &mut self,
        generation: u32,
        shared: Arc<Mutex<GenerationRecord>>,
        asked: Asked,
        now: Millis,
    ) {
        self.note(format!("connects to gateway {generation}: {asked:?}"));
        let before = self.cursor.as_ref();
        let before = before.filter(|(other, _)| *other != generation);
        if let Some((_, cursor)) = before {
            self.outdated = Some(cursor.clone());
        }
        self.asked_at = now;
        self.generation = generation;
        self.shared = shared;
        self.asked = asked;
        self.joined = false;
        self.seen_upto = [None; 2];
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.joined
    }

    /// Whether it has seen this line of the script, or would have been told of it.
    pub(crate) fn has_reached(&self, kind: Kind, line: usize) -> bool {
        let reached = &self.reached[kind as usize];
        reached.iter().min().is_some_and(|&first| first >= line)
    }

    /// Why it is not everything from the first line on, in one piece.
    pub(crate) fn incomplete(&self) -> Option<String> {
        (!self.resets.is_empty() || self.from != [0; 2]).then(|| {
            format!(
                "resets {:?}, without a gap since lines {:?}",
                self.resets, self.from
            )
        })
    }

    pub(crate) fn joined(&mut self, joined: &Joined, now: Millis) -> Judged {
        self.note(format!(
            "joined: {}, replaying {}, cursor {}",
            joined.resume, joined.replaying, joined.cursor
        ));
        if self.joined {
            return verdict(Fault::Contract, "joined twice on one connection");
        }
        self.joined = true;
        self.waited = now - self.asked_at >= JOURNAL_WAIT;
        let conversation = &self.conversation;
        if (&joined.tenant_id, &joined.conversation_id) != (&conversation.tenant, &conversation.id)
        {
            return verdict(Fault::Foreign, format!("{joined:?}"));
        }
        let of_this_life = match &self.cursor {
            Some((generation, _)) => *generation == self.generation,
            None => false,
        };
        let possible: &[&str] = match self.asked {
            Asked::Fresh { .. } => &["fresh"],
            Asked::Resume if of_this_life => &["resumed", "reset"],
            Asked::Resume | Asked::Nonsense => &["reset"],
        };
        if !possible.contains(&&*joined.resume) {
            return verdict(
                Fault::Contract,
                format!("{} instead of {possible:?}", joined.resume),
            );
        }
        if self.asked == (Asked::Fresh { replay: false }) && joined.replaying > 0 {
            return verdict(
                Fault::Contract,
                "a replay for a member that did not want one",
            );
        }
        if joined.resume != "resumed" {
            let given_up = self.cursor.take().filter(|_| joined.resume == "reset");
            self.start_over();
            self.given_up = given_up
                .filter(|_| of_this_life && self.asked == Asked::Resume)
                .map(|(_, cursor)| GivenUp {
                    cursor,
                    first: None,
                    judged: false,
                    waited: self.waited,
                });
            if self.given_up.is_some() {
                let waited = (now - self.asked_at) as f64 / 1_000.0;
                self.resets.push(format!("at joining, after {waited:.1} s"));
            }
            if let Some(given_up) = &self.given_up
                && given_up.cursor == joined.cursor
            {
                return verdict(
                    Fault::NeedlessReset,
                    "nothing has come since the cursor that it held",
                );
            }
        } else if let Some((_, cursor)) = &self.cursor {
            self.stands_at = vec![cursor.clone()];
            self.given_up.take_if(|given_up| given_up.waited);
        }
        let wants = self.asked != (Asked::Fresh { replay: false });
        let begins = joined.resume != "resumed" && wants && !self.waited;
        self.begun = begins.then_some(Begun {
            at: now,
            replaying: joined.replaying,
            first: None,
        });
        if joined.replaying == 0 {
            self.replay = Replay::Over;
            self.stand_at(&joined.cursor);
        } else {
            self.replay = Replay::Counted(joined.replaying, joined.cursor.clone());
        }
        Ok(())
    }

    pub(crate) fn reset(&mut self, cursor: &str, reason: &str) -> Judged {
        self.note(format!("reset, cursor {cursor}: {reason}"));
        if !self.joined {
            return verdict(Fault::Contract, "reset before joined");
        }
        let given_up = self.cursor.clone().map(|(_, cursor)| GivenUp {
            cursor,
            first: None,
            judged: false,
            waited: self.waited,
        });
        self.start_over();
        self.resets.push(reason.to_owned());
        self.given_up = given_up;
        self.begun = None;
        // A replica that had not read the stream when the member joined begins with it now.
        if reason.contains(BEGUN_AGAIN) && !self.waited {
            return verdict(Fault::NeedlessReset, reason);
        }
        self.replay = Replay::Upto(cursor.to_owned());
        Ok(())
    }

    pub(crate) fn event(&mut self, kind: Kind, payload: &Payload, meta: &Meta) -> Judged {
        let rank = payload.status.as_deref().unwrap_or_default();
        let replayed = if meta.replayed { " (replayed)" } else { "" };
        self.note(format!(
            "{} {rank}{replayed}, cursor {}",
            payload.message_id, meta.cursor
        ));
        if !self.joined {
            return verdict(Fault::Contract, "an event before joined");
        }
        let subject = self.subject(kind, payload)?;
        self.check_replay(meta)?;
        let shared = self.shared.clone();
        let mut shared = shared.lock().unwrap();
        self.check_reset(meta, &shared)?;
        self.check_window(meta, &shared)?;
        self.check_script(kind, subject, &mut shared)?;
        self.check_cursors(kind, subject, meta, &mut shared)?;
        drop(shared);
        self.stands_at.clear();
        self.stand_at(&meta.cursor);
        Ok(())
    }

    /// Nothing that was seen before has to be continued.
    fn start_over(&mut self) {
        self.stands_at.clear();
        self.reached = Default::default();
    }

    fn stand_at(&mut self, cursor: &str) {
        self.stands_at.push(cursor.to_owned());
        self.cursor = Some((self.generation, cursor.to_owned()));
    }

    fn note(&mut self, line: String) {
        if self.latest.len() == Self::LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(line);
    }

    fn subject(&self, kind: Kind, payload: &Payload) -> Judged<Subject> {
        let Some(number) = self.conversation.number(kind, &payload.message_id) else {
            return verdict(Fault::Foreign, payload.message_id.clone());
        };
        let rank = match kind {
            Kind::Message => {
                let length = payload.text.as_ref().map_or(0, String::len);
                if length != Conversation::length(number) {
                    return verdict(Fault::Contract, format!("a text of {length} bytes"));
                }
                0
            }
            Kind::Status => {
                let status = payload.status.as_deref().unwrap_or_default();
                match STATUSES.iter().position(|&name| name == status) {
                    Some(rank) => rank as u8,
                    None => return verdict(Fault::Contract, format!("status {status:?}")),
                }
            }
        };
        Ok(Subject { number, rank })
    }

    fn check_replay(&mut self, meta: &Meta) -> Judged {
        let expected = match &mut self.replay {
            Replay::Counted(left, last) => {
                *left -= 1;
                if *left == 0 {
                    if *last != meta.cursor {
                        let detail = format!("the replay ends at {}, not at {last}", meta.cursor);
                        return verdict(Fault::Contract, detail);
                    }
                    self.replay = Replay::Over;
                }
                true
            }
            Replay::Upto(last) => {
                if *last == meta.cursor {
                    self.replay = Replay::Over;
                    true
                } else {
                    // The window may have been empty: then the first is a live one.
                    if !meta.replayed && self.stands_at.is_empty() {
                        self.replay = Replay::Over;
                        false
                    } else {
                        true
                    }
                }
            }
            Replay::Over => false,
        };
        if meta.replayed == expected {
            Ok(())
        } else {
            let detail = format!("replayed is {}, not {expected}", meta.replayed);
            verdict(Fault::Contract, detail)
        }
    }
}
