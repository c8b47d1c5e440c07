//! Members that read slowly or not at all: they slow nobody down, and get every event or a `reset`.

use std::time::Duration;

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::harness::{
    Broker, Client, Direction, Proxy, Received, TestGateway, claims, message, sign, until,
};

const COUNT: usize = 20_000;

/// Events of a kilobyte, numbered.
fn deliveries(
    conversation: &str,
    count: usize,
) -> impl Iterator<Item = (Vec<u8>, BasicProperties)> {
    (0..count).map(move |number| {
        let mut body = message("acme", conversation, &format!("m-{number}"));
        body["text"] = "x".repeat(1_000).into();
        (body.to_string().into_bytes(), BasicProperties::default())
    })
}

fn number(event: &Received) -> usize {
    event.message_id()[2..].parse().unwrap()
}

/// Follows a member that reads again: its events are in order and without a gap, but for what it
/// was told, and it gets the last.
struct Follower {
    expected: Option<usize>,
    resets: usize,
    last: usize,
}

impl Follower {
    fn new(count: usize) -> Self {
        Self {
            expected: Some(0),
            resets: 0,
            last: count - 1,
        }
    }

    /// Whether that was the last event.
    fn take(&mut self, event: &Received) -> bool {
        if event.name() == "reset" {
            assert!(event.data()["cursor"].is_string() && event.data()["reason"].is_string());
            self.resets += 1;
            self.expected = None;
            return false;
        }
        let number = number(event);
        if let Some(expected) = self.expected {
            assert_eq!(number, expected);
        }
        self.expected = Some(number + 1);
        number == self.last
    }
}

async fn run(lag_bytes: &str) -> (usize, usize) {
    let broker = Broker::new().await;
    // Nobody is sent away for not answering: that is another test.
    let variables = [
        ("MAX_LAG_BYTES", lag_bytes),
        ("PING_INTERVAL_MS", "600000"),
        ("PING_TIMEOUT_MS", "600000"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut healthy = gateway.join("acme", "c-1").await;
    let mut stalled = gateway.join("acme", "c-1").await;
    let mut elsewhere = gateway.join("acme", "c-2").await;
    for client in [&mut healthy, &mut stalled, &mut elsewhere] {
        client.joined().await;
    }
    let mut polling = Client::join_polling(gateway.address(), "acme", "c-1").await;
    assert!(matches!(polling.next().await, Received::Connected(_)));
    assert_eq!(polling.next().await.name(), "joined");
    let before = gateway.memory();

    // Neither `stalled` nor `polling` asks for anything meanwhile.
    // The one that reads is never more behind than a part, however slow this machine is today.
    let all: Vec<_> = deliveries("c-1", COUNT).collect();
    let mut expected = 0;
    for part in all.chunks(2_000) {
        broker
            .publish_all("inbound_message", part.iter().cloned())
            .await;
        for _ in part {
            assert_eq!(number(&healthy.event().await), expected);
            expected += 1;
        }
    }
    broker
        .publish("inbound_message", &message("acme", "c-2", "marker"))
        .await;
    assert_eq!(elsewhere.event().await.message_id(), "marker");
    let grown = gateway.memory().saturating_sub(before);

    let mut follower = Follower::new(COUNT);
    while !follower.take(&stalled.event().await) {}
    let mut polled = Follower::new(COUNT);
    while !polled.take(&polling.next().await) {}
    (follower.resets + polled.resets, grown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_stalled_within_max_lag_bytes_get_every_event_in_order() {
    let (resets, _) = run("67108864").await;
    assert_eq!(resets, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_stalled_beyond_max_lag_bytes_are_reset_and_memory_is_bounded() {
    let (resets, grown) = run("8388608").await;
    assert!(resets >= 1, "{resets}");
    // Eight megabytes of lag, the window, the identities of the last 4,096 events, the channels.
    assert!(grown < 32 << 20, "{grown} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stopped_reading_is_aborted_and_resumes_from_its_cursor() {
    let broker = Broker::new().await;
    let variables = [
        ("PING_INTERVAL_MS", "2000"),
        ("PING_TIMEOUT_MS", "3000"),
        ("MAX_LAG_BYTES", "67108864"),
        ("REPLAY_MAX_EVENTS", "30000"),
        ("RUST_LOG", "debug"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut stalled = gateway.stalled_agent("acme", "c-1").await;
    broker
        .publish_all("inbound_message", deliveries("c-1", COUNT))
        .await;
    until("its member has left", async || {
        let log = gateway.log();
        log.iter().any(|line| line.contains("\"left\""))
    })
    .await;
    // What the kernel still had for it comes, then the end.
    let (mut expected, mut cursor) = (0, Value::Null);
    while let event @ Received::Event { .. } = stalled.next().await {
        assert_eq!(number(&event), expected);
        expected += 1;
        cursor = event.cursor();
    }
    assert!(expected > 0 && expected < COUNT, "{expected}");
    // What waits in the kernel delays the pings: not by more than they may be.
    let ids = "&tenantId=acme&conversationId=c-1";
    let mut resumed = Client::open_narrow(gateway.address(), ids).await;
    let auth = json!({"token": sign(&claims("acme")), "cursor": cursor});
    resumed.connect("/", &auth).await;
    assert_eq!(resumed.joined().await["resume"], "resumed");
    for expected in expected..COUNT {
        assert_eq!(number(&resumed.event().await), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_bandwidth_client_keeps_its_session_while_it_catches_up() {
    let broker = Broker::new().await;
    let variables = [
        ("PING_INTERVAL_MS", "500"),
        ("PING_TIMEOUT_MS", "30000"),
        ("REPLAY_MAX_EVENTS", "3000"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    broker
        .publish_all("inbound_message", deliveries("c-1", 3_000))
        .await;
    let proxy = Proxy::to(gateway.address().to_owned()).await;
    // A megabyte a second: the window takes several pings' time, and the channel is never empty.
    proxy.throttle([Direction::ToClient], 50_000, Duration::from_millis(50));
    until("all has come", async || {
        let mut probe = gateway.join("acme", "c-1").await;
        probe.joined().await["replaying"] == 3_000
    })
    .await;
    let mut narrow = Client::open(proxy.address(), "&tenantId=acme&conversationId=c-1").await;
    narrow
        .connect("/", &json!({"token": sign(&claims("acme"))}))
        .await;
    assert_eq!(narrow.joined().await["replaying"], 3_000);
    for expected in 0..3_000 {
        assert_eq!(number(&narrow.event().await), expected);
    }
    broker
        .publish("inbound_message", &message("acme", "c-1", "live"))
        .await;
    assert_eq!(narrow.event().await.message_id(), "live");
}
