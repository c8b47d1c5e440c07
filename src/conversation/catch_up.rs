//! The task that serves a member which is not live: one that joins, or one whose socket had no
//! room for an entry. It ends as soon as the member has caught up.

use std::sync::Arc;
use std::time::Duration;

use super::conversation::{Conversation, Step};
use super::hub::Hub;
use super::member::{MemberId, Offer, Outlet};

pub(super) async fn catch_up(
    hub: &Hub,
    conversation: &Arc<Conversation>,
    member: MemberId,
    outlet: &dyn Outlet,
) {
    let mut patience = Patience::default();
    let mut upto = None;
    loop {
        match conversation.step(member, upto.take()) {
            Step::Entries {
                entries,
                replayed_upto,
            } => {
                let mut offer = Offer::Taken;
                for entry in entries {
                    offer = outlet.event(&entry, entry.position <= replayed_upto);
                    if offer != Offer::Taken {
                        break;
                    }
                    upto = Some(entry.position);
                }
                if upto.is_some() {
                    patience = Patience::default();
                }
                match offer {
                    // The socket's own task has to run for the next batch to find room.
                    Offer::Taken => tokio::task::yield_now().await,
                    Offer::Full => patience.wait().await,
                    Offer::Gone => return hub.remove(conversation, member),
                }
            }
            Step::Wait => patience.wait().await,
            Step::CaughtUp => return,
            Step::Gone => return hub.remove(conversation, member),
        }
    }
}

/// How long to leave a full socket alone. Nothing tells when it has room again, so that it has to
/// be tried: a busy one soon, one that does not read ever less often.
#[derive(Default)]
struct Patience {
    tries: u32,
}

impl Patience {
    /// So many times only the other tasks are let run: a healthy socket's writer empties the whole
    /// channel at its next turn.
    const TURNS: u32 = 4;
    /// Ten wake-ups a second are what a client that does not read may cost.
    const LONGEST: Duration = Duration::from_millis(100);

    async fn wait(&mut self) {
        match self.tries.checked_sub(Self::TURNS) {
            None => tokio::task::yield_now().await,
            Some(doublings) => {
                let pause = Duration::from_millis(1 << doublings.min(7));
                tokio::time::sleep(pause.min(Self::LONGEST)).await;
            }
        }
        self.tries = self.tries.saturating_add(1);
    }
}
