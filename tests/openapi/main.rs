//! `/openapi.json`, held against the running gateway by schemathesis: what it says is accepted has to be
//! accepted, what it does not say is refused, and every answer is one that it describes.
//!
//! ```text
//! make openapi
//! ```
//!
//! It asks some hundreds of times, with a seed, and ends by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a trial, what cannot be is a failure"
)]

#[allow(
    dead_code,
    unused_imports,
    reason = "the tests of single behaviours use the rest"
)]
#[path = "../harness/mod.rs"]
mod harness;

use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use harness::{API_KEY, Broker, Folder, TestGateway};

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(300);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(trial());
}

async fn trial() {
    let program = std::env::var_os("SCHEMATHESIS");
    let program = program.expect("SCHEMATHESIS is not set: make openapi sets it");
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("INTERNAL_PORT", "0")]).await;
    let address = gateway.internal_address().await;
    let folder = Folder::new();
    let mut child = Command::new(program)
        .args(["run", &format!("http://{address}/openapi.json")])
        .args(["--header", &format!("x-internal-api-key: {API_KEY}")])
        .args(["--max-examples", "100", "--seed", "1"])
        .args(["--generation-database", "none", "--no-color"])
        // What it learns, it writes where it is, and that is not kept.
        .current_dir(folder.path(""))
        .env("NO_PROXY", "127.0.0.1")
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let status = timeout(LIMIT, child.wait()).await;
    let status = status.expect("it takes too long").unwrap();
    assert!(status.success(), "it found something, above");
    assert_eq!(gateway.get("/healthz").await.0, 200);
}
