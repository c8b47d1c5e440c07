//! Which sockets follow a conversation, until they do not any more.
//!
//! socketioxide's disconnect handler is not used: with one, a socket that has left stays in its
//! namespace until the handler has run, and the same client's next CONNECT is taken for a
//! duplicate and never answered. A member whose socket is closed leaves at the next event, or at
//! the next look, once a second; the same look sees which tokens are about to expire.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::time::sleep;
use tracing::debug;

use super::CONNECT_TIMEOUT;
use super::outlet::SocketOutlet;
use super::term::Due;
use super::transport::Transports;
use crate::conversation::{ConversationKey, Hub, Id, Membership};

/// How often sockets are looked at, in seconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a connection may follow nothing after it has.
const IDLE: Duration = Duration::from_secs(60);

/// How many of the portal's wishes are kept in mind at once.
const MOST_SENT_AWAY: usize = 1024;

/// How long a member that has to go waits for room to be told so.
const FAREWELL: Duration = Duration::from_secs(5);

/// The members of this process.
pub struct Members {
    hub: Arc<Hub>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seats: Vec<Seat>,
    /// Whom the portal has lately wanted to go, with the latest last: one of them may be on the way
    /// in, by the word of who did not know yet.
    sent_away: VecDeque<(Instant, Selection)>,
}

impl State {
    fn is_sent_away(&self, seat: &Seat, since: Instant) -> bool {
        let latest_first = self.sent_away.iter().rev();
        latest_first
            .take_while(|(at, _)| *at >= since)
            .any(|(_, selection)| seat.is_in(selection))
    }

    fn take(&mut self, chosen: impl Fn(&Seat) -> bool) -> Vec<Seat> {
        self.seats.extract_if(.., |seat| chosen(seat)).collect()
    }

    fn send_away(&mut self, selection: &Selection) {
        let now = Instant::now();
        // Nobody is on the way in for longer.
        let is_past = |(at, _): &mut (Instant, _)| now.duration_since(*at) > CONNECT_TIMEOUT;
        while self.sent_away.pop_front_if(is_past).is_some() {}
        if self.sent_away.len() == MOST_SENT_AWAY {
            self.sent_away.pop_front();
        }
        self.sent_away.push_back((now, selection.clone()));
    }
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
            state: Mutex::default(),
        })
    }

    /// Takes in a member that has asked to come in `since`.
    pub(super) fn seat(&self, seat: Seat, since: Instant) {
        let mut state = self.lock();
        if !state.is_sent_away(&seat, since) {
            state.seats.push(seat);
            return;
        }
        drop(state);
        seat.dismiss(&self.hub, Why::Asked);
    }

    /// Disconnects the members of the selection, and who is about to become one; other
    /// conversations of their connections stay. Answers how many members there were.
    pub fn disconnect(&self, selection: &Selection) -> usize {
        let mut state = self.lock();
        state.send_away(selection);
        let chosen = state.take(|seat| seat.is_there() && seat.is_in(selection));
        drop(state);
        let count = chosen.len();
        for seat in chosen {
            seat.dismiss(&self.hub, Why::Asked);
        }
        count
    }

    /// Ends the transports of an agent's members of a conversation; answers how many.
    pub(super) fn hang_up(&self, agent: &str, key: &ConversationKey) -> usize {
        let state = self.lock();
        let of_agent = state.seats.iter().filter(|seat| {
            let outlet = &seat.outlet;
            seat.is_there() && outlet.participant.agent == agent && outlet.key == *key
        });
        of_agent.map(|seat| seat.outlet.transport.end()).count()
    }

    /// Removes the members whose sockets are closed, and tells the others how long their tokens
    /// still last.
    fn look(&self, now: i64) {
        let gone = self.lock().take(|seat| !seat.is_there());
        for seat in gone {
            seat.leave(&self.hub);
        }
        let expired = self.lock().take(|seat| match seat.outlet.term.due(now) {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn is_in(&self, selection: &Selection) -> bool {
        selection.holds(self.membership.key(), &self.outlet.participant.agent)
    }

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
