//! `/metrics`: its keys and its samples.

use std::collections::{BTreeMap, BTreeSet};

use lapin::BasicProperties;
use serde_json::json;

use crate::harness::raw::{Answer, ask};
use crate::harness::{
    API_KEY, Broker, Client, Folder, Received, TestGateway, message, now, status, until,
};

/// Every sample by its name and labels.
type Samples = BTreeMap<String, f64>;

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The ends of histograms' names. A moment and a wait are gauges.
const UNITS: [&str; 3] = ["_offer_seconds", "_socket_seconds", "_duration_seconds"];

/// Reads the text format strictly: each family has its HELP, its TYPE and its samples, in this
/// order and in one place.
/// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>
fn parse(page: &str) -> Samples {
    let (mut samples, mut families) = (Samples::new(), BTreeSet::new());
    let (mut helped, mut family, mut is_histogram) = ("", "", false);
    assert!(page.ends_with('\n'));
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(text.ends_with('.'), "{line}");
            helped = name;
        } else if let Some(declared) = line.strip_prefix("# TYPE ") {
            let kind;
            (family, kind) = declared.split_once(' ').unwrap();
            assert_eq!(family, helped, "{line}");
            assert!(families.insert(family), "twice: {line}");
            assert_eq!(kind == "counter", family.ends_with("_total"), "{line}");
            assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
            is_histogram = kind == "histogram";
            let is_time = UNITS.iter().any(|unit| family.ends_with(unit));
            assert_eq!(is_histogram, is_time, "{line}");
            let known = ["agent_gateway_", "process_"];
            assert!(
                known.iter().any(|prefix| family.starts_with(prefix)),
                "{line}"
            );
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = match sample.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
                None => (sample, ""),
            };
            let known = match is_histogram {
                false => name == family,
                true => ["_bucket", "_sum", "_count"]
                    .iter()
                    .any(|end| name.strip_suffix(end) == Some(family)),
            };
            assert!(known, "{line}");
            assert!(is_name(name), "{line}");
            for label in labels.split(',').filter(|label| !label.is_empty()) {
                let (name, value) = label.split_once('=').unwrap();
                assert!(is_name(name), "{line}");
                let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
                assert!(!value.contains(['"', '\\']), "{line}");
            }
            let value: f64 = value.parse().unwrap();
            assert!(value >= 0.0 && value.is_finite(), "{line}");
            assert!(samples.insert(sample.to_owned(), value).is_none(), "{line}");
        }
    }
    samples
}

async fn page(address: &str) -> Answer {
    let key = format!("x-internal-api-key: {API_KEY}");
    let answer = ask(address, "GET /metrics", &[&key]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

async fn metrics(gateway: &TestGateway) -> Samples {
    parse(&page(gateway.address()).await.body)
}

/// Waits until all of these have their values.
async fn counted(gateway: &TestGateway, expected: &[(&str, f64)]) {
    until("everything is counted", async || {
        let samples = metrics(gateway).await;
        expected
            .iter()
            .all(|(sample, value)| samples.get(*sample) == Some(value))
    })
    .await;
}

/// How many deliveries of a queue have ended like this.
fn delivered(queue: &str, outcome: &str) -> String {
    format!("agent_gateway_deliveries_total{{queue=\"{queue}\",outcome=\"{outcome}\"}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_count_what_happens_and_no_label_holds_an_id() {
    let broker = Broker::new().await;
    let variables = [
        ("MAX_CONNECTIONS", "3"),
        ("ALLOWED_ORIGINS", "https://portal.example"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("tenant-zebra", "conversation-yak").await;
    let body = message("tenant-zebra", "conversation-yak", "message-xerus");
    for _ in 0..2 {
        broker.publish("inbound_message", &body).await;
    }
    let status_update = |word| status("tenant-zebra", "conversation-yak", "message-wolf", word);
    for word in ["read", "sent"] {
        broker.publish("status_update", &status_update(word)).await;
    }
    for body in ["{", "{}", "[]"] {
        let properties = BasicProperties::default();
        broker
            .publish_raw("inbound_message", body.as_bytes(), properties)
            .await;
    }
    let emit = json!({"tenantId": "tenant-zebra", "conversationId": "conversation-yak",
        "event": "note_vole", "payload": {}, "eventId": "event-tapir"});
    assert_eq!(gateway.emit(&emit).await.0, 200);
    // The two queues and the relay have no order between them.
    for _ in 0..3 {
        agent.event().await;
    }
    // Dead letters are confirmed, and repeats seen, some time after they were published. They are
    // waited for here: the sessions below have only so long until they have to join.
    let of_the_broker = [
        ("agent_gateway_duplicates_total", 1.0),
        ("agent_gateway_stale_statuses_total", 1.0),
        (
            "agent_gateway_dead_letters_total{queue=\"inbound_message\",reason=\"invalid_json\"}",
            1.0,
        ),
        (
            "agent_gateway_dead_letters_total{queue=\"inbound_message\",reason=\"invalid_event\"}",
            2.0,
        ),
        (&delivered("inbound_message", "accepted"), 1.0),
        (&delivered("inbound_message", "duplicate"), 1.0),
        (&delivered("inbound_message", "dead_lettered"), 3.0),
        (&delivered("inbound_message", "returned"), 0.0),
        (&delivered("status_update", "accepted"), 1.0),
        (&delivered("status_update", "stale"), 1.0),
    ];
    counted(&gateway, &of_the_broker).await;
    let handshake = "GET /socket.io/?EIO=4&transport=polling";
    let evil = "origin: https://shrew.example";
    assert_eq!(ask(gateway.address(), handshake, &[evil]).await.status, 403);
    let mut stranger = Client::open(gateway.address(), "&tenantId=a&conversationId=b").await;
    stranger.connect("/", &json!({})).await;
    let refused = Received::Refused("Authentication required".to_owned());
    assert_eq!(stranger.next().await, refused);
    assert_eq!(ask(gateway.address(), handshake, &[]).await.status, 200);
    let mut beyond = gateway.join("tenant-zebra", "conversation-yak").await;
    let refused = Received::Refused("Too many connections".to_owned());
    assert_eq!(beyond.next().await, refused);

    let expected = [
        (
            "agent_gateway_events_total{source=\"inbound_queue\",event=\"inbound_message\"}",
            1.0,
        ),
        (
            "agent_gateway_events_total{source=\"status_queue\",event=\"status_update\"}",
            1.0,
        ),
        (
            "agent_gateway_events_total{source=\"relay\",event=\"other\"}",
            1.0,
        ),
        (
            "agent_gateway_events_total{source=\"relay\",event=\"inbound_message\"}",
            0.0,
        ),
        ("agent_gateway_entries_offered_total{state=\"live\"}", 3.0),
        (
            "agent_gateway_entries_offered_total{state=\"catching_up\"}",
            0.0,
        ),
        ("agent_gateway_members_caught_up_total", 1.0),
        ("agent_gateway_joins_total{resume=\"fresh\"}", 1.0),
        ("agent_gateway_joins_total{resume=\"reset\"}", 0.0),
        ("agent_gateway_resets_total{reason=\"too_slow\"}", 0.0),
        ("agent_gateway_arrival_to_offer_seconds_count", 3.0),
        ("agent_gateway_arrival_to_socket_seconds_count", 3.0),
        (
            "agent_gateway_arrival_to_socket_seconds_bucket{le=\"+Inf\"}",
            3.0,
        ),
        ("agent_gateway_publication_to_offer_seconds_count", 0.0),
        (
            "agent_gateway_relay_requests_total{route=\"emit\",status=\"200\"}",
            1.0,
        ),
        (
            "agent_gateway_relay_requests_total{route=\"emit\",status=\"401\"}",
            0.0,
        ),
        (
            "agent_gateway_relay_request_duration_seconds_count{route=\"emit\"}",
            1.0,
        ),
        (
            "agent_gateway_sockets{transport=\"websocket\",namespace=\"root\"}",
            1.0,
        ),
        (
            "agent_gateway_sockets{transport=\"websocket\",namespace=\"conversation\"}",
            0.0,
        ),
        (
            "agent_gateway_broker_connections_total{outcome=\"opened\"}",
            1.0,
        ),
        (
            "agent_gateway_broker_connections_total{outcome=\"lost\"}",
            0.0,
        ),
        (
            "agent_gateway_queue_messages_ready{queue=\"dead_letters\"}",
            3.0,
        ),
        (
            "agent_gateway_queue_messages_ready{queue=\"inbound_message\"}",
            0.0,
        ),
        ("agent_gateway_fell_behind_total", 0.0),
        ("agent_gateway_evicted_total", 0.0),
        ("agent_gateway_conversations", 1.0),
        ("agent_gateway_members{state=\"live\"}", 1.0),
        ("agent_gateway_members{state=\"catching_up\"}", 0.0),
        ("agent_gateway_sessions{transport=\"polling\"}", 1.0),
        (
            "agent_gateway_dead_letters_total{queue=\"inbound_message\",reason=\"too_large\"}",
            0.0,
        ),
        (
            "agent_gateway_connects_refused_total{reason=\"authentication_required\"}",
            1.0,
        ),
        (
            "agent_gateway_connects_refused_total{reason=\"too_many_connections\"}",
            1.0,
        ),
        (
            "agent_gateway_connects_refused_total{reason=\"forbidden\"}",
            0.0,
        ),
        (
            "agent_gateway_sessions_over_limit_total{limit=\"all\"}",
            1.0,
        ),
        ("agent_gateway_sessions_turned_away_total", 0.0),
        ("agent_gateway_origins_refused_total", 1.0),
        ("agent_gateway_broker_up{part=\"broker\"}", 1.0),
        ("agent_gateway_broker_up{part=\"inbound_queue\"}", 1.0),
    ];
    counted(&gateway, &of_the_broker).await;
    counted(&gateway, &expected).await;
    let samples = metrics(&gateway).await;
    for sample in [
        "agent_gateway_window_bytes",
        "agent_gateway_sessions{transport=\"websocket\"}",
        "agent_gateway_build_info{version=\"0.1.0\"}",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_virtual_memory_bytes",
        "process_threads",
        "process_start_time_seconds",
        "agent_gateway_sessions_opened_total",
        "agent_gateway_last_event_timestamp_seconds{source=\"inbound_queue\"}",
        "agent_gateway_last_event_timestamp_seconds{source=\"relay\"}",
    ] {
        assert!(samples[sample] > 0.0, "{sample}");
    }
    let text = page(gateway.address()).await.body;
    for word in [
        "zebra", "yak", "xerus", "wolf", "vole", "tapir", "shrew", "agent-1", "Ada",
    ] {
        assert!(!text.contains(word), "{word} in\n{text}");
    }
}

#[tokio::test]
async fn the_time_since_publication_is_told_by_the_amqp_timestamp() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    // In seconds, in milliseconds, and by a clock that is ahead.
    let seconds = u64::try_from(now()).unwrap();
    for (id, timestamp) in [
        ("m-1", seconds - 100),
        ("m-2", (seconds - 100) * 1000),
        ("m-3", seconds + 100),
    ] {
        let body = message("acme", "c-1", id).to_string();
        let properties = BasicProperties::default().with_timestamp(timestamp);
        broker
            .publish_raw("inbound_message", body.as_bytes(), properties)
            .await;
    }
    assert_eq!(agent.message_ids(3).await, ["m-1", "m-2", "m-3"]);
    let bucket =
        |le: &str| format!("agent_gateway_publication_to_offer_seconds_bucket{{le=\"{le}\"}}");
    counted(
        &gateway,
        &[
            (&bucket("60"), 1.0),
            (&bucket("300"), 3.0),
            (&bucket("+Inf"), 3.0),
        ],
    )
    .await;
}

#[tokio::test]
async fn metrics_need_a_key_on_the_public_listener() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let bearer = format!("authorization: Bearer {API_KEY}");
    let wrong = format!("x-internal-api-key: {API_KEY}x");
    let right = ask(gateway.address(), "GET /metrics", &[&bearer]).await;
    assert_eq!(right.status, 200);
    let kind = right.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    assert_eq!(right.header("cache-control"), Some("no-store"));
    for headers in [&[][..], &[&*wrong], &["authorization: Basic eA=="]] {
        let answer = ask(gateway.address(), "GET /metrics", headers).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["ok"], false);
        assert_eq!(answer.json()["error"]["code"], "unauthorized");
    }
    let refused = metrics(&gateway).await["agent_gateway_keys_refused_total"];
    assert_eq!(refused, 3.0);
    let gateway = TestGateway::start_with(&broker, &[("INTERNAL_API_KEYS", "")]).await;
    for key in ["x-internal-api-key: ", &bearer] {
        let answer = ask(gateway.address(), "GET /metrics", &[key]).await;
        assert_eq!(answer.status, 401, "{key}");
    }
}

#[tokio::test]
async fn keys_for_metrics_open_nothing_else() {
    const METRICS_KEY: &str = "a key for what scrapes";
    let broker = Broker::new().await;
    let folder = Folder::new();
    let file = folder.write("keys", format!("another key for scrapes\n{METRICS_KEY}\n"));
    for variables in [
        [("METRICS_KEYS", METRICS_KEY)],
        [("METRICS_KEYS_FILE", &*file)],
    ] {
        let gateway = TestGateway::start_with(&broker, &variables).await;
        let ask = async |line: &str, header: &str| {
            let header = format!("{header}{METRICS_KEY}");
            ask(gateway.address(), line, &[&header]).await.status
        };
        for header in ["x-internal-api-key: ", "authorization: Bearer "] {
            assert_eq!(ask("GET /metrics", header).await, 200, "{header}");
            for line in [
                "POST /internal/emit",
                "POST /internal/disconnect",
                "GET /internal/conversations/acme/c-1",
            ] {
                assert_eq!(ask(line, header).await, 401, "{line}");
            }
        }
        assert_eq!(ask("GET /metrics", "x-internal-api-key: x").await, 401);
        // The relay's keys still open it, and a scrape with its own is no refused call.
        let refused = metrics(&gateway).await["agent_gateway_keys_refused_total"];
        assert_eq!(refused, 7.0);
    }
}

#[tokio::test]
async fn metrics_need_no_key_on_the_internal_listener_and_are_404_on_the_public_one() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[("INTERNAL_PORT", "0")]).await;
    let internal = gateway.internal_address().await;
    let answer = ask(&internal, "GET /metrics", &[]).await;
    assert_eq!(answer.status, 200);
    parse(&answer.body);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let key = format!("x-internal-api-key: {API_KEY}");
    for line in ["GET /metrics", "POST /internal/emit"] {
        let answer = ask(gateway.address(), line, &[&key]).await;
        assert_eq!(answer.status, 404, "{line}");
    }
    assert_eq!(ask(&internal, "GET /healthz", &[]).await.status, 200);
    for path in [
        "/widget",
        "/socket.io/?EIO=4&transport=polling",
        "/client.js",
    ] {
        let answer = ask(&internal, &format!("GET {path}"), &[]).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}
