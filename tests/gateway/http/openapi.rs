//! `/openapi.json`: where it is, and what it describes. `make openapi` holds it against the program.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::raw::ask;
use crate::harness::{API_KEY, Broker, TestGateway};

/// The names in an object.
fn names(value: &Value) -> BTreeSet<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_internal_listener_describes_each_of_its_paths_and_the_public_one_has_none_of_it() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[("INTERNAL_PORT", "0")]).await;
    let internal = gateway.internal_address().await;
    let answer = ask(&internal, "GET /openapi.json", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document = answer.json();
    let paths = &document["paths"];
    assert_eq!(
        names(paths),
        BTreeSet::from([
            "/healthz",
            "/internal/conversations/{tenantId}/{conversationId}",
            "/internal/disconnect",
            "/internal/emit",
            "/metrics",
            "/readyz",
        ])
    );
    // Each is there, and wants a key where it says so.
    for (path, operations) in paths.as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let path = path.replace("{tenantId}", "acme");
            let path = path.replace("{conversationId}", "c-1");
            let line = format!("{} {path}", method.to_uppercase());
            let status = ask(&internal, &line, &[]).await.status;
            match operation.get("security") {
                Some(_) => assert_eq!(status, 401, "{line}"),
                None => assert!(operation["responses"][status.to_string()].is_object()),
            }
        }
    }
    let key = format!("x-internal-api-key: {API_KEY}");
    let public = ask(gateway.address(), "GET /openapi.json", &[&key]).await;
    assert_eq!(public.status, 404);
}

#[tokio::test]
async fn answers_have_what_they_are_described_with() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[("INTERNAL_PORT", "0")]).await;
    let internal = gateway.internal_address().await;
    let document = ask(&internal, "GET /openapi.json", &[]).await.json();
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    let described = |name: &str, answer: &Value| {
        let schema = schema(name);
        let required = schema["required"].as_array().unwrap().iter();
        for field in required.map(|field| field.as_str().unwrap()) {
            assert!(answer.get(field).is_some(), "{field} in {answer}");
        }
        let known = names(&schema["properties"]);
        assert!(names(answer).is_subset(&known), "{answer} as {schema}");
    };
    let key = format!("x-internal-api-key: {API_KEY}");
    let line = "GET /internal/conversations/acme/c-1";
    described("Seen", &ask(&internal, line, &[&key]).await.json());
    let refused = ask(&internal, "POST /internal/emit", &[]).await.json();
    described("Refused", &refused);
    described("Refusal", &refused["error"]);
    let body = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {}});
    assert_eq!(
        names(&body).len(),
        schema("EmitRequest")["required"].as_array().unwrap().len()
    );
    described("EmitRequest", &body);
}
