//! What the appender, the tail and those who submit events share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::counts::StreamCounts;
use super::greeting::{Greeting, Replicas};
use super::record::RecordId;
use crate::broker::Check;
use crate::conversation::Published;
use crate::lock::Mutex;

/// The parts of the journal among the checks.
const JOURNAL: &str = "journal";
const REPLICAS: &str = "replicas";

/// The journal's state.
#[derive(Debug)]
pub(super) struct Shared {
    /// The records that were submitted and have no place.
    waiting: Mutex<HashMap<RecordId, Waiting>>,
    pub(super) counts: StreamCounts,
    appending: AtomicBool,
    /// The stream has been read to its end.
    current: watch::Sender<bool>,
    /// Both of these: what is submitted gets its place soon.
    connected: watch::Sender<bool>,
    /// The stream has been read to its end once.
    ready: watch::Sender<bool>,
    check: Mutex<Check>,
    replicas: Mutex<(Replicas, Option<String>)>,
}

/// Who waits for a record's place.
#[derive(Debug)]
enum Waiting {
    /// A delivery, which comes again when nobody waits any more.
    Delivery(oneshot::Sender<Published>),
    /// A call of the relay, whose event is appended whether somebody waits or not.
    Event(Option<oneshot::Sender<Published>>),
    /// The same of a disconnect.
    Disconnect(oneshot::Sender<()>),
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            counts: StreamCounts::default(),
            appending: AtomicBool::new(false),
            current: watch::Sender::new(false),
            connected: watch::Sender::new(false),
            ready: watch::Sender::new(false),
            check: Mutex::new(Check::Starting),
            replicas: Mutex::default(),
        }
    }
}

impl Shared {
    /// Waits for the place of a delivery's event.
    pub(super) fn wait_for_delivery(&self, id: RecordId) -> oneshot::Receiver<Published> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().insert(id, Waiting::Delivery(sender));
        receiver
    }

    /// Waits for the place of an event of the relay.
    pub(super) fn wait_for_event(&self, id: RecordId) -> oneshot::Receiver<Published> {
        let (sender, receiver) = oneshot::channel();
        let waiting = Waiting::Event(Some(sender));
        self.waiting.lock().insert(id, waiting);
        receiver
    }

    /// Waits until a disconnect stands in the stream.
    pub(super) fn wait_for_disconnect(&self, id: RecordId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().insert(id, Waiting::Disconnect(sender));
        receiver
    }

    /// Whether a record is still to be appended.
    pub(super) fn is_wanted(&self, id: RecordId) -> bool {
        let mut waiting = self.waiting.lock();
        let is_wanted = match waiting.get(&id) {
            None => false,
            Some(Waiting::Delivery(sender)) => !sender.is_closed(),
            Some(Waiting::Event(_) | Waiting::Disconnect(_)) => true,
        };
        if !is_wanted {
            waiting.remove(&id);
        }
        is_wanted
    }

    /// A record's event has its place.
    pub(super) fn placed(&self, id: RecordId, published: Published) {
        let waiting = self.waiting.lock().remove(&id);
        if let Some(Waiting::Delivery(sender) | Waiting::Event(Some(sender))) = waiting {
            // Whoever has asked may no longer wait.
            sender.send(published).ok();
        }
    }

    /// A disconnect stands in the stream; whether it is this replica's own.
    pub(super) fn disconnected(&self, id: RecordId) -> bool {
        match self.waiting.lock().remove(&id) {
            Some(Waiting::Disconnect(sender)) => {
                sender.send(()).ok();
                true
            }
            _ => false,
        }
    }

    /// Nobody learns any more what has become of what was submitted. Deliveries are to be submitted
    /// again; what the portal has sent is appended once more.
    pub(super) fn give_up(&self) {
        self.waiting.lock().retain(|_, waiting| match waiting {
            Waiting::Delivery(_) => false,
            Waiting::Event(sender) => {
                *sender = None;
                true
            }
            Waiting::Disconnect(_) => true,
        });
    }

    pub(super) fn set_appending(&self, appending: bool) {
        self.appending.store(appending, Ordering::Release);
        self.connect();
    }

    pub(super) fn set_current(&self, current: bool) {
        self.current.send_replace(current);
        if current {
            self.ready.send_replace(true);
            self.set_check(Check::Up);
        }
        self.connect();
    }

    /// Whether the stream has been read to its end.
    pub(super) fn is_current(&self) -> bool {
        *self.current.borrow()
    }

    /// The same, to be watched.
    pub(super) fn current(&self) -> watch::Receiver<bool> {
        self.current.subscribe()
    }

    fn connect(&self) {
        let connected = self.appending.load(Ordering::Acquire) && self.is_current();
        self.connected.send_replace(connected);
    }

    /// Whether what is submitted gets its place soon.
    pub(super) fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// Waits until the stream has been read to its end once.
    pub(super) async fn ready(&self) {
        // It fails when the sender is gone, which is here.
        self.ready.subscribe().wait_for(|ready| *ready).await.ok();
    }

    pub(super) fn set_check(&self, check: Check) {
        *self.check.lock() = check;
    }

    /// How the journal is doing.
    pub(super) fn checks(&self) -> BTreeMap<&'static str, Check> {
        let replicas = match &self.replicas.lock().1 {
            Some(problem) => Check::Down(problem.clone()),
            None => Check::Up,
        };
        let journal = self.check.lock().clone();
        [(JOURNAL, journal), (REPLICAS, replicas)].into()
    }

    /// A replica has said that it is there. `Some` when there is something else to be said of the
    /// replicas than before: what is wrong now, if anything is.
    pub(super) fn greeted(
        &self,
        greeting: Option<Greeting>,
        own: &Greeting,
    ) -> Option<Option<String>> {
        let now = Instant::now();
        let mut replicas = self.replicas.lock();
        if let Some(greeting) = greeting {
            replicas.0.greeted(greeting, now);
        }
        replicas.0.expire(now);
        let problem = replicas.0.problem(own);
        if problem == replicas.1 {
            return None;
        }
        replicas.1.clone_from(&problem);
        Some(problem)
    }

    /// How many replicas there are, as far as they have been heard of.
    pub(super) fn replicas(&self) -> usize {
        self.replicas.lock().0.count()
    }
}
