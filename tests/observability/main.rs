//! What deploy/prometheus and deploy/grafana promise, in a real Prometheus: a gateway under load is scraped
//! by the configuration that is shipped, and each query of the dashboard has to return data. So does each
//! metric that an alert asks for: what an alert is about has mostly not happened, and a metric that is
//! misspelt would never say so.
//!
//! ```text
//! make observability
//! ```
//!
//! It takes about half a minute, and ends by itself.

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

mod dashboard;
mod load;
mod prometheus;

use std::collections::BTreeSet;
use std::path::Path;

use dashboard::Query;
use harness::{Broker, until};
use load::Load;
use prometheus::Prometheus;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(trial());
}

async fn trial() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let rules = deploy.join("prometheus/alerts.yml");
    prometheus::promtool(
        &["check", "config"],
        &deploy.join("prometheus/prometheus.yml"),
    )
    .await;
    let tests = deploy.join("prometheus/alerts.test.yml");
    prometheus::promtool(&["test", "rules"], &tests).await;

    let broker = Broker::new().await;
    let load = Load::start(&broker).await;
    let prometheus = Prometheus::start(&deploy, load.scraped()).await;
    let mut queries = dashboard::queries(&deploy.join("grafana/agent-gateway.json"));
    let count = queries.len();
    assert!(count > 30, "{count} queries");
    until("each query of the dashboard returns data", async || {
        load.go_on(&broker).await;
        let mut empty = Vec::new();
        for query in queries.drain(..) {
            match prometheus.query(&query.expression).await {
                series if series.is_empty() => empty.push(query),
                series => report(&query, &series),
            }
        }
        queries = empty;
        queries.is_empty()
    })
    .await;

    let alerts = prometheus.alerts().await;
    let text = std::fs::read_to_string(&rules).unwrap();
    assert_eq!(alerts.len(), text.matches("- alert: ").count());
    let page = std::fs::read_to_string(deploy.join("../docs/alerts.md")).unwrap();
    let tested = std::fs::read_to_string(&tests).unwrap();
    let mut names = BTreeSet::new();
    for alert in &alerts {
        let name = &alert.name;
        assert!(
            page.contains(&format!("\n## {name}\n")),
            "{name} in docs/alerts.md"
        );
        for end in ["fires", "does not fire"] {
            assert!(
                tested.contains(&format!("name: {name} {end}\n")),
                "{name} {end}"
            );
        }
        names.extend(dashboard::metrics(&alert.expression));
        let series = prometheus.query(&alert.expression).await.len();
        println!("alert {name}: {}, {series} series", alert.state);
    }
    for name in &names {
        let series = prometheus.query(name).await;
        assert!(
            !series.is_empty(),
            "an alert asks for {name}, which is not there"
        );
    }
    println!(
        "each of the {} metrics of {} alerts is there",
        names.len(),
        alerts.len()
    );
    // What is wrong with the load is told, and nothing critical.
    until("GatewayDeadLetters fires", async || {
        let alerts = prometheus.alerts().await;
        let firing = |name: &str| {
            alerts
                .iter()
                .any(|one| one.name == name && one.state == "firing")
        };
        assert!(!firing("GatewayDown") && !firing("GatewayBrokerAway"));
        firing("GatewayDeadLetters")
    })
    .await;
    println!("GatewayDeadLetters fires, as it should");
}

fn report(query: &Query, series: &[String]) {
    let Query { panel, expression } = query;
    println!(
        "{panel}: {} series, such as {}\n    {expression}",
        series.len(),
        series[0]
    );
}
