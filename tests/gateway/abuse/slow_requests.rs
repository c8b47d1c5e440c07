//! Incomplete requests time out, and do not affect others.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{API_KEY, Broker, Raw, Signal, TestGateway};

/// A poll's head, to its end.
fn head(line: &str, headers: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: gateway.test\r\n{headers}\r\n")
}

fn emit(headers: &str) -> String {
    let key = format!("x-internal-api-key: {API_KEY}\r\ncontent-type: application/json\r\n");
    head("POST /internal/emit", &format!("{key}{headers}"))
}

/// Opens an Engine.IO session by polling, and names it.
async fn session(gateway: &TestGateway) -> String {
    let mut raw = Raw::open(gateway.address()).await;
    let open = raw
        .ask("GET /socket.io/?EIO=4&transport=polling", &[])
        .await;
    open.json()["sid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomplete_requests_time_out() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("PING_INTERVAL_MS", "60000")]).await;
    let sid = session(&gateway).await;
    let post = format!("POST /socket.io/?EIO=4&transport=polling&sid={sid}");
    // What is sent, and whether it gets an answer before the connection ends: as far as a request
    // can be answered, it is.
    let kinds = [
        ("nothing", String::new(), None),
        ("a byte", "G".to_owned(), None),
        ("a line", "GET /healthz HTTP/1.1\r\n".to_owned(), None),
        (
            "half a head",
            "GET / HTTP/1.1\r\nhost: x\r\na: ".to_owned(),
            None,
        ),
        ("no body", emit("content-length: 20\r\n"), Some(408)),
        (
            "half a body",
            emit("content-length: 20\r\n") + "{\"tenantId\"",
            Some(408),
        ),
        (
            "half a chunk",
            emit("transfer-encoding: chunked\r\n") + "ff\r\nabc",
            Some(408),
        ),
        (
            "no last chunk",
            emit("transfer-encoding: chunked\r\n") + "1\r\na\r\n",
            Some(408),
        ),
        (
            "half a packet",
            head(&post, "content-length: 9\r\n") + "40",
            Some(408),
        ),
    ];
    let ends = kinds.map(async |(kind, sent, answer)| {
        let mut raw = Raw::open(gateway.address()).await;
        raw.send(&sent).await;
        if let Some(status) = answer {
            let answer = raw.answer().await;
            assert_eq!(answer.status, status, "{kind}");
            assert_eq!(answer.header("connection"), Some("close"), "{kind}");
        }
        let ended = raw.ended().await;
        assert!(
            answer.is_some() || ended > Duration::from_secs(5),
            "{kind}: {ended:?}"
        );
    });
    // Bytes that come one at a time are not progress.
    let trickling = async {
        let mut raw = Raw::open(gateway.address()).await;
        raw.send("GET /healthz HTTP/1.1\r\nhost: x\r\nx: ").await;
        raw.trickle_until_closed().await;
        let mut raw = Raw::open(gateway.address()).await;
        raw.send(emit("content-length: 100000\r\n")).await;
        raw.trickle_until_closed().await;
    };
    tokio::join!(join_all(ends), trickling);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_incomplete_requests_do_not_affect_an_agent() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-0").await;
    let before = gateway.memory();
    let mut half_open = Vec::new();
    for number in 0..2_000 {
        let mut raw = Raw::open(gateway.address()).await;
        raw.send(match number % 3 {
            0 => String::new(),
            1 => "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: x\r\n".to_owned(),
            _ => emit("content-length: 100000\r\n") + &"x".repeat(1_000),
        })
        .await;
        half_open.push(raw);
        if number % 100 == 0 {
            broker.delivers(&mut agent, &format!("m-1-{number}")).await;
        }
    }
    let grown = gateway.memory().saturating_sub(before);
    assert!(grown < 100 << 20, "{grown} bytes more");
    // Others come in, and are served, meanwhile.
    let mut other = gateway.agent("acme", "c-2").await;
    assert_eq!(gateway.get("/healthz").await.0, 200);
    let emit = json!({"tenantId": "acme", "conversationId": "c-2", "event": "note", "payload": {}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
    other.event().await;
    let ends = half_open.iter_mut().map(Raw::ended);
    let ending = async {
        for number in 0..20 {
            broker.delivers(&mut agent, &format!("m-2-{number}")).await;
        }
    };
    tokio::join!(join_all(ends), ending);
}

#[tokio::test]
async fn keep_alive_connections_are_reused_and_pending_polls_do_not_time_out() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("PING_INTERVAL_MS", "12000")]).await;
    let mut raw = Raw::open(gateway.address()).await;
    let open = raw
        .ask("GET /socket.io/?EIO=4&transport=polling", &[])
        .await;
    assert_eq!(open.status, 200);
    let open = open.json();
    let sid = open["sid"].as_str().unwrap();
    let auth = json!({"token": crate::harness::sign(&crate::harness::claims("acme")),
        "tenantId": "acme", "conversationId": "c-1"});
    let packet = format!("40{auth}");
    let line = format!("POST /socket.io/?EIO=4&transport=polling&sid={sid}");
    let length = format!("content-length: {}\r\n", packet.len());
    raw.send(head(&line, &length) + &packet).await;
    assert_eq!(raw.answer().await.status, 200);
    let poll = format!("GET /socket.io/?EIO=4&transport=polling&sid={sid}");
    let mut packets = Vec::new();
    // A ping comes when the interval has passed: later than anything may take that a client owes.
    while !packets.iter().any(|packet| packet == "2") {
        let answer = raw.ask(&poll, &[]).await;
        assert_eq!(answer.status, 200);
        packets.extend(answer.body.split('\x1e').map(str::to_owned));
        if answer.body.split('\x1e').any(|packet| packet == "2") {
            raw.send(head(&line, "content-length: 1\r\n") + "3").await;
            assert_eq!(raw.answer().await.status, 200);
        }
    }
    assert!(packets.iter().any(|packet| packet.contains("joined")));
    let again = raw.ask("GET /healthz", &[]).await;
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn the_size_of_a_request_head_is_limited() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let large = format!("x-large: {}", "x".repeat(8 << 10));
    let huge = format!("x-huge: {}", "x".repeat(64 << 10));
    let many: Vec<_> = (0..120).map(|number| format!("x-{number}: x")).collect();
    let many: Vec<_> = many.iter().map(|header| &**header).collect();
    let long = format!("GET /healthz?{}", "x".repeat(64 << 10));
    for (line, headers, status) in [
        ("GET /healthz", &[&*large][..], 200),
        ("GET /healthz", &many[..90], 200),
        ("GET /healthz", &[&*huge], 431),
        ("GET /healthz", &many, 431),
        (&long, &[], 431),
    ] {
        let answer = crate::harness::raw::ask(gateway.address(), line, headers).await;
        assert_eq!(answer.status, status, "{}", &line[..12]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomplete_requests_do_not_delay_the_shutdown() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[("SHUTDOWN_GRACE_SECONDS", "8")]).await;
    // Less than they have when nothing ends.
    let mut idle = Raw::open(gateway.address()).await;
    assert_eq!(idle.ask("GET /healthz", &[]).await.status, 200);
    let mut half_head = Raw::open(gateway.address()).await;
    half_head.send("GET /healthz HTTP/1.1\r\n").await;
    let mut half_body = Raw::open(gateway.address()).await;
    half_body.send(emit("content-length: 20\r\n") + "{").await;
    let silent = Raw::open(gateway.address()).await;
    // The gateway has taken them all in once it has answered the one behind them.
    assert_eq!(gateway.get("/healthz").await.0, 200);
    gateway.signal(Signal::TERM);
    let ended = gateway.ended().await;
    assert_eq!(ended.status.code(), Some(0));
    assert!(!ended.log.contains("not everything"), "{}", ended.log);
    drop((idle, half_head, half_body, silent));
}
