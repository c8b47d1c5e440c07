//! `PUBLIC_URL` and proxies: own origins, path prefixes, forwarded headers, and what is logged of a mismatch.

use std::process::{Command, Stdio};

use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::harness::raw::{Answer, ask};
use crate::harness::{API_KEY, Broker, Client, DEADLINE, TestGateway, claims, sign, until};

const HANDSHAKE: &str = "GET /socket.io/?EIO=4&transport=polling";

async fn start(variables: &[(&str, &str)]) -> (Broker, TestGateway) {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, variables).await;
    (broker, gateway)
}

/// What a handshake of this page is answered, behind a proxy that calls the gateway `inner:3012`.
async fn handshake(gateway: &TestGateway, origin: &str, headers: &[&str]) -> Answer {
    let origin = format!("origin: {origin}");
    let mut all = vec![&*origin];
    if !headers.iter().any(|header| header.starts_with("host:")) {
        all.push("host: inner:3012");
    }
    all.extend(headers);
    ask(gateway.address(), HANDSHAKE, &all).await
}

#[tokio::test]
async fn with_public_url_only_its_origins_are_the_own_origin() {
    let urls = "https://gw.example.com, http://gw.internal:8080/";
    let variables = [
        ("PUBLIC_URL", urls),
        ("TRUSTED_PROXIES", "1"),
        ("ALLOWED_ORIGINS", "https://portal.example.com"),
    ];
    let (_broker, gateway) = start(&variables).await;
    for (origin, headers, status) in [
        ("https://gw.example.com", vec![], 200),
        ("wss://gw.example.com", vec![], 200),
        ("http://gw.internal:8080", vec![], 200),
        ("https://portal.example.com", vec![], 200),
        ("http://gw.example.com", vec![], 403),
        ("https://gw.example.com:8443", vec![], 403),
        ("http://inner:3012", vec![], 403),
        ("https://other.example", vec!["host: other.example"], 403),
        (
            "https://other.example",
            vec!["x-forwarded-host: other.example"],
            403,
        ),
    ] {
        let answer = handshake(&gateway, origin, &headers).await;
        assert_eq!(answer.status, status, "{origin} {headers:?}");
    }
}

#[tokio::test]
async fn forwarded_headers_count_as_far_as_proxies_are_trusted() {
    let real = "https://real.example";
    let evil = "https://evil.example";
    for (proxies, origin, headers, status) in [
        ("0", real, vec!["x-forwarded-host: real.example"], 403),
        ("0", real, vec!["forwarded: host=real.example"], 403),
        ("1", real, vec!["x-forwarded-host: real.example"], 200),
        (
            "1",
            evil,
            vec!["x-forwarded-host: evil.example, real.example"],
            403,
        ),
        (
            "1",
            real,
            vec!["x-forwarded-host: evil.example, real.example"],
            200,
        ),
        (
            "1",
            evil,
            vec![
                "x-forwarded-host: evil.example",
                "x-forwarded-host: real.example",
            ],
            403,
        ),
        (
            "2",
            real,
            vec!["x-forwarded-host: real.example, inner"],
            200,
        ),
        (
            "2",
            evil,
            vec!["x-forwarded-host: evil.example, real.example, inner"],
            403,
        ),
        // One that sets has thrown away what came before, if the request came by both.
        ("2", evil, vec!["x-forwarded-host: evil.example"], 403),
        (
            "2",
            real,
            vec![
                "x-forwarded-host: real.example",
                "x-forwarded-for: 192.0.2.1, 10.0.0.1",
            ],
            200,
        ),
        (
            "1",
            real,
            vec!["forwarded: for=192.0.2.1;host=\"real.example\";proto=https"],
            200,
        ),
        (
            "1",
            evil,
            vec!["forwarded: host=evil.example, host=real.example"],
            403,
        ),
        (
            "1",
            real,
            vec!["forwarded: host=evil.example, host=real.example"],
            200,
        ),
        (
            "1",
            evil,
            vec!["forwarded: host=evil.example;x=\", host=real.example"],
            403,
        ),
        (
            "1",
            evil,
            vec![
                "forwarded: host=evil.example",
                "x-forwarded-host: real.example",
            ],
            403,
        ),
        (
            "1",
            "http://real.example",
            vec!["x-forwarded-host: real.example", "x-forwarded-proto: https"],
            403,
        ),
        (
            "1",
            real,
            vec!["x-forwarded-host: real.example", "x-forwarded-proto: wss"],
            200,
        ),
        (
            "1",
            "https://real.example:8443",
            vec!["host: real.example", "x-forwarded-port: 8443"],
            200,
        ),
    ] {
        let (_broker, gateway) = start(&[("TRUSTED_PROXIES", proxies)]).await;
        let answer = handshake(&gateway, origin, &headers).await;
        assert_eq!(answer.status, status, "{proxies}: {origin} {headers:?}");
    }
}

#[tokio::test]
async fn with_a_path_prefix_everything_answers_with_and_without_it() {
    let url = "https://portal.example.com/realtime/";
    let (_broker, gateway) = start(&[("PUBLIC_URL", url)]).await;
    let key = format!("x-internal-api-key: {API_KEY}");
    for line in [
        "GET /",
        "GET /healthz",
        "GET /metrics",
        "GET /widget",
        "GET /widget.html?tenantId=acme&conversationId=c-1",
        "GET /embed.js",
        "GET /client.js",
        "GET /client.d.ts",
        "GET /assets/nothing.js",
        "GET /internal/conversations/acme/c-1",
        "GET /internal/emit",
        "DELETE /widget",
        "HEAD /healthz",
        "GET /socket.io/?EIO=4&transport=pigeon",
        "POST /socket.io/?EIO=4&transport=polling&sid=x",
    ] {
        let plain = ask(gateway.address(), line, &[&key, "content-length: 0"]).await;
        let line = line.replacen(" /", " /realtime/", 1);
        let behind = ask(gateway.address(), &line, &[&key, "content-length: 0"]).await;
        assert_eq!(behind.status, plain.status, "{line}");
        assert!(behind.status != 404 || line.contains("nothing"), "{line}");
        for header in ["content-type", "content-security-policy", "etag", "allow"] {
            assert_eq!(behind.header(header), plain.header(header), "{line}");
        }
    }
    for line in [
        "GET /",
        "GET /realtime",
        "GET /realtime/",
        "GET /realtime?x",
    ] {
        let home = ask(gateway.address(), line, &[]).await;
        assert_eq!(home.status, 307, "{line}");
        assert_eq!(home.header("location"), Some("/realtime/widget"), "{line}");
    }
    for path in [
        "/realtimeX/healthz",
        "/realtime.x/healthz",
        "/Realtime/healthz",
        "/x/realtime/healthz",
        "/realtime/realtime/healthz",
        "/realtimehealthz",
    ] {
        let answer = ask(gateway.address(), &format!("GET {path}"), &[]).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn behind_a_path_prefix_origins_are_checked() {
    let url = "https://portal.example.com/realtime";
    let (_broker, gateway) = start(&[("PUBLIC_URL", url)]).await;
    for path in ["/socket.io/", "/realtime/socket.io/", "/realtime/socket.io"] {
        let line = format!("GET {path}?EIO=4&transport=polling");
        for (origin, status) in [
            ("origin: https://portal.example.com", 200),
            ("origin: https://evil.example", 403),
        ] {
            let answer = ask(gateway.address(), &line, &[origin]).await;
            assert_eq!(answer.status, status, "{path} {origin}");
        }
    }
    let portal = ["origin: https://portal.example.com"];
    for path in ["/realtime/client.js", "/realtime/embed.js"] {
        let answer = ask(gateway.address(), &format!("GET {path}"), &portal).await;
        let shared = answer.header("access-control-allow-origin");
        assert_eq!(shared, Some("https://portal.example.com"), "{path}");
    }
}

#[tokio::test]
async fn an_agent_joins_and_receives_events_behind_a_path_prefix() {
    let broker = Broker::new().await;
    let url = [("PUBLIC_URL", "https://portal.example.com/realtime")];
    let gateway = TestGateway::start_with(&broker, &url).await;
    let query = "&tenantId=acme&conversationId=c-1";
    let mut agent = Client::open_below(gateway.address(), "/realtime", query).await;
    let auth = serde_json::json!({"token": sign(&claims("acme"))});
    agent.connect("/", &auth).await;
    agent.joined().await;
    let body = serde_json::json!({
        "tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {"n": 1},
    });
    assert_eq!(gateway.emit(&body).await.0, 200);
    assert_eq!(agent.event().await.name(), "note");
}

#[tokio::test]
async fn a_proxy_that_strips_an_unknown_prefix_gets_a_relative_redirect() {
    for (proxies, location) in [("0", "/widget"), ("1", "widget")] {
        let (_broker, gateway) = start(&[("TRUSTED_PROXIES", proxies)]).await;
        let home = ask(gateway.address(), "GET /", &[]).await;
        assert_eq!(
            (home.status, home.header("location")),
            (307, Some(location))
        );
    }
}

#[tokio::test]
async fn a_rejected_origin_is_logged_once_with_the_setting_that_allows_it() {
    let (_broker, gateway) = start(&[("TRUSTED_PROXIES", "1")]).await;
    let origin = "https://portal.example.com";
    for _ in 0..20 {
        let answer = handshake(&gateway, origin, &["x-forwarded-host: proxy.internal"]).await;
        assert_eq!(answer.status, 403);
    }
    let key = format!("x-internal-api-key: {API_KEY}");
    let metrics = ask(gateway.address(), "GET /metrics", &[&key]).await;
    let counted = "agent_gateway_origins_refused_total 20";
    assert!(metrics.body.contains(counted), "{}", metrics.body);
    let logged = || {
        let mut lines = gateway.log();
        lines.retain(|line| line.contains("origin refused"));
        lines
    };
    until("it is logged", async || !logged().is_empty()).await;
    // The log is written in order: what comes after is there when this is.
    gateway.signal(crate::harness::Signal::TERM);
    gateway.logs("stopped").await;
    let lines = logged();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["origin"], origin);
    assert_eq!(line["host"], "inner:3012");
    assert_eq!(line["forwarded_host"], "proxy.internal");
    assert_eq!(line["refused"], 1);
    assert_eq!(
        line["message"],
        "origin refused: set PUBLIC_URL=https://portal.example.com if that is what the gateway is \
         called outside, or ALLOWED_ORIGINS=https://portal.example.com if it is another page's"
    );
}

#[tokio::test]
async fn logged_header_values_are_escaped_and_bounded() {
    let (_broker, gateway) = start(&[]).await;
    let long = "x".repeat(8000);
    let answer = handshake(&gateway, &long, &[&format!("host: {long}")]).await;
    assert_eq!(answer.status, 403);
    gateway.logs("origin refused").await;
    let lines = gateway.log();
    let line = lines.iter().find(|line| line.contains("origin refused"));
    let line = line.unwrap();
    assert!(line.len() < 1200, "{line}");
    assert!(!line.contains("Some("), "{line}");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line.get("forwarded_host"), None);
}

#[tokio::test]
async fn links_printed_by_dev_are_local_with_any_public_url() {
    let broker = Broker::new().await;
    let mut dev = tokio::process::Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .arg("dev")
        .env_clear()
        .envs([
            ("PORT", "0"),
            ("AMQP_URL", broker.url()),
            ("AMQP_EXCHANGE", &broker.names.exchange),
            ("AMQP_INBOUND_QUEUE", &broker.names.inbound),
            ("AMQP_STATUS_QUEUE", &broker.names.status),
            ("AMQP_DEAD_LETTER_QUEUE", &broker.names.dead_letters),
            ("PUBLIC_URL", "https://portal.example.com/realtime"),
        ])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(dev.stdout.take().unwrap()).lines();
    let link = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("it prints no link");
            if let Some((address, _)) = line.split_once("/widget?") {
                return address.trim().to_owned();
            }
        }
    };
    let link = tokio::time::timeout(DEADLINE, link).await.unwrap();
    let address = link.strip_prefix("http://").unwrap();
    let headers = [format!("origin: {link}"), format!("host: {address}")];
    let headers = headers.each_ref().map(|header| &**header);
    // It is bound when the link is printed, and served a moment later.
    let answer = ask(address, HANDSHAKE, &headers).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn invalid_public_urls_and_origins_are_reported_with_exit_code_64() {
    for (variable, value, reason) in [
        ("PUBLIC_URL", "portal.example.com", "must be a URL"),
        ("PUBLIC_URL", "https://a.example/x?y", "no query"),
        ("PUBLIC_URL", "https://a.example/x#y", "no fragment"),
        ("PUBLIC_URL", "https://u@a.example/x", "must be a URL"),
        (
            "PUBLIC_URL",
            "https://a.example/x, https://b.example/y",
            "same path",
        ),
        (
            "PUBLIC_URL",
            "https://a.example/socket.io",
            "one of the gateway's own",
        ),
        ("FRAME_ANCESTORS", "foo bar", "source 1: a host of one word"),
        ("ALLOWED_ORIGINS", "null", "sandboxed frames"),
        ("ALLOWED_ORIGINS", "file://", "no origin of their own"),
        ("ALLOWED_ORIGINS", "*", "must name each origin"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
            .env_clear()
            .envs([("JWT_SECRET", crate::harness::SECRET), (variable, value)])
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.code(),
            Some(64),
            "{variable}={value}: {stderr}"
        );
        let named = format!("agent-gateway: {variable}: ");
        assert!(
            stderr.contains(&named) && stderr.contains(reason),
            "{stderr}"
        );
    }
}
