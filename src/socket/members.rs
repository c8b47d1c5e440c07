//! Which sockets follow a conversation, until they do not any more.
//!
//! socketioxide's disconnect handler is not used: with one, a socket that has left stays in its
//! namespace until the handler has run, and the same client's next CONNECT is taken for a
//! duplicate and never answered. A member whose socket is closed leaves at the next event, or at
//! the next look, once a second; the same look sees which tokens are about to expire.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::sleep;
use tracing::debug;

use super::outlet::SocketOutlet;
use super::term::Due;
use super::transport::Transports;
use crate::conversation::{ConversationKey, Hub, Id, Membership};

/// How often sockets are looked at, in seconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a connection may follow nothing after it has.
const IDLE: Duration = Duration::from_secs(60);

/// How long a member that has to go waits for room to be told so.
const FAREWELL: Duration = Duration::from_secs(5);

/// The members of this process.
pub struct Members {
    hub: Arc<Hub>,
    seats: Mutex<Vec<Seat>>,
}

/// A socket and the conversation that it follows.
pub(super) struct Seat {
    pub(super) outlet: Arc<SocketOutlet>,
    pub(super) membership: Membership,
}

/// Some of the members: all of a tenant, a conversation's, an agent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The tenant.
    pub tenant: Id,
    /// Only those of this conversation.
    pub conversation: Option<Id>,
    /// Only this agent's.
    pub agent: Option<String>,
}

impl Selection {
    fn holds(&self, key: &ConversationKey, agent: &str) -> bool {
        let Self {
            tenant,
            conversation,
            agent: wanted,
        } = self;
        *tenant == key.tenant
            && conversation
                .as_ref()
                .is_none_or(|id| *id == key.conversation)
            && wanted.as_ref().is_none_or(|wanted| wanted == agent)
    }
}

impl Members {
    pub(super) fn new(hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self {
            hub,
            seats: Mutex::default(),
        })
    }

    pub(super) fn seat(&self, seat: Seat) {
        self.lock().push(seat);
    }

    /// Disconnects the members of the selection; other conversations of their connections stay.
    /// Answers how many there were.
    pub fn disconnect(&self, selection: &Selection) -> usize {
        let chosen = self.take(|seat| {
            let agent = &seat.outlet.participant.agent;
            seat.is_there() && selection.holds(seat.membership.key(), agent)
        });
        let count = chosen.len();
        for seat in chosen {
            seat.dismiss(&self.hub, Why::Asked);
        }
        count
    }

    /// Ends the transports of an agent's members of a conversation; answers how many.
    pub(super) fn hang_up(&self, agent: &str, key: &ConversationKey) -> usize {
        let seats = self.lock();
        let of_agent = seats.iter().filter(|seat| {
            let outlet = &seat.outlet;
            seat.is_there() && outlet.participant.agent == agent && outlet.key == *key
        });
        of_agent.map(|seat| seat.outlet.transport.end()).count()
    }

    /// Removes the members whose sockets are closed, and tells the others how long their tokens
    /// still last.
    fn look(&self, now: i64) {
        let gone = self.take(|seat| !seat.is_there());
        for seat in gone {
            seat.leave(&self.hub);
        }
        let expired = self.take(|seat| match seat.outlet.term.due(now) {
            Due::Nothing => false,
            Due::Warning => {
                seat.outlet.warn();
                false
            }
            Due::End => true,
        });
        for seat in expired {
            seat.dismiss(&self.hub, Why::Expired);
        }
    }

    fn take(&self, chosen: impl Fn(&Seat) -> bool) -> Vec<Seat> {
        self.lock().extract_if(.., |seat| chosen(seat)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a member has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The portal wants it so.
    Asked,
    /// Its token has expired.
    Expired,
}

impl Seat {
    fn is_there(&self) -> bool {
        self.outlet.socket.connected()
    }

    fn leave(&self, hub: &Hub) {
        let key = self.membership.key();
        debug!(tenant = %key.tenant, conversation = %key.conversation, "left");
        self.outlet.close();
        hub.leave(&self.membership);
    }

    /// Sends the client away from this conversation.
    fn dismiss(self, hub: &Hub, why: Why) {
        self.leave(hub);
        let outlet = self.outlet;
        if outlet.send_away(why == Why::Expired) {
            return;
        }
        // A full channel. The rest of the connection is worth a little patience.
        tokio::spawn(async move {
            let patience = tokio::time::Instant::now() + FAREWELL;
            while tokio::time::Instant::now() < patience {
                sleep(FAREWELL / 50).await;
                if outlet.send_away(why == Why::Expired) {
                    return;
                }
            }
            outlet.transport.abandon();
        });
    }
}

/// Looks at the sockets until the server has ended.
pub(super) async fn watch(members: Arc<Members>, transports: Arc<Transports>) {
    loop {
        // At the beginning of each second of the wall clock, in which tokens expire.
        let now = OffsetDateTime::now_utc();
        sleep(LOOK_EVERY - Duration::from_nanos(u64::from(now.nanosecond()))).await;
        members.look(OffsetDateTime::now_utc().unix_timestamp());
        for transport in transports.all() {
            if transport.connects.idle() >= IDLE || transport.connects.has_lost_one() {
                transport.end();
            }
        }
    }
}
