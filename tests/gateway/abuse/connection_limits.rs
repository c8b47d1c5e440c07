//! Limits on connections: in all, per address, and per second.

use engineio_client::packet::{CLOSE, split};
use engineio_client::{POLLING, UPGRADE, WEBSOCKET, WebSocket};
use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpStream;

use crate::harness::raw::{Answer, ask, is_accepted};
use crate::harness::{Broker, Client, Raw, Received, TestGateway, claims, sign, until};

const HANDSHAKE: &str = "GET /socket.io/?EIO=4&transport=polling";

async fn start(variables: &[(&str, &str)]) -> (Broker, TestGateway) {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, variables).await;
    (broker, gateway)
}

fn too_many() -> Received {
    Received::Refused("Too many connections".to_owned())
}

/// An Engine.IO session over polling, of a client behind proxies.
struct Session {
    address: String,
    sid: String,
}

impl Session {
    /// `forwarded`: the lines of X-Forwarded-For.
    async fn open(gateway: &TestGateway, forwarded: &[&str]) -> Result<Self, Answer> {
        let lines: Vec<_> = forwarded
            .iter()
            .map(|line| format!("x-forwarded-for: {line}"))
            .collect();
        let lines: Vec<_> = lines.iter().map(|line| &**line).collect();
        let open = ask(gateway.address(), HANDSHAKE, &lines).await;
        let Some(sid) = open.json()["sid"].as_str().map(str::to_owned) else {
            return Err(open);
        };
        let address = gateway.address().to_owned();
        Ok(Self { address, sid })
    }

    fn target(&self) -> String {
        format!("{POLLING}&sid={}", self.sid)
    }

    async fn post(&self, packet: &str) {
        let mut raw = Raw::open(&self.address).await;
        let answer = raw.post(&self.target(), packet).await;
        assert_eq!(answer.status, 200);
    }

    async fn upgrade(self) -> WebSocket {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let socket = WebSocket::upgrade(stream, &self.address, &self.sid);
        socket.await.unwrap()
    }

    /// Whether its CONNECT is taken; if it is not, then for a limit.
    async fn is_admitted(&self) -> bool {
        let auth = json!({"token": sign(&claims("acme")), "tenantId": "acme",
            "conversationId": "c-1"});
        self.post(&format!("40{auth}")).await;
        let poll = format!("GET {}", self.target());
        let refused = r#"44{"message":"Too many connections"}"#;
        loop {
            let answer = ask(&self.address, &poll, &[]).await;
            for packet in split(&answer.body) {
                match packet {
                    "2" => {}
                    packet if packet == refused => return false,
                    packet => {
                        assert!(packet.starts_with("40{"), "{answer:?}");
                        return true;
                    }
                }
            }
        }
    }
}

async fn is_admitted(gateway: &TestGateway, forwarded: &[&str]) -> bool {
    match Session::open(gateway, forwarded).await {
        Ok(session) => session.is_admitted().await,
        Err(answer) => {
            assert!(matches!(answer.status, 429 | 503), "{answer:?}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_over_the_limit_is_rejected_and_closed_and_the_others_stay() {
    let (broker, gateway) = start(&[("MAX_CONNECTIONS", "2")]).await;
    gateway.ready().await;
    let mut first = gateway.agent("acme", "c-1").await;
    let second = gateway.agent("acme", "c-2").await;
    let mut third = gateway.join("acme", "c-1").await;
    assert_eq!(third.next().await, too_many());
    assert_eq!(third.next().await, Received::Closed);
    let mut other_namespace = Client::open(gateway.address(), "").await;
    let auth = json!({"token": sign(&claims("acme"))});
    other_namespace
        .connect("/tenant/acme/conv/c-1", &auth)
        .await;
    assert_eq!(other_namespace.next().await, too_many());
    assert!(!is_admitted(&gateway, &[]).await);
    broker.delivers(&mut first, "m-1").await;
    // Requests that are no session are not counted.
    assert_eq!(gateway.get("/healthz").await.0, 200);
    drop(second);
    until("there is room again", async || {
        is_admitted(&gateway, &[]).await
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_never_joined_releases_its_permit() {
    let (_broker, gateway) = start(&[("MAX_CONNECTIONS", "1")]).await;
    // The library keeps each for the ten seconds in which it could have joined: one after the
    // other they would have to wait longer than a test does.
    let mut strangers = 0;
    until("ten strangers come and go", async || {
        // The end of the one before may not have been seen yet, nor that of those before it.
        let Some(mut stranger) = Client::try_open(gateway.address(), "").await else {
            return false;
        };
        stranger.connect("/", &json!({})).await;
        let answer = stranger.next().await;
        strangers += usize::from(answer == Received::Refused("Authentication required".to_owned()));
        strangers == 10
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_releases_its_permit_however_it_ends() {
    let variables = [
        ("MAX_CONNECTIONS", "1"),
        ("PING_INTERVAL_MS", "1000"),
        // Enough for a session to do here what it does on a busy machine.
        ("PING_TIMEOUT_MS", "6000"),
    ];
    let (_broker, gateway) = start(&variables).await;
    // Takes the only place as soon as it is free.
    let permit = async || {
        let mut admitted = None;
        until("there is room", async || {
            let Ok(session) = Session::open(&gateway, &[]).await else {
                return false;
            };
            let is_admitted = session.is_admitted().await;
            admitted = Some(session);
            is_admitted
        })
        .await;
        admitted.unwrap()
    };
    // Requests that the engine refuses have none.
    for wrong in ["EIO=3&transport=polling", "EIO=4&transport=pigeon", "EIO=4"] {
        let answer = ask(gateway.address(), &format!("GET /socket.io/?{wrong}"), &[]).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
    // A WebSocket that is closed.
    drop(gateway.agent("acme", "c-1").await);
    // One that polls, and says goodbye.
    permit().await.post("1").await;
    // One that polls no more: its time runs out.
    permit().await;
    // One that is upgraded, and closed.
    drop(permit().await.upgrade().await);
    // One that is upgraded, and says goodbye.
    let mut upgraded = permit().await.upgrade().await;
    upgraded.send(CLOSE).await.unwrap();
    permit().await;
}

#[tokio::test]
async fn a_polling_client_releases_its_permit_when_it_closes() {
    let (_broker, gateway) = start(&[("MAX_CONNECTIONS", "1")]).await;
    for _ in 0..5 {
        let session = Session::open(&gateway, &[]).await.unwrap();
        assert!(session.is_admitted().await);
        session.post("41\x1e1").await;
    }
}

#[tokio::test]
async fn the_open_packet_over_polling_names_max_payload() {
    let (_broker, gateway) = start(&[]).await;
    let open = ask(gateway.address(), HANDSHAKE, &[]).await;
    assert_eq!(open.json()["maxPayload"], 64 * 1024);
    let fields = ["pingInterval", "pingTimeout", "sid", "upgrades"];
    assert!(fields.iter().all(|field| !open.json()[field].is_null()));
}

#[tokio::test]
async fn forwarded_headers_are_ignored_without_trusted_proxies() {
    let (_broker, gateway) = start(&[("MAX_CONNECTIONS_PER_IP", "2")]).await;
    assert!(is_admitted(&gateway, &["10.0.0.1"]).await);
    assert!(is_admitted(&gateway, &["10.0.0.2"]).await);
    assert!(!is_admitted(&gateway, &["10.0.0.3"]).await);
    assert!(!is_admitted(&gateway, &[]).await);
}

#[tokio::test]
async fn behind_trusted_proxies_the_client_address_is_the_outermost_forwarded_entry() {
    let one = [("MAX_CONNECTIONS_PER_IP", "1"), ("TRUSTED_PROXIES", "1")];
    let (_broker, gateway) = start(&one).await;
    for (forwarded, admitted) in [
        (&["10.0.0.1"][..], true),
        (&["10.0.0.1"], false),
        (&["6.6.6.6, 10.0.0.1"], false),
        (&["6.6.6.7", "10.0.0.1:4711"], false),
        (&["::ffff:10.0.0.1"], false),
        (&["10.0.0.1, 10.0.0.2"], true),
        (&["2001:db8::1"], true),
        (&["[2001:db8::ffff]:4711"], false),
        (&["2001:db8:0:1::1"], true),
        // The proxy itself, and all that cannot be told apart from it.
        (&[], true),
        (&["unknown"], false),
        (&["10.0.0.9, x"], false),
    ] {
        assert_eq!(
            is_admitted(&gateway, forwarded).await,
            admitted,
            "{forwarded:?}"
        );
    }
    let two = [("MAX_CONNECTIONS_PER_IP", "1"), ("TRUSTED_PROXIES", "2")];
    let (_broker, gateway) = start(&two).await;
    for (forwarded, admitted) in [
        (&["10.0.0.1, 192.0.2.1"][..], true),
        (&["10.0.0.1", "192.0.2.2"], false),
        (&["6.6.6.6, 10.0.0.1, 192.0.2.1"], false),
        (&["10.0.0.2, 192.0.2.1"], true),
        (&["10.0.0.3"], true),
        (&["10.0.0.4"], false),
    ] {
        assert_eq!(
            is_admitted(&gateway, forwarded).await,
            admitted,
            "{forwarded:?}"
        );
    }
}

#[tokio::test]
async fn the_connection_rate_per_address_is_limited() {
    let variables = [("CONNECTION_RATE_PER_IP", "1"), ("TRUSTED_PROXIES", "1")];
    let (_broker, gateway) = start(&variables).await;
    // At once: one after the other, they could take a slow machine seconds.
    let attempts = (0..8).map(|_| is_admitted(&gateway, &["10.0.0.1"]));
    let attempts = join_all(attempts).await;
    let admitted = attempts.into_iter().filter(|admitted| *admitted).count();
    assert!((1..8).contains(&admitted), "{admitted}");
    // Another address has its own, and the same has it back in a second.
    assert!(is_admitted(&gateway, &["10.0.0.2"]).await);
    until("a second has passed", async || {
        is_admitted(&gateway, &["10.0.0.1"]).await
    })
    .await;
}

/// Has so many sessions opened at once. Answers how many are, and what the others were told.
async fn open_at_once(
    gateway: &TestGateway,
    address: impl Fn(usize) -> String,
    count: usize,
) -> (usize, Vec<Answer>) {
    let addresses: Vec<_> = (0..count).map(address).collect();
    let opening = addresses
        .iter()
        .map(async |address| Session::open(gateway, &[address]).await.err());
    let refused: Vec<_> = join_all(opening).await.into_iter().flatten().collect();
    (count - refused.len(), refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_connections_are_bounded_too() {
    let variables = [("MAX_CONNECTIONS", "1"), ("TRUSTED_PROXIES", "1")];
    let (_broker, gateway) = start(&variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    // Sessions that do not ask to be told are kept for as long as one may take to ask. All come at
    // once: one after the other, they could take a slow machine longer than that.
    let (open, refused) = open_at_once(&gateway, |_| "10.0.0.1".to_owned(), 20).await;
    assert_eq!(open, 8);
    for refused in refused {
        assert_eq!(refused.status, 429);
        assert_eq!(refused.header("retry-after"), Some("10"));
        assert_eq!(refused.json()["message"], "Too many connections");
    }
    let address = |number| format!("10.1.{}.{}", number / 250, number % 250);
    let (open, refused) = open_at_once(&gateway, address, 260).await;
    assert_eq!(open, 256 - 8);
    for refused in refused {
        assert_eq!(refused.status, 503);
        assert_eq!(
            refused.json(),
            json!({"code": 4, "message": "Too many connections"})
        );
    }
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let socket = WebSocket::connect(stream, gateway.address(), WEBSOCKET);
    assert!(socket.await.is_err());
    // Whoever has a place keeps it.
    let emit = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
    agent.event().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_tcp_connections_are_bounded() {
    for (variables, connections) in [
        (&[("MAX_CONNECTIONS", "1")][..], 1026),
        (&[("MAX_CONNECTIONS_PER_IP", "1")], 40),
    ] {
        let (_broker, gateway) = start(variables).await;
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Raw::open(gateway.address()).await);
        }
        assert!(!is_accepted(gateway.address()).await);
        assert!(!is_accepted(gateway.address()).await);
        open.truncate(connections / 2);
        until("there is room again", async || {
            is_accepted(gateway.address()).await
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websockets_over_the_connection_rate_get_connect_errors() {
    // All are of one address.
    let (_broker, gateway) = start(&[("CONNECTION_RATE_PER_IP", "1")]).await;
    let auth = json!({"token": sign(&claims("acme")), "tenantId": "acme", "conversationId": "c-1"});
    let agents = (0..60).map(async |_| {
        let mut client = Client::open(gateway.address(), "").await;
        client.connect("/", &auth).await;
        let answer = client.next().await;
        if answer == too_many() {
            // By its other namespaces too, before it is sent away.
            client.connect("/tenant/acme/conv/c-1", &auth).await;
            assert_eq!(client.next().await, too_many());
            assert_eq!(client.next().await, Received::Closed);
            return true;
        }
        assert_eq!(answer, Received::Connected("/".to_owned()));
        false
    });
    let rejected = join_all(agents).await;
    let rejected = rejected.into_iter().filter(|rejected| *rejected).count();
    assert!((1..60).contains(&rejected), "{rejected}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_websockets_are_bounded_per_address_and_their_room_is_released() {
    let variables = [("MAX_CONNECTIONS", "1"), ("TRUSTED_PROXIES", "1")];
    let (_broker, gateway) = start(&variables).await;
    let _agent = gateway.agent("acme", "c-1").await;
    // Who asks for nothing takes its room for a while; all come at once.
    let late = (0..129).map(|_| Client::try_open(gateway.address(), ""));
    let late = join_all(late).await;
    assert_eq!(late.iter().flatten().count(), 128);
    // Another address has room of its own.
    let elsewhere = [&["x-forwarded-for: 10.0.0.1"], &UPGRADE[..]].concat();
    let line = format!("GET {WEBSOCKET}");
    assert_eq!(ask(gateway.address(), &line, &elsewhere).await.status, 101);
    let refused = ask(gateway.address(), &line, &UPGRADE).await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.json(),
        json!({"code": 4, "message": "Too many connections"})
    );
    until("there is room for a rejection again", async || {
        let Some(mut client) = Client::try_open(gateway.address(), "").await else {
            return false;
        };
        client.connect("/", &json!({})).await;
        client.next().await == too_many()
    })
    .await;
}
