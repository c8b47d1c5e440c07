//! `amqp/definitions.json` and what the gateway declares are the same.

use std::fs;

use agent_gateway::broker::{Argument, Queue};
use agent_gateway::config::{Config, Needs};
use serde_json::{Map, Value, json};

fn queue(queue: &Queue) -> Value {
    let arguments: Map<_, _> = queue
        .arguments
        .iter()
        .map(|(name, argument)| {
            let value = match argument {
                Argument::Text(text) => json!(text),
                Argument::Flag(flag) => json!(flag),
                Argument::Number(number) => json!(number),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    json!({"name": queue.name, "vhost": "/", "durable": true, "auto_delete": false, "arguments": arguments})
}

fn sorted(mut values: Vec<Value>) -> Vec<String> {
    let mut texts: Vec<_> = values.drain(..).map(|value| value.to_string()).collect();
    texts.sort();
    texts
}

#[test]
fn definitions_json_equals_what_the_gateway_declares() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/amqp/definitions.json");
    let definitions: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let part = |name: &str| sorted(definitions[name].as_array().unwrap().clone());
    let config = Config::from_vars([], Needs::Nothing).unwrap();
    let topology = config.amqp.topology();
    let queues = [&topology.inbound, &topology.status, &topology.dead_letters];

    let exchange = json!({
        "name": topology.exchange, "vhost": "/", "type": "topic", "durable": true,
        "auto_delete": false, "internal": false, "arguments": {},
    });
    assert_eq!(part("exchanges"), sorted(vec![exchange]));
    assert_eq!(part("queues"), sorted(queues.map(queue).to_vec()));
    let bindings = queues.iter().flat_map(|queue| {
        queue.bindings.iter().map(|routing_key| {
            json!({
                "source": topology.exchange, "vhost": "/", "destination": queue.name,
                "destination_type": "queue", "routing_key": routing_key, "arguments": {},
            })
        })
    });
    assert_eq!(part("bindings"), sorted(bindings.collect()));
}

/// They are no arguments, so that queues which exist are not refused.
#[test]
fn definitions_json_and_the_page_limit_deliveries_by_the_same_policies() {
    let read = |name: &str| {
        let path = format!("{}/amqp/{name}", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(path).unwrap()
    };
    let definitions: Value = serde_json::from_str(&read("definitions.json")).unwrap();
    let page = read("README.md");
    let policies = definitions["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 2);
    for policy in policies {
        let text = |name: &str| policy[name].as_str().unwrap();
        let command = format!(
            "rabbitmqctl set_policy {} '{}' '{{\"delivery-limit\": {}}}' --apply-to {}\n",
            text("name"),
            text("pattern"),
            policy["definition"]["delivery-limit"],
            text("apply-to"),
        );
        assert!(page.contains(&command), "{command}");
    }
}
