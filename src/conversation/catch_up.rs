//! Serving a member that is not live: one that joins, or one whose socket had no room for an entry.
//! It ends as soon as the member has caught up.

use std::sync::Arc;

use super::conversation::{Conversation, Step};
use super::cursor::Position;
use super::entry::Entry;
use super::hub::Hub;
use super::member::{MemberId, Offer, Outlet};

/// How far a member has come with what it was offered.
pub(super) struct Offered {
    /// The last entry that its socket has taken, if it has taken any.
    pub(super) upto: Option<Position>,
    pub(super) taken: u64,
    /// What the socket said to the last that it was offered.
    pub(super) last: Offer,
}

/// Offers entries to a member, in their order, until its socket takes no more.
pub(super) fn offer(
    entries: &[Arc<Entry>],
    replayed_upto: Position,
    outlet: &dyn Outlet,
) -> Offered {
    let mut offered = Offered {
        upto: None,
        taken: 0,
        last: Offer::Taken,
    };
    for entry in entries {
        offered.last = outlet.event(entry, entry.position <= replayed_upto);
        if !matches!(offered.last, Offer::Taken | Offer::Queued) {
            break;
        }
        offered.upto = Some(entry.position);
        offered.taken += 1;
    }
    offered
}

pub(super) async fn catch_up(
    hub: &Hub,
    conversation: &Arc<Conversation>,
    member: MemberId,
    outlet: &dyn Outlet,
) {
    let mut upto = None;
    loop {
        hub.until_known(conversation, member).await;
        let step = conversation.step(member, upto.take());
        match step {
            Step::Entries {
                entries,
                replayed_upto,
            } => {
                let offered = offer(&entries, replayed_upto, outlet);
                upto = offered.upto;
                hub.counters().caught_up_entries.add(offered.taken);
                outlet.flush();
                match offered.last {
                    // Other tasks run between two batches.
                    Offer::Taken | Offer::Queued => tokio::task::yield_now().await,
                    Offer::Full => outlet.room().await,
                    Offer::Gone => return hub.remove(conversation, member),
                }
            }
            Step::Wait => {
                outlet.flush();
                outlet.room().await;
            }
            Step::CaughtUp => return outlet.flush(),
            Step::Gone => return hub.remove(conversation, member),
        }
    }
}
