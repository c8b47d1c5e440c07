//! Members join and leave, also when the portal disconnects them.
//!
//! socketioxide's disconnect handler is not used: with one, a socket that has left stays in its
//! namespace until the handler has run, and the same client's next CONNECT is taken for a
//! duplicate and never answered. Over a WebSocket a member leaves with its session, at once. One
//! that polls leaves at the next event, or at the next check, once a second; the same check sees which
//! tokens are about to expire.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::time::sleep;
use tracing::debug;

use super::CONNECT_TIMEOUT;
use super::client::Client;
use super::counts::ConnectErrorCounts;
use super::outlet::SocketOutlet;
use super::token_expiry::Due;
use crate::conversation::{ConversationKey, Hub, Selection};
use crate::engineio::Sessions;
use crate::lock::Mutex;

/// How often sockets are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long a session may follow nothing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How many disconnects are remembered.
const MAX_DISCONNECTS: usize = 1024;

/// The members of this process.
pub struct Members {
    hub: Arc<Hub>,
    pub(super) refused: Arc<ConnectErrorCounts>,
    /// The portal's last disconnects, with the latest last: a connect that was granted before one may
    /// join after it.
    disconnects: Mutex<VecDeque<(Instant, Selection)>>,
}

impl Members {
    pub(super) fn new(hub: Arc<Hub>, refused: Arc<ConnectErrorCounts>) -> Arc<Self> {
        Arc::new(Self {
            hub,
            refused,
            disconnects: Mutex::default(),
        })
    }

    /// Has an admitted member join.
    pub(super) fn join(&self, outlet: Arc<SocketOutlet>) {
        let ConversationKey {
            tenant,
            conversation,
        } = &outlet.key;
        debug!(%tenant, %conversation, agent = outlet.participant.agent, "joined");
        let membership = self.hub.join(&outlet.key, outlet.join, outlet.clone());
        outlet.joins(self.hub.clone(), membership);
        if self.is_disconnected(&outlet) {
            outlet.disconnect_namespace(false);
        }
    }

    fn is_disconnected(&self, outlet: &SocketOutlet) -> bool {
        let disconnects = self.disconnects.lock();
        let latest_first = disconnects.iter().rev();
        latest_first
            .take_while(|(at, _)| *at >= outlet.asked_at)
            .any(|(_, selection)| selection.holds(&outlet.key, &outlet.participant.agent))
    }

    /// Disconnects the members of the selection, and those that are about to join; other
    /// conversations of their connections stay. Answers how many members there were.
    pub fn disconnect(&self, selection: &Selection) -> usize {
        let now = Instant::now();
        let mut disconnects = self.disconnects.lock();
        // No connect takes longer.
        let is_past = |(at, _): &mut (Instant, _)| now.duration_since(*at) > CONNECT_TIMEOUT;
        while disconnects.pop_front_if(is_past).is_some() {}
        if disconnects.len() == MAX_DISCONNECTS {
            disconnects.pop_front();
        }
        disconnects.push_back((now, selection.clone()));
        drop(disconnects);
        let chosen = self.hub.select(selection);
        chosen.iter().filter(|outlet| outlet.disconnect()).count()
    }
}

/// Checks the sockets until the server has ended.
pub(super) async fn watch(sessions: Arc<Sessions<Client>>) {
    loop {
        // At the beginning of each second of the wall clock, in which tokens expire.
        let now = OffsetDateTime::now_utc();
        sleep(CHECK_INTERVAL - Duration::from_nanos(u64::from(now.nanosecond()))).await;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        for session in sessions.all() {
            let (due, is_useless) = session.protocol.check(now, IDLE_TIMEOUT);
            for outlet in due {
                check(&outlet, now);
            }
            if is_useless {
                session.close();
            }
        }
    }
}

/// Has a member leave whose socket is closed, and warns or disconnects one whose token expires.
fn check(outlet: &SocketOutlet, now: i64) {
    if outlet.is_closed() {
        outlet.socket_closed();
        return;
    }
    match outlet.expiry.due(now) {
        Due::Nothing => {}
        Due::Warning => outlet.warn(),
        Due::End => {
            outlet.disconnect_namespace(true);
        }
    }
}
