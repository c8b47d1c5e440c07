//! The journal that replicas share: a RabbitMQ stream.
//!
//! ```text
//! submit ─ Append ─ Appender ══ stream ══ Tail (of every replica) ─ Hub
//!    └───────────── answers ── Shared ──────┘
//! ```
//!
//! An event's position is its record's offset and one. The confirm of an append does not tell the
//! offset: the tail applies the record, and answers whoever has submitted it.
//!
//! A replica that starts reads the stream from as far back as it matters, which is
//! [`reach`](StreamSettings::reach): what a window may hold, and before that, what may make a record
//! in it a repeat.
//!
//! What follows from what happens is decided in steps without tasks, clocks and I/O: [`following`] of what is
//! read, [`unconfirmed`] of what is appended, [`wanted`] of who waits. A model of two replicas takes the same
//! steps in every order (`src/model`).

mod append;
mod appender;
mod clock;
pub(super) mod counts;
mod following;
mod greeting;
mod reading;
mod record;
mod settings;
mod shared;
mod tail;
#[cfg(test)]
mod tests;
mod unconfirmed;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::broker::{Check, keep_connected};
use crate::conversation::{Accepted, Batch, Event, Hub, Published, Selection};
use crate::lock::Mutex;
use crate::throttle::Throttle;
use append::Append;
use appender::Appender;
use clock::Clock;
use counts::StreamCounts;
use following::Following;
pub use greeting::Greeting;
use record::{Body, Record};
pub use settings::StreamSettings;
use tail::Tail;
use unconfirmed::{Outgoing, Unconfirmed};

use super::{NotTaken, Submitted};

/// How long a call of the relay waits for the stream, before the members of this replica get its event
/// at once.
const RELAY_WAIT: Duration = Duration::from_secs(2);

/// How much of the relay's may wait for the broker, in bytes: beyond that calls are refused.
const WAITING_LIMIT: usize = 64 << 20;

/// What waits to be appended.
type Queues = (
    mpsc::UnboundedReceiver<Outgoing>,
    mpsc::UnboundedReceiver<Outgoing>,
);

/// The journal of several replicas.
pub struct StreamJournal {
    hub: Arc<Hub>,
    append: Append,
    settings: StreamSettings,
    /// Taken when the journal begins.
    queues: Mutex<Option<Queues>>,
}

/// The tasks that carry the journal.
pub struct StreamTasks {
    appender: JoinHandle<()>,
    tail: JoinHandle<()>,
    append: Append,
    greeting: Greeting,
    shutdown: CancellationToken,
}

impl StreamJournal {
    /// A journal that feeds the hub, once it [runs](Self::run).
    pub fn new(hub: Arc<Hub>, settings: StreamSettings) -> Self {
        let (notices, noticed) = mpsc::unbounded_channel();
        let (submissions, submitted) = mpsc::unbounded_channel();
        Self {
            hub,
            append: Append {
                notices,
                submissions,
                epoch: Arc::default(),
                shared: Arc::default(),
            },
            settings,
            queues: Mutex::new(Some((noticed, submitted))),
        }
    }

    /// Begins to read and to append. `disconnects` gets what other replicas send away. `None`: it was
    /// begun before.
    pub fn run(&self, disconnects: mpsc::UnboundedSender<Selection>) -> Option<StreamTasks> {
        let (notices, submissions) = self.queues.lock().take()?;
        let attached = watch::Sender::new(false);
        let shutdown = CancellationToken::new();
        let mut appender = Appender {
            stream: self.settings.stream.clone(),
            notices,
            submissions,
            unconfirmed: Unconfirmed::default(),
            attached: attached.subscribe(),
            shared: self.append.shared.clone(),
            shutdown: shutdown.clone(),
        };
        let tail_shutdown = CancellationToken::new();
        let mut tail = Tail {
            settings: self.settings.clone(),
            hub: self.hub.clone(),
            append: self.append.clone(),
            attached,
            disconnects,
            following: Following::default(),
            clock: Clock::new(),
            was_current: false,
            invalid: Throttle::default(),
            shutdown: tail_shutdown.clone(),
        };
        let (uri, stop) = (self.settings.uri.clone(), shutdown.clone());
        let appender = tokio::spawn(async move {
            keep_connected(&mut appender, &uri, &stop).await;
            // What is appended last is not read here any more.
            tail_shutdown.cancel();
        });
        let uri = self.settings.uri.clone();
        let stop = tail.shutdown.clone();
        let tail = tokio::spawn(async move { keep_connected(&mut tail, &uri, &stop).await });
        Some(StreamTasks {
            appender,
            tail,
            append: self.append.clone(),
            greeting: self.settings.greeting.clone(),
            shutdown,
        })
    }

    /// Submits an event of a delivery, which is there again when it gets no place. Its publisher says
    /// that it was published so long before.
    pub fn submit(&self, event: Event, published_before: Option<Duration>) -> Submitted {
        let record = Record {
            published_before,
            ..self.record(event)
        };
        let waiting = self.append.shared.wait_for_delivery(record.id);
        self.append.submit(&record);
        waiting.into()
    }

    fn record(&self, event: Event) -> Record {
        Record::new(self.append.epoch(), Body::Event(event)).known_by_itself()
    }

    /// Submits an event of the relay. While the stream cannot be reached, members of this replica get it
    /// at once, and its place comes later.
    ///
    /// # Errors
    /// Too much waits for the broker already.
    pub async fn relay(&self, event: Event) -> Result<Published, NotTaken> {
        let shared = &self.append.shared;
        if shared.counts.unconfirmed_bytes() > WAITING_LIMIT {
            return Err(NotTaken);
        }
        let record = self.record(event);
        let mut waiting = shared.wait_for_event(record.id);
        self.append.submit(&record);
        let mut connected = shared.connected();
        if *connected.borrow_and_update() {
            let placed = async {
                tokio::select! {
                    placed = &mut waiting => placed.ok(),
                    _ = connected.wait_for(|connected| !*connected) => None,
                }
            };
            if let Ok(Some(published)) = timeout(RELAY_WAIT, placed).await {
                return Ok(published);
            }
        }
        let Body::Event(event) = &record.body else {
            return Err(NotTaken);
        };
        let mut batch = Batch::default();
        let published = self.hub.offer_early(event, Accepted::now(), &mut batch);
        batch.flush().await;
        Ok(published)
    }

    /// Has other replicas send members away as well; `false` when they do later.
    pub async fn disconnect(&self, selection: &Selection) -> bool {
        let body = Body::Disconnect(selection.clone());
        let record = Record::new(self.append.epoch(), body);
        let shared = &self.append.shared;
        let waiting = shared.wait_for_disconnect(record.id);
        self.append.submit(&record);
        let is_connected = *shared.connected().borrow();
        is_connected && matches!(timeout(RELAY_WAIT, waiting).await, Ok(Ok(())))
    }

    /// Waits until the stream has been read to its end once.
    pub async fn ready(&self) {
        self.append.shared.ready().await;
    }

    /// How reading and appending fare.
    pub fn counts(&self) -> &StreamCounts {
        &self.append.shared.counts
    }

    /// How many replicas there are, as far as this one has heard of them.
    pub fn replicas(&self) -> usize {
        self.append.shared.replicas()
    }

    /// How it is doing.
    pub fn checks(&self) -> BTreeMap<&'static str, Check> {
        self.append.shared.checks()
    }
}

impl StreamTasks {
    /// Waits for one of them to end by itself, which only a fault of the program's makes them do.
    pub async fn ended(&mut self) -> Result<(), JoinError> {
        tokio::select! {
            ended = &mut self.appender => ended,
            ended = &mut self.tail => ended,
        }
    }

    /// Appends what waits, takes leave, and ends; within this time, or not at all.
    pub async fn stop(self, grace: Duration) {
        let greeting = Greeting {
            leaving: true,
            ..self.greeting
        };
        let is_connected = *self.append.shared.connected().borrow();
        if is_connected {
            let epoch = self.append.epoch();
            self.append.notice(epoch, Body::Replica(greeting));
        }
        self.shutdown.cancel();
        let ended = async { (self.appender.await, self.tail.await) };
        if timeout(grace, ended).await.is_err() || !is_connected {
            let bytes = self.append.shared.counts.unconfirmed_bytes();
            if bytes > 0 {
                warn!(
                    bytes,
                    "the stream has not taken everything; what the relay submitted is lost"
                );
            }
        }
    }
}

/// The pure steps, for the model of two replicas.
#[cfg(test)]
pub(crate) mod steps {
    pub(crate) use super::following::{Following, Taken};
    pub(crate) use super::greeting::Greeting;
    pub(crate) use super::reading::Start;
    pub(crate) use super::record::{Body, Record, RecordId};
    pub(crate) use super::unconfirmed::{Outgoing, Unconfirmed};
    pub(crate) use super::wanted::{Purpose, Wanted};
}
