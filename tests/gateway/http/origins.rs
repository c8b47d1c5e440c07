//! Which web pages may talk to the gateway: the Origin check, and CORS.

use serde_json::json;

use crate::harness::raw::{Answer, ask};
use crate::harness::{Broker, Raw, TestGateway};

const ALLOWED: &str = "https://portal.example.com, http://localhost:5173";

const HANDSHAKE: &str = "GET /socket.io/?EIO=4&transport=polling";

const UPGRADE: [&str; 4] = [
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

async fn start(variables: &[(&str, &str)]) -> (Broker, TestGateway) {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, variables).await;
    (broker, gateway)
}

/// Every kind of request that a browser makes of Socket.IO: what it is called, its line, its
/// headers, and the status if it may.
fn kinds(sid: &str) -> Vec<(&'static str, String, Vec<&'static str>, u16)> {
    let path = "/socket.io/?EIO=4&transport=";
    let preflight = vec![
        "access-control-request-method: POST",
        "access-control-request-headers: content-type",
    ];
    vec![
        ("handshake", format!("GET {path}polling"), vec![], 200),
        (
            "POST",
            format!("POST {path}polling&sid={sid}"),
            vec!["content-length: 0"],
            200,
        ),
        (
            "WebSocket",
            format!("GET {path}websocket"),
            UPGRADE.to_vec(),
            101,
        ),
        (
            "preflight",
            format!("OPTIONS {path}polling"),
            preflight,
            204,
        ),
    ]
}

fn is_refusal(answer: &Answer) -> bool {
    let forbidden = json!({"code": 4, "message": "Forbidden"});
    answer.status == 403
        && answer.json() == forbidden
        && answer.header("content-type") == Some("application/json")
        && answer.header("access-control-allow-origin").is_none()
        && answer.header("access-control-allow-credentials").is_none()
        && answer.header("vary") == Some("Origin")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_origin_of_every_request_is_checked_on_every_transport() {
    let (_broker, gateway) = start(&[("ALLOWED_ORIGINS", ALLOWED)]).await;
    let address = gateway.address();
    let own = format!("http://{address}");
    let host = format!("host: {address}");
    for (origins, passes) in [
        (vec!["https://portal.example.com"], true),
        (vec!["http://localhost:5173"], true),
        (vec![&*own], true),
        (vec!["null"], false),
        (vec![""], false),
        (vec!["https://evil.example"], false),
        (vec!["http://portal.example.com"], false),
        (vec!["https://portal.example.com:8443"], false),
        (vec!["http://localhost"], false),
        (vec!["https://portal.example.com.evil.com"], false),
        (vec!["https://evilportal.example.com"], false),
        (vec!["https://portal.example.com@evil.com"], false),
        (
            vec!["https://portal.example.com", "https://evil.example"],
            false,
        ),
        (
            vec!["https://portal.example.com", "https://portal.example.com"],
            false,
        ),
        (
            vec!["https://portal.example.com, https://evil.example"],
            false,
        ),
    ] {
        let session = ask(address, HANDSHAKE, &[]).await;
        let sid = session.json()["sid"].as_str().unwrap().to_owned();
        for (kind, line, headers, status) in kinds(&sid) {
            let lines: Vec<_> = origins
                .iter()
                .map(|origin| format!("origin: {origin}"))
                .collect();
            let mut headers = headers;
            headers.extend(lines.iter().map(|line| &**line));
            headers.push(&host);
            let answer = ask(address, &line, &headers).await;
            let case = format!("{kind} of {origins:?}: {answer:?}");
            if !passes {
                assert!(is_refusal(&answer), "{case}");
                continue;
            }
            assert_eq!(answer.status, status, "{case}");
            if status != 101 {
                let shared = answer.header("access-control-allow-origin");
                assert_eq!(shared, Some(origins[0]), "{case}");
                let credentials = answer.header("access-control-allow-credentials");
                assert_eq!(credentials, Some("true"), "{case}");
                assert_eq!(answer.header("vary"), Some("Origin"), "{case}");
            }
            if kind == "preflight" {
                let methods = answer.header("access-control-allow-methods");
                assert_eq!(methods, Some("GET, POST"), "{case}");
                let allowed = answer.header("access-control-allow-headers");
                let sendable = "authorization, baggage, content-type, sentry-trace, traceparent, \
                    tracestate, x-requested-with";
                assert_eq!(allowed, Some(sendable), "{case}");
                assert!(answer.header("access-control-max-age").is_some(), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_poll_of_another_origin_consumes_no_packets() {
    let variables = [("ALLOWED_ORIGINS", ALLOWED), ("PING_INTERVAL_MS", "1000")];
    let (_broker, gateway) = start(&variables).await;
    let mut raw = Raw::open(gateway.address()).await;
    let open = raw.ask(HANDSHAKE, &[]).await;
    let open = open.json();
    let poll = format!(
        "GET /socket.io/?EIO=4&transport=polling&sid={}",
        open["sid"].as_str().unwrap()
    );
    for origin in ["origin: https://evil.example", "origin: null"] {
        assert!(is_refusal(&raw.ask(&poll, &[origin]).await), "{origin}");
    }
    let answer = raw
        .ask(&poll, &["origin: https://portal.example.com"])
        .await;
    assert_eq!((answer.status, &*answer.body), (200, "2"));
}

#[tokio::test]
async fn a_request_without_an_origin_is_accepted() {
    let (_broker, gateway) = start(&[("ALLOWED_ORIGINS", ALLOWED)]).await;
    let session = ask(gateway.address(), HANDSHAKE, &[]).await;
    for (kind, line, headers, status) in kinds(session.json()["sid"].as_str().unwrap()) {
        // Without an origin, OPTIONS is the engine's to refuse.
        let status = if kind == "preflight" { 400 } else { status };
        let answer = ask(gateway.address(), &line, &headers).await;
        assert_eq!(answer.status, status, "{kind}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{kind}");
    }
}

#[tokio::test]
async fn the_origin_check_covers_every_engine_io_path() {
    let (_broker, gateway) = start(&[]).await;
    let evil = ["origin: https://evil.example"];
    for path in [
        "/socket.io",
        "/socket.io/",
        "/socket.io/x",
        "/socket.io/../socket.io/",
    ] {
        let line = format!("GET {path}?EIO=4&transport=polling");
        assert!(
            is_refusal(&ask(gateway.address(), &line, &evil).await),
            "{path}"
        );
    }
    for path in [
        "/socket.iox",
        "/Socket.IO/",
        "//socket.io/",
        "/%73ocket.io/",
        "/x/socket.io/",
    ] {
        let line = format!("GET {path}?EIO=4&transport=polling");
        let answer = ask(gateway.address(), &line, &evil).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_x_forwarded_host_is_the_own_origin() {
    let forwarded = [
        "host: inner:3012",
        "x-forwarded-host: gw.example.com",
        "origin: https://gw.example.com",
    ];
    for (proxies, status) in [("0", 403), ("1", 200)] {
        let (_broker, gateway) = start(&[("TRUSTED_PROXIES", proxies)]).await;
        let answer = ask(gateway.address(), HANDSHAKE, &forwarded).await;
        assert_eq!(answer.status, status, "{proxies}");
    }
}

#[tokio::test]
async fn cors_covers_only_socket_io_and_the_modules() {
    let (_broker, gateway) = start(&[("ALLOWED_ORIGINS", ALLOWED)]).await;
    let portal = "origin: https://portal.example.com";
    for path in ["/client.js", "/client.d.ts", "/embed.js"] {
        for (origin, shared) in [
            (portal, Some("https://portal.example.com")),
            ("origin: https://evil.example", None),
            ("origin: null", None),
        ] {
            let answer = ask(gateway.address(), &format!("GET {path}"), &[origin]).await;
            let case = format!("{path} of {origin}: {answer:?}");
            assert_eq!(
                answer.header("access-control-allow-origin"),
                shared,
                "{case}"
            );
            let credentials = answer.header("access-control-allow-credentials");
            assert_eq!(credentials, shared.map(|_| "true"), "{case}");
            let varies = answer.header("vary").unwrap_or_default();
            assert!(varies.split(", ").any(|by| by == "Origin"), "{case}");
            assert_ne!(answer.status, 403, "{case}");
        }
    }
    for line in [
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /widget",
        "GET /assets/x.js",
        "POST /internal/emit",
        "OPTIONS /internal/emit",
        "OPTIONS /metrics",
        "GET /nowhere",
    ] {
        let preflight = "access-control-request-method: POST";
        let answer = ask(gateway.address(), line, &[portal, preflight]).await;
        for header in [
            "access-control-allow-origin",
            "access-control-allow-credentials",
            "access-control-allow-methods",
        ] {
            assert_eq!(answer.header(header), None, "{line}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn custom_schemes_are_allowed_origins_and_ws_counts_as_http() {
    let apps = "capacitor://localhost, ionic://LocalHost, app://main:1, wss://socket.example.com";
    let (_broker, gateway) = start(&[("ALLOWED_ORIGINS", apps)]).await;
    let address = gateway.address();
    let host = format!("host: {address}");
    let own = [format!("ws://{address}"), format!("wss://{address}")];
    for (origin, passes) in [
        ("capacitor://localhost", true),
        ("Capacitor://LOCALHOST", true),
        ("ionic://localhost", true),
        ("app://main:1", true),
        ("wss://socket.example.com", true),
        ("https://socket.example.com", true),
        (&own[0], true),
        (&own[1], true),
        ("tauri://localhost", false),
        ("capacitor://localhost:80", false),
        ("capacitor://localhost.evil.example", false),
        ("http://localhost", false),
        ("app://main", false),
        ("ws://socket.example.com", false),
        ("ws://evil.example", false),
        ("file://", false),
        ("null", false),
    ] {
        let line = format!("origin: {origin}");
        let answer = ask(address, HANDSHAKE, &[&line, &host]).await;
        if !passes {
            assert!(is_refusal(&answer), "{origin}: {answer:?}");
            continue;
        }
        assert_eq!(answer.status, 200, "{origin}: {answer:?}");
        let shared = answer.header("access-control-allow-origin");
        assert_eq!(shared, Some(origin));
        let mut headers = UPGRADE.to_vec();
        headers.extend([&*line, &*host]);
        let websocket = "GET /socket.io/?EIO=4&transport=websocket";
        assert_eq!(
            ask(address, websocket, &headers).await.status,
            101,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn the_preflight_allows_library_headers_and_rejects_forwarded_headers() {
    let (_broker, gateway) = start(&[("ALLOWED_ORIGINS", ALLOWED), ("TRUSTED_PROXIES", "1")]).await;
    let headers = [
        "origin: https://portal.example.com",
        "access-control-request-method: POST",
        "access-control-request-headers: traceparent,x-forwarded-host",
    ];
    let answer = ask(gateway.address(), "OPTIONS /socket.io/", &headers).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let sendable = answer.header("access-control-allow-headers").unwrap();
    let sendable: Vec<_> = sendable.split(", ").collect();
    assert!(sendable.contains(&"traceparent"), "{sendable:?}");
    let proxys = |name: &&str| name.contains("forwarded") || *name == "*";
    assert!(!sendable.iter().any(proxys), "{sendable:?}");
}
