//! Embedding into other pages: CORS, and the policies of isolated and sandboxed pages.

use crate::harness::raw::ask;
use crate::harness::{Broker, TestGateway};

const PORTAL: &str = "https://portal.example.com";

fn is_built() -> bool {
    let dist = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/static/dist"));
    dist.join("embed.js").exists()
}

#[tokio::test]
async fn the_embed_script_has_cors_headers_for_module_and_integrity_use() {
    let broker = Broker::new().await;
    let variables = [("ALLOWED_ORIGINS", PORTAL)];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let status = if is_built() { 200 } else { 503 };
    for (origin, shared) in [
        (Some(PORTAL), Some(PORTAL)),
        (Some("https://evil.example"), None),
        // A script without `crossorigin`: it may be run anywhere, and read nowhere.
        (None, None),
    ] {
        let origin = origin.map(|origin| format!("origin: {origin}"));
        let headers: Vec<_> = origin.as_deref().into_iter().collect();
        let answer = ask(gateway.address(), "GET /embed.js", &headers).await;
        assert_eq!(answer.status, status, "{origin:?}");
        assert_eq!(answer.header("access-control-allow-origin"), shared);
        let credentials = answer.header("access-control-allow-credentials");
        assert_eq!(credentials, shared.map(|_| "true"), "{origin:?}");
        // What is kept for one page is not another's, and what is compressed not everybody's.
        let varies = if is_built() {
            "Origin, Accept-Encoding"
        } else {
            "Origin"
        };
        assert_eq!(answer.header("vary"), Some(varies), "{origin:?}");
        if is_built() {
            let whose = answer.header("cross-origin-resource-policy");
            assert_eq!(whose, Some("cross-origin"), "{origin:?}");
        }
    }
}

#[tokio::test]
async fn cross_origin_isolated_pages_may_frame_the_widget_and_it_runs_in_a_sandbox() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    if !is_built() {
        assert_eq!(ask(gateway.address(), "GET /widget", &[]).await.status, 503);
        return;
    }
    let page = ask(gateway.address(), "GET /widget", &[]).await;
    let known = format!("if-none-match: {}", page.header("etag").unwrap());
    let again = ask(gateway.address(), "GET /widget", &[&known]).await;
    assert_eq!((page.status, again.status), (200, 304));
    for answer in [&page, &again] {
        let policy = answer.header("cross-origin-embedder-policy");
        assert_eq!(policy, Some("credentialless"));
        let whose = answer.header("cross-origin-resource-policy");
        assert_eq!(whose, Some("cross-origin"));
    }
    let names = page.body.split('"').filter_map(|part| {
        let (_, name) = part.split_once("assets/")?;
        Some(format!("/assets/{name}"))
    });
    let names: Vec<_> = names.collect();
    assert!(names.len() >= 2, "{}", page.body);
    for name in names {
        let headers = ["origin: null"];
        let asset = ask(gateway.address(), &format!("GET {name}"), &headers).await;
        assert_eq!(asset.status, 200, "{name}");
        let shared = asset.header("access-control-allow-origin");
        assert_eq!(shared, Some("*"), "{name}");
        assert_eq!(asset.header("access-control-allow-credentials"), None);
        let whose = asset.header("cross-origin-resource-policy");
        assert_eq!(whose, Some("cross-origin"), "{name}");
        let known = format!("if-none-match: {}", asset.header("etag").unwrap());
        let headers = ["origin: null", &known];
        let again = ask(gateway.address(), &format!("GET {name}"), &headers).await;
        let shared = again.header("access-control-allow-origin");
        assert_eq!((again.status, shared), (304, Some("*")), "{name}");
    }
    // What a sandboxed page is refused, it is refused still.
    let line = "GET /socket.io/?EIO=4&transport=polling";
    let answer = ask(gateway.address(), line, &["origin: null"]).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_custom_scheme_may_frame_the_widget_and_ws_counts_as_http() {
    let broker = Broker::new().await;
    let origins = "capacitor://localhost, wss://portal.example.com";
    let gateway = TestGateway::start_with(&broker, &[("ALLOWED_ORIGINS", origins)]).await;
    if !is_built() {
        return;
    }
    let page = ask(gateway.address(), "GET /widget", &[]).await;
    let policy = page.header("content-security-policy").unwrap();
    let ancestors = "frame-ancestors 'self' capacitor://localhost https://portal.example.com";
    assert!(policy.ends_with(ancestors), "{policy}");
}
