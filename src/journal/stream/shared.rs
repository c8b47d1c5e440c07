//! What the appender, the tail and those who submit events share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::counts::StreamCounts;
use super::greeting::{Greeting, Replicas};
use super::record::RecordId;
use super::wanted::{Purpose, Wanted};
use crate::broker::Check;
use crate::conversation::Published;
use crate::lock::Mutex;

/// The parts of the journal among the checks.
const JOURNAL: &str = "journal";
const REPLICAS: &str = "replicas";

/// The journal's state.
#[derive(Debug)]
pub(super) struct Shared {
    /// The records that were made here and have not been read.
    wanted: Mutex<Wanted<Waiting>>,
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

/// Who waits for a record.
#[derive(Debug)]
enum Waiting {
    /// For its event's place.
    Place(oneshot::Sender<Published>),
    /// Until it stands in the stream.
    Done(oneshot::Sender<()>),
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            wanted: Mutex::default(),
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
        self.wait_for_place(id, Purpose::Delivery)
    }

    /// Waits for the place of an event of the relay.
    pub(super) fn wait_for_event(&self, id: RecordId) -> oneshot::Receiver<Published> {
        self.wait_for_place(id, Purpose::Event)
    }

    fn wait_for_place(&self, id: RecordId, purpose: Purpose) -> oneshot::Receiver<Published> {
        let (sender, receiver) = oneshot::channel();
        let waiting = Some(Waiting::Place(sender));
        self.wanted.lock().add(id, purpose, waiting);
        receiver
    }

    /// Waits until a disconnect stands in the stream.
    pub(super) fn wait_for_disconnect(&self, id: RecordId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let waiting = Some(Waiting::Done(sender));
        self.wanted.lock().add(id, Purpose::Disconnect, waiting);
        receiver
    }

    /// The tail needs this record in the stream.
    pub(super) fn notice(&self, id: RecordId) {
        self.wanted.lock().add(id, Purpose::Notice, None);
    }

    /// Whether a record is still to be appended.
    pub(super) fn is_wanted(&self, id: RecordId) -> bool {
        self.wanted.lock().is_wanted(id, |waiting| match waiting {
            Waiting::Place(sender) => !sender.is_closed(),
            Waiting::Done(_) => true,
        })
    }

    /// A record's event has its place.
    pub(super) fn placed(&self, id: RecordId, published: Published) {
        let waiting = self.wanted.lock().read(id);
        if let Some((_, Some(Waiting::Place(sender)))) = waiting {
            // Whoever has asked may no longer wait.
            sender.send(published).ok();
        }
    }

    /// Something else stands in the stream; whether it is a disconnect of this replica's own.
    pub(super) fn passed(&self, id: RecordId) -> bool {
        let waiting = self.wanted.lock().read(id);
        match waiting {
            Some((_, Some(Waiting::Done(sender)))) => {
                sender.send(()).ok();
                true
            }
            _ => false,
        }
    }

    /// Nobody learns any more what has become of what was submitted. Deliveries are to be submitted
    /// again; what the portal has sent is appended once more.
    pub(super) fn give_up(&self) {
        self.wanted.lock().give_up();
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
