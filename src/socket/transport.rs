//! Engine.IO sessions from below: which connection carries a session, whether anything of it gets
//! through, and how it is ended so that the client connects again.
//!
//! `Socket::disconnect` makes the official client stay away ("io server disconnect"), and needs
//! a place in a channel that may be full. What makes a client reconnect is the end of its
//! transport: for a WebSocket its connection is hung up, and a poll is answered with Engine.IO's
//! CLOSE packet (<https://socket.io/docs/v4/engine-io-protocol/#packets>).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::sleep;

use super::backlog::{Backlog, Way};
use super::connects::{Connects, Heard};
use super::held::Held;
use super::namespaces::Namespaces;
use super::places::Place;
use super::release::Release;
use crate::net::Line;

/// All sessions.
pub(super) struct Transports {
    namespaces: Arc<Namespaces>,
    release: Arc<Release>,
    next: AtomicU64,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    all: HashMap<u64, Weak<Transport>>,
    by_sid: HashMap<String, u64>,
}

/// What carries one Engine.IO session. It lives as long as the session's handshake request, which
/// the session keeps.
#[derive(Debug)]
pub(super) struct Transport {
    number: u64,
    place: Place,
    release: Arc<Release>,
    transports: Weak<Transports>,
    /// Known of sessions that began with polling.
    sid: OnceLock<String>,
    /// The WebSocket's connection, once there is one.
    websocket: Mutex<Option<Line>>,
    /// What has not gone out yet.
    pub(super) backlog: Backlog,
    /// What it has opened.
    pub(super) connects: Connects,
    /// What waits for its upgrade.
    pub(super) held: Held,
    ending: AtomicBool,
    ended: Notify,
    /// Taken by the post that is being answered.
    turn: Semaphore,
    /// When a packet last found room, in milliseconds since the session's begin.
    taken_at: AtomicU64,
    begun: Instant,
}

impl Transports {
    pub(super) fn new(namespaces: Arc<Namespaces>, release: Release) -> Arc<Self> {
        Arc::new(Self {
            namespaces,
            release: Arc::new(release),
            next: AtomicU64::new(0),
            sessions: Mutex::default(),
        })
    }

    pub(super) fn open(self: &Arc<Self>, place: Place) -> Arc<Transport> {
        let transport = Arc::new(Transport {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            place,
            release: self.release.clone(),
            transports: Arc::downgrade(self),
            sid: OnceLock::new(),
            websocket: Mutex::default(),
            backlog: Backlog::default(),
            connects: Connects::new(self.namespaces.clone()),
            held: Held::default(),
            ending: AtomicBool::new(false),
            ended: Notify::new(),
            turn: Semaphore::new(1),
            taken_at: AtomicU64::new(0),
            begun: Instant::now(),
        });
        let weak = Arc::downgrade(&transport);
        self.lock().all.insert(transport.number, weak);
        transport
    }

    pub(super) fn find(&self, sid: &str) -> Option<Arc<Transport>> {
        let sessions = self.lock();
        let number = sessions.by_sid.get(sid)?;
        sessions.all.get(number)?.upgrade()
    }

    /// All sessions that there are now.
    pub(super) fn all(&self) -> Vec<Arc<Transport>> {
        let sessions = self.lock();
        sessions.all.values().filter_map(Weak::upgrade).collect()
    }

    /// How many sessions poll, and how many have a WebSocket.
    pub(super) fn census(&self) -> [usize; 2] {
        let all = self.all();
        let carried = |transport: &&Arc<Transport>| transport.websocket().is_some();
        let websocket = all.iter().filter(carried).count();
        [all.len() - websocket, websocket]
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport {
    /// Whether the session is one too many, and is here only to be told so.
    pub(super) fn over_limit(&self) -> bool {
        self.place.over_limit
    }

    /// The client's address.
    pub(super) fn address(&self) -> IpAddr {
        self.place.address
    }

    /// A packet has found room.
    pub(super) fn took(&self) {
        let now = self.begun.elapsed().as_millis() as u64;
        self.taken_at.store(now, Ordering::Relaxed);
    }

    /// How long no packet has found room.
    pub(super) fn stalled(&self) -> Duration {
        let taken_at = Duration::from_millis(self.taken_at.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(taken_at)
    }

    /// The turn to post, of which a session has one; `None`: another post has it.
    pub(super) fn take_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turn.try_acquire().ok()
    }

    /// Whether a WebSocket carries it from its beginning.
    pub(super) fn begins_with_websocket(&self) -> bool {
        self.sid.get().is_none()
    }

    /// Decides whether the library hears what the client has said, of which `message` is the
    /// beginning.
    pub(super) fn hear(self: &Arc<Self>, message: &[u8], websocket: bool) -> Heard {
        if self.is_ending() {
            return Heard::Ignore;
        }
        if !websocket && self.held.waits() {
            return Heard::Wait;
        }
        let room = || self.backlog.has_room(self.way(websocket));
        let heard = self.connects.hear(message, room);
        if heard == Heard::Last {
            self.end_soon();
        }
        heard
    }

    /// Ends the session when what is being said to the client has been.
    pub(super) fn end_soon(self: &Arc<Self>) {
        let transport = self.clone();
        tokio::spawn(async move {
            sleep(LAST_WORDS).await;
            transport.end();
        });
    }

    /// Ends the session by ending its transport, when what waits for the client has gone out: the
    /// client sees `transport close`.
    pub(super) fn end(&self) {
        self.end_by(Line::end_gently);
    }

    /// What the library has to hear before the session's end, so that it lets go of the session
    /// then. `None` if that is so anyway, or cannot be reached: while an upgrade from polling is
    /// under way, the library does not listen to CONNECTs.
    pub(super) fn release(&self) -> Option<&Arc<Release>> {
        let is_unknown = self.begins_with_websocket() && !self.connects.has_joined();
        is_unknown.then_some(&self.release)
    }

    /// Its client has said goodbye: another may come in its place, though it takes the members of
    /// this one a moment to notice. A session that joined nothing keeps its place for as long as
    /// the library keeps the session.
    pub(super) fn left(&self) {
        if self.connects.has_joined() {
            self.place.give_back();
        }
    }

    /// Its WebSocket is gone, and the session with it, whether the library has noticed or not.
    pub(super) fn gone(&self) {
        self.left();
        self.end();
    }

    /// Ends the session of a client that does not take what waits for it.
    pub(super) fn abandon(&self) {
        self.end_by(Line::end_at_once);
    }

    fn end_by(&self, end: impl FnOnce(&Line)) {
        self.ending.store(true, Ordering::Release);
        self.ended.notify_waiters();
        if let Some(line) = &*self.websocket() {
            end(line);
        }
    }

    /// How packets go out now. `websocket`: whether the session has been upgraded, or began so.
    pub(super) fn way(&self, websocket: bool) -> Way {
        match (&*self.websocket(), websocket) {
            (Some(line), true) => Way::WebSocket(line.written()),
            _ => Way::Polls,
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Waits for the end.
    pub(super) async fn ended(&self) {
        let ended = self.ended.notified();
        // Notified first, looked at then: an end in between is seen.
        tokio::pin!(ended);
        ended.as_mut().enable();
        if !self.is_ending() {
            ended.await;
        }
    }

    /// The session's WebSocket has come; false if it has one.
    pub(super) fn carried_by(&self, line: Line) -> bool {
        let mut websocket = self.websocket();
        if websocket.is_some() {
            return false;
        }
        if self.is_ending() {
            line.end_gently();
        }
        *websocket = Some(line);
        true
    }

    pub(super) fn named(&self, sid: String) {
        if let Some(transports) = self.transports.upgrade() {
            transports.lock().by_sid.insert(sid.clone(), self.number);
            self.sid.set(sid).ok();
        }
    }

    fn websocket(&self) -> MutexGuard<'_, Option<Line>> {
        self.websocket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a refusal may take to be on its way.
const LAST_WORDS: Duration = Duration::from_millis(100);

impl Drop for Transport {
    fn drop(&mut self) {
        if let Some(transports) = self.transports.upgrade() {
            let mut sessions = transports.lock();
            sessions.all.remove(&self.number);
            if let Some(sid) = self.sid.get() {
                sessions.by_sid.remove(sid);
            }
        }
    }
}
