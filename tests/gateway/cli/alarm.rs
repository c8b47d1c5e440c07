//! `check` and `doctor` of a broker that takes no messages.

use super::check::Checked;
use super::{environment, run, text};
use crate::harness::{Broker, PrivateBroker, TestGateway};

#[tokio::test]
async fn a_broker_that_is_short_of_memory_is_told_to_be() {
    let private = PrivateBroker::start().await;
    let broker = Broker::at(private.url()).await;
    let gateway = TestGateway::ready_with(&broker, &[]).await;
    private
        .ctl(&["set_vm_memory_high_watermark", "absolute", "1MB"])
        .await;
    let words = ["write to exchange amq.default", "short of memory"];
    let checked = Checked::with(&broker, &[]).await;
    checked.tells("permissions", "failed", &words);
    checked.tells("dead_letter_queue", "ok", &[]);

    let url = format!("http://{}", gateway.address());
    let output = run(&environment(&broker), &["doctor", "--url", &url]).await;
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let probe = told.lines().find(|line| line.contains("  probe "));
    let probe = probe.unwrap();
    assert!(probe.starts_with("failed"), "{told}");
    assert!(probe.contains("short of memory"), "{told}");
}
