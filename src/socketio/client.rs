//! What a session speaks: its namespaces and members, and what becomes of its packets.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::handshake::{Admission, ConnectError};
use super::members::Members;
use super::namespace_table::NamespaceTable;
use super::namespaces::{NamespaceGuard, Namespaces};
use super::outlet::SocketOutlet;
use super::packet::{ClientPacket, namespace_of};
use crate::engineio::{self, Protocol, Verdict};
use crate::lock::Mutex;

/// A session that speaks Socket.IO.
pub(super) type Session = engineio::Session<Client>;

/// Socket.IO's side of one session.
pub(super) struct Client {
    namespaces: Arc<Namespaces>,
    members: Arc<Members>,
    table: Mutex<Table>,
}

/// A session's namespaces.
type Table = NamespaceTable<Box<Admission>, Arc<SocketOutlet>>;

/// Kept in a socket of the library, and dropped with it.
pub(super) struct SocketGuard {
    session: Arc<Session>,
    socket: u64,
    /// What keeps the namespace.
    _namespace: Option<NamespaceGuard>,
}

impl Client {
    pub(super) fn new(namespaces: Arc<Namespaces>, members: Arc<Members>) -> Self {
        Self {
            namespaces,
            members,
            table: Mutex::new(NamespaceTable::new(Instant::now())),
        }
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }

    /// The members for whom something is due at `now`, in Unix seconds, and whether the session is to
    /// be closed: it has followed nothing for so long, or has lost a CONNECT.
    ///
    /// Asked of every session each second, and mostly answered with nothing, which allocates nothing.
    pub(super) fn check(&self, now: i64, idle: Duration) -> (Vec<Arc<SocketOutlet>>, bool) {
        let table = self.table();
        let due = table.members().filter(|outlet| outlet.is_due(now));
        let due = due.cloned().collect();
        (due, table.idle() >= idle || table.has_lost_connect())
    }

    /// The members of this session.
    pub(super) fn outlets(&self) -> Vec<Arc<SocketOutlet>> {
        self.table().members().cloned().collect()
    }
}

impl SocketGuard {
    /// For a socket that the library has made.
    pub(super) fn new(session: &Arc<Session>, path: &str) -> Option<Self> {
        let (socket, namespace) = session.protocol.table().socket_created(path)?;
        Some(Self {
            session: session.clone(),
            socket,
            _namespace: namespace,
        })
    }
}

/// How long the library may take from dropping a socket to removing it from its namespace: until
/// then it takes a new CONNECT for a repetition, and does not answer.
const REMOVAL_DELAY: Duration = Duration::from_millis(1);

impl Drop for SocketGuard {
    fn drop(&mut self) {
        if self.session.is_closed() {
            // Nobody can connect to a namespace over it any more.
            return;
        }
        let (session, socket) = (self.session.clone(), self.socket);
        // Without a runtime the server has ended, and no client can connect.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                sleep(REMOVAL_DELAY).await;
                session.protocol.table().socket_removed(socket);
                // The client may wait to connect again.
                session.wake();
            });
        }
    }
}

impl Protocol for Client {
    fn inbound(session: &Arc<Session>, beginning: &[u8]) -> Verdict {
        let client = &session.protocol;
        let (verdict, left) = client.table().inbound(
            beginning,
            Instant::now(),
            |path| client.namespaces.enter(path),
            || session.expect_answer(),
        );
        if let Some(outlet) = left {
            outlet.leave();
        }
        verdict
    }

    fn passes(session: &Arc<Session>, packet: &[u8]) -> bool {
        let client = &session.protocol;
        match packet {
            [b'4', b'1', ..] => {
                !namespace_of(packet).is_some_and(|path| client.table().take_sent_disconnect(path))
            }
            _ => true,
        }
    }

    fn answered(session: &Arc<Session>, packet: &[u8]) {
        let client = &session.protocol;
        if packet.starts_with(b"44") {
            if client.table().refusal_answered() {
                session.close();
            }
            return;
        }
        let member = namespace_of(packet).and_then(|path| client.table().answered(path));
        if let Some(outlet) = member {
            client.members.join(outlet);
        }
    }

    fn has_joined(session: &Session) -> bool {
        session.protocol.table().has_joined()
    }

    /// Socket.IO's ERROR packet of before, for an `error` event with this text, and DISCONNECT, after
    /// which such a client does not try again.
    const OLD_CLIENT: [&'static str; 2] = [
        r#"44"Unsupported protocol version: this server needs socket.io-client 3 or newer""#,
        "41",
    ];

    fn too_old(packet: &[u8]) -> Option<String> {
        // It writes a query behind the name, and expects the name alone.
        let name = connects_to(packet)?.split('?').next()?;
        Some(format!("41{name},"))
    }

    fn too_many(&self, packet: &[u8]) -> Option<String> {
        let refusal = ConnectError::TooManyConnections;
        let namespace = match connects_to(packet)? {
            "/" => String::new(),
            path => format!("{path},"),
        };
        self.members.refused.count(&refusal);
        Some(format!(r#"44{namespace}{{"message":"{refusal}"}}"#))
    }

    fn closed(session: &Arc<Session>) {
        let outlets = session.protocol.table().close();
        for outlet in outlets {
            outlet.leave();
        }
    }
}

/// The namespace of a CONNECT, if it is no longer than what may be repeated.
fn connects_to(packet: &[u8]) -> Option<&str> {
    /// In bytes: longer than any that there is.
    const MAX_LENGTH: usize = 512;
    match ClientPacket::read(packet) {
        ClientPacket::Connect(path) if path.len() <= MAX_LENGTH => Some(path),
        _ => None,
    }
}
