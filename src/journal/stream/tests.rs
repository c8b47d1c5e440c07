//! The tasks that carry the journal.

use std::future::pending;

use futures_util::FutureExt as _;

use super::*;

/// Tasks of which the appender or the tail ends as it should not.
fn tasks(appender: JoinHandle<()>, tail: JoinHandle<()>) -> StreamTasks {
    let (notices, _) = mpsc::unbounded_channel();
    let (submissions, _) = mpsc::unbounded_channel();
    StreamTasks {
        appender,
        tail,
        append: Append {
            notices,
            submissions,
            epoch: Arc::default(),
            shared: Arc::default(),
        },
        greeting: greeting::greeting("one"),
        shutdown: CancellationToken::new(),
    }
}

#[tokio::test]
async fn a_task_that_ends_by_itself_is_noticed() {
    let lasting = || tokio::spawn(pending());
    let panicking = || tokio::spawn(async { panic!("a fault") });
    for mut tasks in [tasks(lasting(), panicking()), tasks(panicking(), lasting())] {
        assert!(tasks.ended().await.unwrap_err().is_panic());
    }
    let mut tasks = tasks(lasting(), lasting());
    assert!(tasks.ended().now_or_never().is_none());
}
