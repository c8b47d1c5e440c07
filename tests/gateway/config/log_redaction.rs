//! The log holds no token, key, secret or message text, also at `trace`.

use std::process::Output;

use lapin::BasicProperties;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::raw::ask;
use crate::harness::{
    Broker, Client, Proxy, Raw, Received, Signal, TestGateway, claims, message, now, until,
};

const SECRET: &str = "current-secret-b1946ac92492d2347c6235b4d2611184";
const PREVIOUS: &str = "previous-secret-591785b794601e212b260e25925636fd";
const KEY: &str = "first-key-6f1ed002ab5595859014ebf0951522d9";
const OTHER_KEY: &str = "second-key-0b26e313ed4a7ca6904b0e9369e5b957";
const WRONG_KEY: &str = "wrong-key-d577273ff885c3f84dadb8578bb41399";
const PASSWORD: &str = "password-5058f1af8388633f609cadb75a75dc9d";
/// In all that customers and the portal write; no id, since those may be told.
const TEXT: &str = "text! 7fc56270e7a70fa81a5935b72eacbe29";

const IDS: &str = "&tenantId=acme&conversationId=c-1";
const NAMESPACE: &str = "/tenant/acme/conv/c-1";

/// What must be nowhere, and what has been said where everybody can read it.
struct Search {
    needles: Vec<String>,
    answers: Vec<String>,
}

impl Search {
    fn new() -> Self {
        let needles = [SECRET, PREVIOUS, KEY, OTHER_KEY, WRONG_KEY, PASSWORD, TEXT];
        Self {
            needles: needles.map(str::to_owned).into(),
            answers: Vec::new(),
        }
    }

    /// A token, of which no part may be anywhere either. The header is the same in all, and no
    /// secret.
    fn token(&mut self, secret: &str, claims: &Value) -> String {
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key).unwrap();
        self.needles
            .extend(token.split('.').skip(1).map(str::to_owned));
        token
    }

    async fn ask(&mut self, gateway: &TestGateway, line: &str, headers: &[&str]) {
        let answer = ask(gateway.address(), line, headers).await;
        self.answers.push(answer.body);
    }

    async fn post(&mut self, gateway: &TestGateway, path: &str, key: &str, body: &str) {
        let request = gateway
            .post(path)
            .header("x-internal-api-key", key)
            .header("content-type", "application/json")
            .body(body.to_owned());
        let answer = request.send().await.unwrap();
        self.answers.push(answer.text().await.unwrap());
    }

    /// Fails if any of it is in the text.
    fn finds_nothing_in(&self, what: &str, text: &str) {
        for line in text.lines() {
            for needle in &self.needles {
                assert!(!line.contains(needle), "{needle} in {what}: {line}");
            }
        }
    }
}

async fn start(broker: &Broker, url: &str) -> TestGateway {
    let keys = format!("{KEY},{OTHER_KEY}");
    let variables = [
        ("RUST_LOG", "trace"),
        ("AMQP_URL", url),
        ("JWT_SECRET", SECRET),
        ("JWT_PREVIOUS_SECRET", PREVIOUS),
        ("INTERNAL_API_KEYS", &keys),
        ("REPLAY_MAX_EVENTS", "8"),
    ];
    TestGateway::start_with(broker, &variables).await
}

/// Everything that can be wrong with a token, each of them shown wherever one could be.
async fn show_tokens(search: &mut Search, gateway: &TestGateway) {
    let with = |name: &str, value: Value| {
        let mut claims = claims("acme");
        claims[name] = value;
        claims
    };
    let tokens = [
        search.token(SECRET, &with("jti", json!("good"))),
        search.token(PREVIOUS, &with("jti", json!("of the previous secret"))),
        search.token(SECRET, &with("exp", json!(now() - 600))),
        search.token(SECRET, &with("nbf", json!(now() + 600))),
        search.token(SECRET, &with("sub", Value::Null)),
        search.token(SECRET, &with("conversations", json!({"c-1": true}))),
        search.token(SECRET, &with("tenantId", json!("other"))),
        search.token("of somebody else entirely", &with("jti", json!("forged"))),
    ];
    for token in &tokens {
        let auth = json!({"token": token, "cursor": token});
        for query in [IDS, &format!("{IDS}&token={token}&auth[token]={token}")] {
            let mut client = Client::open(gateway.address(), query).await;
            for namespace in [
                "/",
                NAMESPACE,
                &format!("{NAMESPACE}?token={token}"),
                "/nowhere",
            ] {
                client.connect(namespace, &auth).await;
                if entered(search, &mut client).await {
                    let refresh = json!(["refresh_token", {"token": token}]);
                    client.ask(namespace, 1, &refresh).await;
                }
            }
            // What breaks off, what is not text, what is too large, and what nobody asked for.
            client.emit("/", &json!([token, token])).await;
            client
                .send(&format!("451-[\"{token}\",{{\"_placeholder\":true}}]"))
                .await;
            client.send_binary(token.as_bytes()).await;
            client.try_send(&format!("4{token}")).await;
            let mut client = Client::open(gateway.address(), query).await;
            client
                .try_send(&format!("40{}{token}", "{".repeat(64 << 10)))
                .await;
        }
        let mut polling = Client::open_polling(gateway.address(), IDS).await;
        polling.connect("/", &auth).await;
        polling.next().await;
        polling.post(&format!("4{token}\x1eb{token}")).await;
        for line in [
            format!("GET /widget?token={token}"),
            format!("GET /socket.io/?EIO=3&transport=polling&token={token}"),
            format!("GET /socket.io/?EIO=4&transport=polling&sid={token}"),
            format!("GET /socket.io/?EIO=4&transport=websocket&sid={token}"),
            format!("GET /internal/conversations/acme/{token}"),
            format!("GET /{token}"),
            format!("GET /assets/{token}%ff"),
            format!("{} /", token.split('.').next_back().unwrap()),
            format!("GET / {token}"),
        ] {
            let header = format!("authorization: Bearer {token}");
            let cookie = format!("cookie: token={token}");
            let referrer = format!("referer: https://portal.test/?token={token}");
            let evil = "origin: https://evil.test";
            search.ask(gateway, &line, &[&header, &cookie]).await;
            search.ask(gateway, &line, &[evil, &referrer]).await;
        }
        let mut raw = Raw::open(gateway.address()).await;
        raw.send(format!(
            "GET /healthz HTTP/1.1\r\nhost: x\r\n{token}\r\n\r\n"
        ))
        .await;
        raw.answer_if_any().await;
    }
    // One that is let in, and then shows each of the others.
    let mut client = Client::open(gateway.address(), IDS).await;
    client
        .connect(NAMESPACE, &json!({"token": tokens[0], "replay": false}))
        .await;
    client.joined().await;
    for (number, token) in (0..).zip(&tokens) {
        let refresh = json!(["refresh_token", {"token": token}]);
        client.ask(NAMESPACE, number, &refresh).await;
        let Received::Ack { args, .. } = client.next().await else {
            panic!("no answer");
        };
        search.answers.push(args[0].to_string());
    }
}

/// Whether a CONNECT is granted.
async fn entered(search: &mut Search, client: &mut Client) -> bool {
    loop {
        match client.next().await {
            Received::Connected(_) => return true,
            Received::Refused(message) => {
                search.answers.push(message);
                return false;
            }
            Received::Event { .. } => {}
            Received::Ack { args, .. } => search.answers.push(args[0].to_string()),
            other => panic!("{other:?}"),
        }
    }
}

/// Events whose every field could be what a customer wrote, good and bad.
fn events() -> Vec<Value> {
    let good = || {
        let mut event = message("acme", "c-1", &crate::harness::random_name());
        event["text"] = TEXT.into();
        event
    };
    let mut events = vec![good()];
    for field in [
        "tenantId",
        "conversationId",
        "text",
        "mediaUrl",
        "mediaType",
        "from",
        "timestamp",
        "status",
        "error",
    ] {
        for wrong in [
            json!(TEXT),
            json!([TEXT]),
            json!({TEXT: TEXT}),
            json!(TEXT.repeat(100)),
        ] {
            let mut event = good();
            event[field] = wrong;
            events.push(event);
        }
    }
    events
}

async fn publish(search: &mut Search, broker: &Broker, gateway: &TestGateway) {
    let broken = [
        format!("{{\"text\":\"{TEXT}"),
        TEXT.to_owned(),
        format!("{{\"{TEXT}\":\"\\ud800\"}}"),
        format!("{{\"\\ud800{TEXT}\":1}}"),
        TEXT.repeat(10_000),
    ];
    for queue in ["inbound_message", "status_update"] {
        for body in events().iter().map(Value::to_string).chain(broken.clone()) {
            let properties = BasicProperties::default();
            broker.publish_raw(queue, body.as_bytes(), properties).await;
        }
    }
    for name in ["inbound_message", "status_update", "note", TEXT, "joined"] {
        for payload in events() {
            let mut emit = json!({"tenantId": "acme", "conversationId": "c-1", "event": name});
            for wrong in [&payload, &json!(TEXT), &json!([TEXT])] {
                emit["payload"] = wrong.clone();
                search
                    .post(gateway, "/internal/emit", KEY, &emit.to_string())
                    .await;
            }
        }
    }
    for key in [KEY, OTHER_KEY, WRONG_KEY] {
        for body in &broken {
            search.post(gateway, "/internal/emit", key, body).await;
            search
                .post(gateway, "/internal/disconnect", key, body)
                .await;
        }
        let selection = json!({"tenantId": "acme", "conversationId": "quiet"}).to_string();
        search
            .post(gateway, "/internal/disconnect", key, &selection)
            .await;
        for header in [
            "x-internal-api-key: ",
            "authorization: Bearer ",
            "authorization: Basic ",
        ] {
            let header = format!("{header}{key}");
            for line in [
                "GET /metrics",
                "GET /internal/conversations/acme/c-1",
                "GET /internal/conversations/a%2fb/c",
                "POST /internal/emit",
            ] {
                search.ask(gateway, line, &[&header]).await;
                search.ask(gateway, &format!("{line}?key={key}"), &[]).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trace_log_of_a_whole_run_holds_no_secret() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    let gateway = start(&broker, &proxy.broker_url()).await;
    gateway.ready().await;
    let mut search = Search::new();
    let token = search.token(SECRET, &claims("acme"));
    let mut agent = Client::open(gateway.address(), IDS).await;
    agent.connect("/", &json!({"token": token})).await;
    agent.joined().await;
    show_tokens(&mut search, &gateway).await;
    publish(&mut search, &broker, &gateway).await;
    // The broker goes in the middle of it all, and comes back.
    proxy.cut();
    until("the broker is missed", async || {
        gateway.get("/readyz").await.1["status"] == "degraded"
    })
    .await;
    proxy.restore();
    gateway.ready().await;
    let key = format!("x-internal-api-key: {KEY}");
    search.ask(&gateway, "GET /metrics", &[&key]).await;
    gateway.signal(Signal::TERM);
    let ended = gateway.ended().await;
    assert_eq!(ended.status.code(), Some(0));
    // It has spoken of all of it.
    for line in [
        "connect refused",
        "refresh refused",
        "emit refused",
        "origin refused",
        "members were disconnected at the portal's request",
        "a conversation was looked at",
        "joined",
        "left",
        "dead",
    ] {
        assert!(ended.log.contains(line), "no {line:?} in:\n{}", ended.log);
    }
    search.finds_nothing_in("the log", &ended.log);
    for answer in &search.answers {
        search.finds_nothing_in("an answer", answer);
    }
}

#[tokio::test]
async fn a_broker_password_that_is_refused_is_not_logged() {
    let broker = Broker::new().await;
    let address = broker.url().rsplit('@').next().unwrap().to_owned();
    let nowhere = "127.0.0.1:1/%2f";
    for (url, logged) in [
        (
            format!("amqp://guest:{PASSWORD}@{address}"),
            "ACCESS_REFUSED",
        ),
        (format!("amqp://{PASSWORD}:x@{address}"), "ACCESS_REFUSED"),
        (format!("amqp://guest:{PASSWORD}@{nowhere}"), "refused"),
    ] {
        let gateway = start(&broker, &url).await;
        until(logged, async || gateway.log().join("\n").contains(logged)).await;
        let log = gateway.log().join("\n");
        Search::new().finds_nothing_in("the log", &log);
        let (_, ready) = gateway.get("/readyz").await;
        Search::new().finds_nothing_in("/readyz", &ready.to_string());
    }
}

async fn run(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent-gateway"));
    command.args(arguments).env_clear().env("RUST_LOG", "trace");
    command
        .envs(variables.iter().copied())
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn configuration_errors_do_not_print_values() {
    let short = &PASSWORD[..20];
    let url = format!("amqp://guest:{PASSWORD}@127.0.0.1:port/%2f");
    let broken = format!("http://{PASSWORD}@portal.test/path");
    let two = format!("{KEY},{}", &KEY[..9]);
    let variables = [
        ("JWT_SECRET", short),
        ("JWT_PREVIOUS_SECRET", short),
        ("INTERNAL_API_KEYS", &two),
        ("AMQP_URL", &url),
        ("ALLOWED_ORIGINS", &broken),
        ("PORT", PASSWORD),
    ];
    for arguments in [&["serve"][..], &["token", "--tenant", "acme"]] {
        let output = run(&variables, arguments).await;
        assert_eq!(output.status.code(), Some(64));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("JWT_SECRET"), "{stderr}");
        assert!(output.stdout.is_empty());
        for value in [short, KEY, &KEY[..9]] {
            assert!(!stderr.contains(value), "{value} in {stderr}");
        }
    }
}
