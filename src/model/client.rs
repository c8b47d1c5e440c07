//! A member that comes and goes, and what it may rely on.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::LazyLock;

use time::OffsetDateTime;

use super::EVENTS;
use super::hub::Hub;
use super::record::Stored;
use crate::conversation::{
    Cursor, Entry, Joined, Offer, Outlet, Participant, Position, ResetNotice, Resume,
};

/// What a member hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Joined(Cursor, Resume, usize),
    Event(Position, u8, Cursor),
    Reset(Cursor),
}

thread_local! {
    /// What was said in this step, which one thread takes.
    static HEARD: RefCell<Vec<Heard>> = const { RefCell::new(Vec::new()) };
    /// How much the socket has room for.
    static ROOM: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// What was said since the last time.
pub(super) fn heard() -> Vec<Heard> {
    HEARD.take()
}

/// Says how much the socket has room for.
pub(super) fn set_room(room: usize) {
    ROOM.set(room);
}

/// The member's socket.
pub(super) struct Socket;

fn say(heard: Heard) -> Offer {
    let Some(room) = ROOM.get().checked_sub(1) else {
        return Offer::Full;
    };
    ROOM.set(room);
    HEARD.with_borrow_mut(|all| all.push(heard));
    Offer::Taken
}

impl Outlet for Socket {
    fn joined(&self, joined: &Joined) -> Offer {
        say(Heard::Joined(
            joined.cursor,
            joined.resume,
            joined.replaying,
        ))
    }

    fn event(&self, entry: &Entry, _: bool) -> Offer {
        let meta = entry.meta(false);
        let cursor = meta.strip_prefix("{\"cursor\":\"").unwrap();
        let cursor = Cursor::parse(&cursor[..32]).unwrap();
        let id = entry.payload().parse().unwrap();
        say(Heard::Event(entry.position, id, cursor))
    }

    fn reset(&self, notice: &ResetNotice) -> Offer {
        say(Heard::Reset(notice.cursor))
    }

    fn flush(&self) {}

    fn room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn participant(&self) -> &Participant {
        static ADA: LazyLock<Participant> = LazyLock::new(|| Participant {
            agent: "ada".to_owned(),
            name: None,
            connected_at: OffsetDateTime::UNIX_EPOCH,
        });
        &ADA
    }

    fn disconnect(&self) -> bool {
        false
    }
}

/// The member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Client {
    /// The replica where it is.
    pub(super) at: Option<usize>,
    /// What it gives back when it comes again, and the life of the stream that it is of.
    pub(super) cursor: Option<(Cursor, u8)>,
    /// The record up to which it has everything; `None`: it begins with the first new event.
    pub(super) has: Option<(u64, Stored)>,
}

/// What the replica where the member is has read when it says something.
pub(super) struct Place<'a> {
    pub(super) read: &'a [(u64, Stored)],
    /// The new events among it.
    pub(super) news: &'a [(u64, Stored)],
    /// Whether that is all there is, in this life of the stream.
    pub(super) is_current: bool,
    pub(super) life: u8,
}

impl<'a> Place<'a> {
    pub(super) fn of(hub: &'a Hub, news: &'a [(u64, Stored)], is_current: bool, life: u8) -> Self {
        Self {
            read: &hub.read,
            news,
            is_current,
            life,
        }
    }

    /// What a member has when nothing more comes: what it is told that its cursor stands for.
    fn newest(&self) -> Option<(u64, Stored)> {
        self.news.last().or(self.read.last()).copied()
    }

    /// The new events after what somebody has, if they are known.
    fn missed(&self, has: Option<(u64, Stored)>) -> Option<&'a [(u64, Stored)]> {
        let Some((offset, _)) = has else {
            return Some(self.news);
        };
        let goes_on = self.read.first().is_some_and(|first| first.0 == offset + 1);
        let is_known = has.is_some_and(|has| self.read.contains(&has)) || goes_on;
        let from = self.news.partition_point(|new| new.0 <= offset);
        is_known.then_some(&self.news[from..])
    }
}

impl Client {
    /// Hears something.
    pub(super) fn hear(&mut self, heard: Heard, place: &Place<'_>) -> Result<(), &'static str> {
        match heard {
            Heard::Joined(cursor, Resume::Resumed, replaying) => {
                let missed = place.missed(self.has);
                let missed = missed.ok_or("resumed, though what the member has is gone")?;
                if missed.len() != replaying {
                    return Err("resumed without all that was missed");
                }
                if replaying == 0 {
                    self.has = place.newest().or(self.has);
                    self.cursor = Some((cursor, place.life));
                }
            }
            Heard::Joined(cursor, resume, replaying) => {
                if resume == Resume::Reset && self.might_go_on(place) {
                    return Err("reset, though nothing was missing");
                }
                if replaying != place.news.len().min(EVENTS) {
                    return Err("another beginning than the window");
                }
                self.begin(cursor, place);
            }
            Heard::Reset(cursor) => self.begin(cursor, place),
            Heard::Event(position, id, cursor) => {
                let missed = place.missed(self.has);
                let missed = missed.ok_or("goes on, though what the member has is gone")?;
                match missed.first() {
                    Some(next) if (next.0 + 1, next.1.id) == (position.0, id) => {
                        self.has = Some(*next);
                    }
                    _ => return Err("another event than the next"),
                }
                self.cursor = Some((cursor, place.life));
            }
        }
        Ok(())
    }

    /// Whether a replica can give the member all that it has missed.
    fn might_go_on(&self, place: &Place<'_>) -> bool {
        let is_of_this_life = self.cursor.is_some_and(|(_, life)| life == place.life);
        let has = self.has.filter(|has| place.read.contains(has));
        let missed = has.and_then(|has| place.missed(Some(has)));
        place.is_current && is_of_this_life && missed.is_some_and(|missed| missed.len() <= EVENTS)
    }

    /// Begins with the window.
    fn begin(&mut self, cursor: Cursor, place: &Place<'_>) {
        let before = place.news.len().checked_sub(EVENTS + 1);
        self.has = before.map(|before| place.news[before]);
        // Until something of the window has come, the member stands nowhere.
        self.cursor = None;
        if place.news.is_empty() {
            self.has = place.newest();
            self.cursor = Some((cursor, place.life));
        }
    }
}
