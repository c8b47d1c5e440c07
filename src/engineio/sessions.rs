//! All sessions of the process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::protocol::Protocol;
use super::registration::Registration;
use super::session::Session;
use crate::lock::Mutex;

/// The sessions, by number and by name.
pub struct Sessions<P: Protocol> {
    /// How long a client may take nothing of what waits for it.
    timeout: Duration,
    next: AtomicU64,
    table: Mutex<Table<P>>,
}

struct Table<P: Protocol> {
    all: HashMap<u64, Weak<Session<P>>>,
    by_sid: HashMap<String, u64>,
}

impl<P: Protocol> Sessions<P> {
    /// No sessions. `timeout`: how long a client may take nothing of what waits for it.
    pub fn new(timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            timeout,
            next: AtomicU64::new(0),
            table: Mutex::new(Table {
                all: HashMap::new(),
                by_sid: HashMap::new(),
            }),
        })
    }

    /// Opens a session.
    pub fn open(self: &Arc<Self>, registration: Registration, protocol: P) -> Arc<Session<P>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let sessions = Arc::downgrade(self);
        let session = Session::new(number, sessions, registration, protocol, self.timeout);
        let session = Arc::new(session);
        self.table
            .lock()
            .all
            .insert(number, Arc::downgrade(&session));
        session
    }

    /// The session of this name that began with polling.
    pub fn find(&self, sid: &str) -> Option<Arc<Session<P>>> {
        let table = self.table.lock();
        let number = table.by_sid.get(sid)?;
        table.all.get(number)?.upgrade()
    }

    /// All sessions that there are now.
    pub fn all(&self) -> Vec<Arc<Session<P>>> {
        let table = self.table.lock();
        table.all.values().filter_map(Weak::upgrade).collect()
    }

    /// How many sessions there have been.
    pub fn opened(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// How many sessions poll, and how many have a WebSocket.
    pub fn by_transport(&self) -> [usize; 2] {
        let all = self.all();
        let websocket = all.iter().filter(|session| session.is_attached()).count();
        [all.len() - websocket, websocket]
    }

    pub(super) fn name(&self, sid: &str, number: u64) {
        self.table.lock().by_sid.insert(sid.to_owned(), number);
    }

    pub(super) fn forget(&self, number: u64, sid: Option<&str>) {
        let mut table = self.table.lock();
        table.all.remove(&number);
        if let Some(sid) = sid {
            table.by_sid.remove(sid);
        }
    }
}
