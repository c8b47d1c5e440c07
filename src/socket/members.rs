//! Which sockets follow a conversation, until they do not any more.
//!
//! socketioxide's disconnect handler is not used: with one, a socket that has left stays in its
//! namespace until the handler has run, and the same client's next CONNECT is taken for a
//! duplicate and never answered. A member whose socket is closed leaves at the next event, or at
//! the next look, once a second.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socketioxide::SocketIo;
use socketioxide::extract::SocketRef;
use tokio::time::sleep;
use tracing::debug;

use super::handshake::Admission;
use super::transport::Transport;
use crate::conversation::{ConversationKey, Hub, Membership};

/// How often sockets are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The members of this process.
#[derive(Default)]
pub(super) struct Members {
    seats: Mutex<Vec<Seat>>,
}

/// A socket and the conversation that it follows.
pub(super) struct Seat {
    pub(super) socket: SocketRef,
    pub(super) membership: Membership,
    pub(super) transport: Arc<Transport>,
}

impl Members {
    pub(super) fn seat(&self, seat: Seat) {
        self.lock().push(seat);
    }

    /// Ends the transports of an agent's members of a conversation; answers how many.
    pub(super) fn hang_up(&self, agent: &str, key: &ConversationKey) -> usize {
        let seats = self.lock();
        let of_agent = seats.iter().filter(|seat| seat.is_of(agent, key));
        of_agent.map(|seat| seat.transport.end()).count()
    }

    /// Removes the members whose sockets are closed.
    fn look(&self, hub: &Hub, io: &SocketIo) {
        let gone: Vec<_> = self
            .lock()
            .extract_if(.., |seat| {
                !seat.socket.connected() || !is_registered(io, &seat.socket)
            })
            .collect();
        for seat in gone {
            let key = seat.membership.key();
            debug!(tenant = %key.tenant, conversation = %key.conversation, "left");
            hub.leave(&seat.membership);
            if seat.socket.connected() {
                seat.send_back();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn is_of(&self, agent: &str, key: &ConversationKey) -> bool {
        let admission = self.socket.extensions.get::<Arc<Admission>>();
        self.socket.connected()
            && admission.is_some_and(|admission| admission.agent.id == agent)
            && self.membership.key() == key
    }

    /// Has a client connect again whose socket the server has lost track of.
    fn send_back(self) {
        self.transport.end();
        tokio::spawn(async move {
            // Once the session has ended nothing goes to the client any more, and this only undoes
            // the knot of the socket and its lost namespace, which hold each other.
            sleep(LOOK_EVERY).await;
            self.socket.disconnect().ok();
        });
    }
}

/// Looks at the sockets until the server has ended.
pub(super) async fn watch(members: Arc<Members>, hub: Arc<Hub>, io: SocketIo) {
    loop {
        sleep(LOOK_EVERY).await;
        members.look(&hub, &io);
    }
}

/// Whether the server would find the socket. Two first connects at the same instant make a
/// namespace twice, since socketioxide looks for it and inserts it under two locks; the later one
/// replaces the earlier, and a socket in that is neither heard nor missed.
fn is_registered(io: &SocketIo, socket: &SocketRef) -> bool {
    io.of(socket.ns())
        .is_some_and(|namespace| namespace.get_socket(socket.id).is_some())
}
