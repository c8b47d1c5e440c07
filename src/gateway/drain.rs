//! Finishes what is in hand: deliveries first, so that agents still see them, then sockets, then
//! requests.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::conversation::Hub;
use crate::journal::StreamTasks;
use crate::socketio::Sockets;

/// How long the shutdown waits for clients to close in turn.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// What the shutdown goes through.
pub(super) struct Drain<'a> {
    pub(super) hub: &'a Hub,
    pub(super) sockets: &'a Sockets,
    /// Connections whose clients have not closed in turn.
    pub(super) lingering: TaskTracker,
    /// How long all of it may take.
    pub(super) grace: Duration,
}

impl Drain<'_> {
    pub(super) async fn run(
        &self,
        mut source: JoinHandle<()>,
        journal: Option<StreamTasks>,
        intake: CancellationToken,
        closing: CancellationToken,
        servers: Vec<JoinHandle<()>>,
    ) {
        intake.cancel();
        // A broker that hangs must not take the sockets' time as well.
        match timeout(self.grace / 3, &mut source).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "the intake ended badly"),
            Err(_) => {
                warn!("the broker does not answer; its deliveries go back");
                source.abort();
            }
        }
        if let Some(journal) = journal {
            journal.stop(self.grace / 6).await;
        }
        // What has been acknowledged may be only in this process: members that are behind get time to
        // catch up, and sessions to write what waits in them.
        if timeout(self.grace / 3, self.caught_up()).await.is_err() {
            warn!(
                members = self.hub.catching_up(),
                "members have not caught up"
            );
        }
        self.sockets.close(self.grace / 6).await;
        closing.cancel();
        for server in servers {
            if let Err(error) = server.await {
                warn!(%error, "a listener ended badly");
            }
        }
        // Clients that do not close in turn are not waited for much longer.
        self.lingering.close();
        let last = LINGER_TIMEOUT.min(self.grace / 4);
        timeout(last, self.lingering.wait()).await.ok();
    }

    async fn caught_up(&self) {
        while self.hub.catching_up() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
        self.sockets.written().await;
    }
}
