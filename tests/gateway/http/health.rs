//! `/healthz`, `/readyz` and the widget's paths.

use crate::harness::{Broker, TestGateway};

#[tokio::test]
async fn a_gateway_with_its_broker_is_healthy_and_ready() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    assert_eq!(gateway.get("/healthz").await.0, 200);
    let ready = gateway.get("/readyz").await;
    assert_eq!(ready, (200, serde_json::json!({"status": "ready"})));
}

#[tokio::test]
async fn the_widget_is_served_with_its_policy_or_explains_how_it_is_built() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let get = |path: &str| {
        http.get(format!("http://{}{path}", gateway.address()))
            .send()
    };
    let home = get("/").await.unwrap();
    assert!(home.status().is_redirection());
    assert_eq!(home.headers()["location"], "/widget");
    let built = std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/static/dist/widget.html"
    ))
    .exists();
    for path in ["/widget", "/widget.html"] {
        let page = get(path).await.unwrap();
        if built {
            assert_eq!(page.status(), 200, "{path}");
            let policy = page.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
            assert_eq!(page.headers()["x-content-type-options"], "nosniff");
            assert!(page.text().await.unwrap().contains("<script"));
        } else {
            assert_eq!(page.status(), 503, "{path}");
            assert!(page.text().await.unwrap().contains("npm run build"));
        }
    }
    let missing = get("/assets/no-such-file.js").await.unwrap();
    assert_eq!(missing.status(), if built { 404 } else { 503 });
}
