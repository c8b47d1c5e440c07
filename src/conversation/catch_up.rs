//! The task that serves a member which is not live: one that joins, or one whose socket had no
//! room for an entry. It ends as soon as the member has caught up.

use std::sync::Arc;

use super::conversation::{Conversation, Step};
use super::hub::Hub;
use super::member::{MemberId, Offer, Outlet};

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
                let mut offer = Offer::Taken;
                let mut taken = 0;
                for entry in entries {
                    offer = outlet.event(&entry, entry.position <= replayed_upto);
                    if !matches!(offer, Offer::Taken | Offer::Queued) {
                        break;
                    }
                    upto = Some(entry.position);
                    taken += 1;
                }
                hub.counters().caught_up_entries.add(taken);
                outlet.flush();
                match offer {
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
