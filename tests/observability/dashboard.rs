//! The dashboard's queries, as Grafana would ask them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// A query of a panel.
pub(crate) struct Query {
    pub(crate) panel: String,
    pub(crate) expression: String,
}

/// All of them, with every variable at what it begins with.
pub(crate) fn queries(file: &Path) -> Vec<Query> {
    let text = std::fs::read_to_string(file).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let queries = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(|target| Query {
            panel: panel["title"].as_str().unwrap().to_owned(),
            expression: target["expr"]
                .as_str()
                .unwrap()
                .replace("$job", "agent-gateway")
                .replace("$instance", ".+")
                .replace("$__rate_interval", "15s"),
        })
    });
    queries.collect()
}

/// The metrics that an expression asks for.
pub(crate) fn metrics(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let metrics = words.filter(|word| {
        word.starts_with("agent_gateway_") || word.starts_with("process_") || *word == "up"
    });
    metrics.map(str::to_owned).collect()
}
