//! Security headers of every response.

use crate::harness::raw::{Answer, ask};
use crate::harness::{Broker, TestGateway};

async fn start(variables: &[(&str, &str)]) -> (Broker, TestGateway) {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, variables).await;
    (broker, gateway)
}

fn is_built(file: &str) -> bool {
    let dist = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/static/dist"));
    dist.join(file).exists()
}

/// The sources of one directive of the answer's policy.
fn policy<'a>(answer: &'a Answer, directive: &str) -> Option<&'a str> {
    let policy = answer.header("content-security-policy")?;
    let mut directives = policy.split(';').map(str::trim);
    directives.find_map(|one| one.strip_prefix(directive)?.strip_prefix(' '))
}

#[tokio::test]
async fn answers_other_than_pages_have_a_deny_all_policy_and_no_store() {
    let (_broker, gateway) = start(&[]).await;
    for (line, status) in [
        ("GET /healthz", 200),
        ("GET /readyz", 0),
        ("GET /metrics", 401),
        ("POST /internal/emit", 401),
        ("GET /internal/emit", 405),
        ("GET /internal/nothing", 404),
        ("GET /", 307),
        ("GET /nowhere", 404),
        ("DELETE /widget", 405),
        ("GET /socket.io/?EIO=4&transport=polling", 200),
        ("GET /socket.io/?EIO=4&transport=pigeon", 400),
    ] {
        let answer = ask(gateway.address(), line, &[]).await;
        let case = format!("{line}: {answer:?}");
        assert!(status == 0 || answer.status == status, "{case}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{case}"
        );
        assert_eq!(policy(&answer, "default-src"), Some("'none'"), "{case}");
        assert_eq!(policy(&answer, "frame-ancestors"), Some("'none'"), "{case}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{case}");
        if status == 405 {
            assert!(answer.header("allow").is_some(), "{case}");
        }
    }
}

#[tokio::test]
async fn the_widgets_policy_allows_its_own_files() {
    let (_broker, gateway) = start(&[]).await;
    if !is_built("widget.html") {
        assert_eq!(ask(gateway.address(), "GET /widget", &[]).await.status, 503);
        return;
    }
    for line in ["GET /widget", "GET /widget.html", "HEAD /widget"] {
        // A HEAD has the length of a body that does not come.
        let answer = ask(gateway.address(), line, &["connection: close"]).await;
        assert_eq!(answer.status, 200, "{line}");
        for (directive, sources) in [
            ("default-src", "'none'"),
            ("script-src", "'self'"),
            ("connect-src", "'self'"),
            ("style-src", "'self'"),
            ("base-uri", "'none'"),
            ("form-action", "'none'"),
            ("frame-ancestors", "'self'"),
        ] {
            assert_eq!(policy(&answer, directive), Some(sources), "{line}");
        }
        for (header, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "SAMEORIGIN"),
            ("cross-origin-embedder-policy", "credentialless"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("cache-control", "no-cache"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(answer.header(header), Some(value), "{line}");
        }
        let permissions = answer.header("permissions-policy").unwrap();
        assert!(permissions.contains("camera=()"), "{line}");
        let tag = answer.header("etag").unwrap();
        for known in [tag.to_owned(), format!("\"x\", W/{tag}")] {
            let known = format!("if-none-match: {known}");
            let again = ask(gateway.address(), "GET /widget", &[&known]).await;
            assert_eq!(again.status, 304, "{known}");
            assert_eq!(policy(&again, "frame-ancestors"), Some("'self'"));
        }
    }
}

#[tokio::test]
async fn frame_ancestors_are_configurable() {
    for (variables, sources, options) in [
        (
            &[("ALLOWED_ORIGINS", "https://portal.example.com")][..],
            "'self' https://portal.example.com",
            None,
        ),
        (&[("FRAME_ANCESTORS", "'none'")], "'none'", Some("DENY")),
        (
            &[
                ("ALLOWED_ORIGINS", "https://portal.example.com"),
                (
                    "FRAME_ANCESTORS",
                    "https://*.example.com, https://x.example:8443",
                ),
            ],
            "https://*.example.com https://x.example:8443",
            None,
        ),
    ] {
        let (_broker, gateway) = start(variables).await;
        if !is_built("widget.html") {
            return;
        }
        let answer = ask(gateway.address(), "GET /widget", &[]).await;
        assert_eq!(policy(&answer, "frame-ancestors"), Some(sources));
        assert_eq!(answer.header("x-frame-options"), options);
        if answer.body.contains("agent-gateway:ancestors") {
            let meta = format!("<meta name=\"agent-gateway:ancestors\" content=\"{sources}\">");
            assert!(answer.body.contains(&meta), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn the_widget_is_told_where_older_messages_are_and_may_ask_there() {
    for (variables, sources, content) in [
        (&[][..], "'self'", ""),
        (
            &[(
                "HISTORY_URL_TEMPLATE",
                "https://Portal.example:8443/{tenantId}/m?c={conversationId}&all=1",
            )],
            "'self' https://portal.example:8443",
            "https://Portal.example:8443/{tenantId}/m?c={conversationId}&amp;all=1",
        ),
    ] {
        let (_broker, gateway) = start(variables).await;
        if !is_built("widget.html") {
            return;
        }
        let answer = ask(gateway.address(), "GET /widget", &[]).await;
        assert_eq!(policy(&answer, "connect-src"), Some(sources));
        let told = format!("<meta name=\"agent-gateway:history\" content=\"{content}\"");
        assert!(answer.body.contains(&told), "{}", answer.body);
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
        let known = format!("if-none-match: {}", answer.header("etag").unwrap());
        let again = ask(gateway.address(), "GET /widget", &[&known]).await;
        assert_eq!(again.status, 304);
        // Another form has another tag, and is not taken for this one.
        let headers = [&*known, "accept-encoding: gzip"];
        let mut other = ask(gateway.address(), "HEAD /widget", &headers).await;
        assert_eq!(other.status, 200);
        assert_eq!(other.header("content-encoding"), Some("gzip"));
        let known = format!("if-none-match: {}", other.header("etag").unwrap());
        other = ask(gateway.address(), "HEAD /widget", &[headers[1], &known]).await;
        assert_eq!(other.status, 304);
    }
}

#[tokio::test]
async fn scripts_have_cross_origin_headers_for_other_pages_and_the_sandboxed_widget() {
    let (_broker, gateway) = start(&[]).await;
    let page = ask(gateway.address(), "GET /widget", &[]).await;
    let script = page
        .body
        .split('"')
        .find_map(|part| part.split_once("assets/"))
        .map(|(_, name)| format!("/assets/{name}"));
    let immutable = "public, max-age=31536000, immutable";
    for (path, whose, cache, kind) in [
        (
            Some("/client.js"),
            "cross-origin",
            "no-cache",
            "text/javascript; charset=utf-8",
        ),
        (
            Some("/embed.js"),
            "cross-origin",
            "no-cache",
            "text/javascript; charset=utf-8",
        ),
        (
            Some("/client.d.ts"),
            "cross-origin",
            "no-cache",
            "application/typescript; charset=utf-8",
        ),
        // In a sandbox without an origin the widget's own scripts are another's.
        (script.as_deref(), "cross-origin", immutable, ""),
    ] {
        let Some(path) = path else { continue };
        let answer = ask(gateway.address(), &format!("GET {path}"), &[]).await;
        let case = format!("{path}: {}", answer.status);
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{case}"
        );
        assert_eq!(policy(&answer, "default-src"), Some("'none'"), "{case}");
        if !is_built(&path[1..]) {
            let status = if is_built("widget.html") { 404 } else { 503 };
            assert_eq!(answer.status, status, "{case}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{case}");
            continue;
        }
        assert_eq!(answer.status, 200, "{case}");
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some(whose),
            "{case}"
        );
        assert_eq!(answer.header("cache-control"), Some(cache), "{case}");
        let given = answer.header("content-type").unwrap();
        assert!(given.starts_with(kind), "{case}: {given}");
        let known = format!("if-none-match: {}", answer.header("etag").unwrap());
        let again = ask(gateway.address(), &format!("GET {path}"), &[&known]).await;
        assert_eq!(again.status, 304, "{case}");
    }
}
