//! Hostile tokens, handshakes, packets and requests, each with its exact answer.
//!
//! The tables are text: a row is a line, cells stand between bars, `$names` are explained where
//! they are filled in. One gateway answers them all, and an agent who was there before is served
//! at the end as if nothing had happened.

mod tables;

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engineio_client::{POLLING, WEBSOCKET, WebSocket};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::harness::{API_KEY, Broker, Client, Raw, Received, SECRET, TestGateway, message, now};

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "agents";

/// The rows of a table, as cells.
fn rows<const CELLS: usize>(table: &str) -> impl Iterator<Item = [&str; CELLS]> {
    let lines = table.lines().map(str::trim);
    let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        cells.try_into().unwrap_or_else(|_| panic!("{row}"))
    })
}

/// Replaces the `$names` in a cell.
fn fill(cell: &str, names: &[(&str, &str)]) -> String {
    names.iter().fold(cell.to_owned(), |cell, (name, value)| {
        cell.replace(name, value)
    })
}

/// What went otherwise than its row says: all of it is told at the end.
#[derive(Default)]
struct Verdict(usize, Vec<String>);

impl Verdict {
    fn compare<T: PartialEq + Debug>(&mut self, row: &[&str], came: T, expected: T) {
        self.0 += 1;
        if came != expected {
            let row = row.join(" | ");
            self.1.push(format!("{row}\n    came {came:?}"));
        }
    }
}

fn claims() -> Value {
    json!({"sub": "ada", "tenantId": "acme", "exp": now() + 3600, "iss": ISSUER, "aud": AUDIENCE})
}

/// A JWT of this header and these claims, whatever they are, with an HMAC under `secret`.
fn forge(header: &str, claims: &str, secret: &str) -> String {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let signed = format!("{}.{}", encode(header), encode(claims));
    let algorithm = match header {
        header if header.contains("HS512") => Algorithm::HS512,
        header if header.contains("HS384") => Algorithm::HS384,
        _ => Algorithm::HS256,
    };
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

fn good() -> String {
    forge(r#"{"alg":"HS256"}"#, &claims().to_string(), SECRET)
}

/// An answer to a CONNECT, in a word.
fn outcome(received: Received) -> String {
    match received {
        Received::Connected(_) => "joined".to_owned(),
        Received::Refused(message) => message,
        Received::Closed => "closed".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What a CONNECT of this token is answered with.
async fn enter(gateway: &TestGateway, token: &str) -> String {
    let mut client = Client::open(gateway.address(), IDS).await;
    client.connect("/", &json!({"token": token})).await;
    outcome(client.next().await)
}

const IDS: &str = "&tenantId=acme&conversationId=c-1";

/// Tokens that somebody has signed: by whom, and what they say.
async fn tokens(gateway: &TestGateway, verdict: &mut Verdict) {
    for row in rows(tables::TOKENS) {
        let [header, changed, signer, answer] = row;
        let header = match header {
            "" => r#"{"alg":"HS256"}"#,
            header => header,
        };
        let signer = match signer {
            "" => SECRET,
            signer => signer,
        };
        let said = match changed.strip_prefix("raw") {
            Some(raw) => raw.to_owned(),
            None => {
                let mut claims = claims();
                let changed: Value = serde_json::from_str(&format!("{{{changed}}}")).unwrap();
                let changed = changed.as_object().unwrap().clone();
                claims.as_object_mut().unwrap().extend(changed);
                claims.to_string()
            }
        };
        let soon = (now() + 600).to_string();
        let long = "x".repeat(17 << 10);
        let said = fill(&said, &[("\"$soon\"", &soon), ("$17KB", &long)]);
        let came = enter(gateway, &forge(header, &said, signer)).await;
        verdict.compare(&row, &*came, answer);
    }
    let good = good();
    let parts: Vec<_> = good.split('.').collect();
    for row in rows(tables::TEXTS) {
        let [token, answer] = row;
        let names = [
            ("$header", parts[0]),
            ("$claims", parts[1]),
            ("$signature", parts[2]),
            ("$17KB", &"A".repeat(17 << 10)),
        ];
        // A cell's ends are trimmed: what stands in quotes is JSON.
        let token: String = serde_json::from_str(&fill(token, &names)).unwrap();
        verdict.compare(&row, &*enter(gateway, &token).await, answer);
    }
}

/// CONNECTs: the handshake's query, the namespace, `auth`.
async fn handshakes(gateway: &TestGateway, verdict: &mut Verdict) {
    let good = good();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for row in rows(tables::HANDSHAKES) {
        let [query, namespace, auth, answer] = row;
        let names = [
            ("$ids", "tenantId=acme&conversationId=c-1"),
            ("$128", &"x".repeat(128)),
            ("$129", &"x".repeat(129)),
            ("$2000", &"x".repeat(2_000)),
            ("$60KB", &"x".repeat(60 << 10)),
            ("$auth", r#"{"token":"$good"}"#),
            ("$deep", &deep),
            ("$good", &good),
            ("$tab", "\t"),
            ("$nul", "\0"),
        ];
        let [query, namespace, auth] = [query, namespace, auth].map(|cell| fill(cell, &names));
        let mut client = Client::open(gateway.address(), &format!("&{query}")).await;
        let namespace = match &*namespace {
            "" => String::new(),
            namespace => format!("{namespace},"),
        };
        client.send(&format!("40{namespace}{auth}")).await;
        verdict.compare(&row, &*outcome(client.next().await), answer);
    }
}

/// Packets of a session that has opened nothing. Whatever is ignored is followed by a question to
/// which the answer is known.
async fn packets(gateway: &TestGateway, verdict: &mut Verdict) {
    for row in rows(tables::PACKETS) {
        let [packet, websocket, polling] = row;
        let packet: String = serde_json::from_str(packet).unwrap();
        let packet = packet.replace("$64KB", &"x".repeat(64 << 10));
        let mut client = Client::open(gateway.address(), IDS).await;
        client.send(&packet).await;
        client.try_send("40/sentinel").await;
        verdict.compare(&row, packet_outcome(client.next().await), websocket);

        let sid = polling_sid(gateway).await;
        let line = format!("POST {POLLING}&sid={sid}");
        let (status, _) = ask(gateway, &line, &[], &packet).await;
        ask(gateway, &line, &[], "40/sentinel").await;
        let poll = format!("GET {POLLING}&sid={sid}");
        let mut came = "nothing comes";
        while came == "nothing comes" {
            let (status, answer) = ask(gateway, &poll, &[], "").await;
            came = match &*answer {
                _ if status != 200 => "closed",
                answer if answer.contains("Authentication required") => "refused",
                answer if answer.contains("Invalid namespace") => "nothing",
                "1" | "" => "closed",
                _ => came,
            };
        }
        verdict.compare(&row, &*format!("{status}, {came}"), polling);
    }
}

fn packet_outcome(received: Received) -> &'static str {
    match received {
        Received::Closed => "closed",
        Received::Refused(message) if message == "Invalid namespace" => "nothing",
        Received::Refused(_) => "refused",
        other => panic!("{other:?}"),
    }
}

/// HTTP requests of any kind.
async fn requests(gateway: &TestGateway, verdict: &mut Verdict) {
    let upgrade = "connection: Upgrade; upgrade: websocket; sec-websocket-version: 13; \
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let emit =
        json!({"tenantId": "acme", "conversationId": "quiet", "event": "note", "payload": {}});
    let emit = emit.to_string();
    for row in rows(tables::REQUESTS) {
        let [line, headers, body, status, answer] = row;
        // Who has not joined is kept for seconds: less than the table may take.
        let (websocket, websocket_sid) = match line.contains("$wsid") {
            true => Some(websocket(gateway, None).await),
            false => None,
        }
        .unzip();
        let websocket_sid = websocket_sid.unwrap_or_default();
        let sid = polling_sid(gateway).await;
        let upgraded = polling_sid(gateway).await;
        let names = [
            ("$polling", POLLING),
            ("$websocket", WEBSOCKET),
            ("$wsid", &websocket_sid),
            ("$upgraded", &upgraded),
            ("$sid", &sid),
            ("$upgrade", upgrade),
            ("$json", "content-type: application/json"),
            ("$key", &format!("x-internal-api-key: {API_KEY}")),
            ("$KEY", API_KEY),
            ("$QUERY", &API_KEY.replace(' ', "%20")),
            ("$last", "0\r\n\r\n"),
            ("$emit", &emit),
            ("$ids", r#""tenantId":"acme","conversationId":"quiet""#),
            ("$129", &"x".repeat(129)),
            ("$256KB+1", &"x".repeat((256 << 10) + 1)),
            ("$64KB+1", &"x".repeat((64 << 10) + 1)),
        ];
        let second = match line.contains("$upgraded") {
            true => Some(self::websocket(gateway, Some(&upgraded)).await),
            false => None,
        };
        let [line, headers, body] = [line, headers, body].map(|cell| fill(cell, &names));
        let answer = match answer.strip_prefix('!') {
            Some(message) => invalid(message),
            None => fill(answer, &tables::ANSWERS),
        };
        let headers: Vec<_> = headers.split(';').map(str::trim).collect();
        let headers: Vec<_> = headers
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect();
        let (came, text) = match ask(gateway, &line, &headers, &body).await {
            (503, text) if text.starts_with("The widget is not part") => (404, String::new()),
            came => came,
        };
        let came = (came.to_string(), json_or_text(&text));
        verdict.compare(&row, came, (status.to_owned(), json_or_text(&answer)));
        drop((websocket, second));
    }
}

/// The answer of the relay to a request of which `message` names the field that is wrong.
fn invalid(message: &str) -> String {
    let (field, _) = message.split_once(": ").unwrap();
    let error = json!({"code": "invalid_request", "message": message, "field": field});
    json!({"ok": false, "error": error}).to_string()
}

/// Objects are the same in whatever order their fields stand.
fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// A WebSocket session, or one that becomes one.
async fn websocket(gateway: &TestGateway, sid: Option<&str>) -> (WebSocket, String) {
    let address = gateway.address();
    let stream = TcpStream::connect(address).await.unwrap();
    let Some(sid) = sid else {
        let socket = WebSocket::connect(stream, address, WEBSOCKET).await;
        let mut socket = socket.unwrap();
        let open = socket.text().await.unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        return (socket, open["sid"].as_str().unwrap().to_owned());
    };
    let socket = WebSocket::upgrade(stream, address, sid).await;
    let mut socket = socket.unwrap();
    // The answer comes when the session has been upgraded.
    socket.send("40/sentinel").await.unwrap();
    while !socket.text().await.unwrap().contains("Invalid") {}
    (socket, sid.to_owned())
}

async fn polling_sid(gateway: &TestGateway) -> String {
    let (_, open) = ask(gateway, &format!("GET {POLLING}"), &[], "").await;
    let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
    open["sid"].as_str().unwrap().to_owned()
}

/// A request over a connection of its own: the answer's status and body. Status 0: none came.
async fn ask(gateway: &TestGateway, line: &str, headers: &[&str], body: &str) -> (u16, String) {
    let mut head = format!("{line} HTTP/1.1\r\n");
    if !headers.iter().any(|header| header.starts_with("host:")) {
        head += &format!("host: {}\r\n", gateway.address());
    }
    for header in headers {
        head += &format!("{header}\r\n");
    }
    let framed = headers
        .iter()
        .any(|header| header.starts_with("transfer-encoding:"));
    if !framed && !line.starts_with("GET ") {
        head += &format!("content-length: {}\r\n", body.len());
    }
    let mut raw = Raw::open(gateway.address()).await;
    raw.send(head + "\r\n" + body).await;
    match raw.answer_if_any().await {
        Some(answer) => (answer.status, answer.body),
        None => (0, String::new()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_input_has_its_exact_answer_and_other_agents_are_unaffected() {
    let broker = Broker::new().await;
    let variables = [
        ("JWT_ISSUER", ISSUER),
        ("JWT_AUDIENCE", AUDIENCE),
        ("ALLOWED_ORIGINS", "https://portal.test"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = Client::open(gateway.address(), IDS).await;
    agent.connect("/", &json!({"token": good()})).await;
    agent.joined().await;
    let mut verdict = Verdict::default();
    tokens(&gateway, &mut verdict).await;
    handshakes(&gateway, &mut verdict).await;
    packets(&gateway, &mut verdict).await;
    requests(&gateway, &mut verdict).await;
    let Verdict(count, wrong) = verdict;
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // The agent was told nothing of all this, and still gets what is for it.
    let note = message("acme", "c-1", "after it all");
    broker.publish("inbound_message", &note).await;
    assert_eq!(agent.event().await.message_id(), "after it all");
    assert_eq!(gateway.get("/healthz").await.0, 200);
    let log = gateway.log().join("\n");
    assert!(!log.contains("panicked"), "{log}");
}

/// Asks for a WebSocket over an ordinary connection, such as a proxy's, which carries the requests
/// of many clients.
async fn no_upgrade(gateway: &TestGateway, sid: &str) -> Raw {
    let mut shared = Raw::open(gateway.address()).await;
    let line = format!("GET /socket.io/?EIO=4&transport=websocket&sid={sid}");
    assert_eq!(shared.ask(&line, &[]).await.status, 426);
    shared
}

#[tokio::test]
async fn a_failed_upgrade_request_does_not_block_the_next_one() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let sid = polling_sid(&gateway).await;
    no_upgrade(&gateway, &sid).await;
    websocket(&gateway, Some(&sid)).await;
}

#[tokio::test]
async fn a_closed_session_does_not_close_the_connection_of_a_failed_upgrade() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let sid = polling_sid(&gateway).await;
    let mut shared = no_upgrade(&gateway, &sid).await;
    let line = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    for _ in 0..10 {
        ask(&gateway, &format!("POST {line}"), &[], "40/nowhere").await;
    }
    let mut polled = String::new();
    while !polled.ends_with('1') {
        polled = ask(&gateway, &format!("GET {line}"), &[], "").await.1;
    }
    assert_eq!(shared.ask("GET /healthz", &[]).await.status, 200);
}
