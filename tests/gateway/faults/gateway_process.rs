//! The gateway is terminated or killed under load.

use std::cell::Cell;
use std::time::Duration;

use lapin::BasicProperties;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{
    Broker, Client, Direction, Proxy, Received, Signal, TestGateway, claims, deliveries, message,
    sign, until,
};

const COUNT: usize = 5_000;

/// Who waits for a broker or for clients uses most of the usual ten seconds: on a busy machine the
/// rest would not be enough for what has to be done.
const GRACE: (&str, &str) = ("SHUTDOWN_GRACE_SECONDS", "20");

fn all() -> Vec<String> {
    (0..COUNT).map(|number| format!("m-{number}")).collect()
}

/// So many messages of two thousand letters.
fn large(count: usize) -> impl Iterator<Item = (Vec<u8>, BasicProperties)> {
    (0..count).map(|number| {
        let mut body = message("acme", "c-1", &format!("m-{number}"));
        body["text"] = "x".repeat(2_000).into();
        (body.to_string().into_bytes(), BasicProperties::default())
    })
}

/// What an agent has seen, and where it stands.
#[derive(Default)]
struct Seen {
    ids: Vec<String>,
    cursor: Value,
}

impl Seen {
    fn note(&mut self, event: &Received) {
        self.ids.push(event.message_id().to_owned());
        self.cursor = event.cursor();
    }

    /// The next `count` events.
    async fn some(&mut self, client: &mut Client, count: usize) {
        for _ in 0..count {
            self.note(&client.event().await);
        }
    }

    /// What comes until the connection ends.
    async fn rest(&mut self, client: &mut Client) {
        while let event @ Received::Event { .. } = client.next().await {
            self.note(&event);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_and_repeats_nothing() {
    let broker = Broker::new().await;
    let large = [("REPLAY_MAX_EVENTS", "1000000")];
    let gateway = TestGateway::ready_with(&broker, &large).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let over = Cell::new(false);
    // The load outlasts the gateway, however fast or slow either is.
    let publishing = async {
        let mut published = Vec::new();
        while !over.get() {
            let first = published.len();
            let part = (first..first + 1_000).map(|number| format!("m-{number}"));
            let part: Vec<_> = part.collect();
            broker
                .publish_all("inbound_message", deliveries(&part))
                .await;
            published.extend(part);
        }
        published
    };
    let ending = async {
        let mut seen = Seen::default();
        seen.some(&mut agent, COUNT / 10).await;
        gateway.signal(Signal::TERM);
        seen.rest(&mut agent).await;
        let ended = gateway.ended().await;
        assert_eq!(ended.status.code(), Some(0), "{}", ended.log);
        over.set(true);
        seen
    };
    let (published, mut seen) = tokio::join!(publishing, ending);

    // What the first had acknowledged its agent has got; the rest went back in order.
    let gateway = TestGateway::start_with(&broker, &large).await;
    let mut agent = gateway
        .resume("acme", "c-1", json!({"cursor": seen.cursor}))
        .await;
    assert_eq!(agent.joined().await["resume"], "reset");
    let unseen = published.len() - seen.ids.len();
    seen.some(&mut agent, unseen).await;
    assert_eq!(seen.ids, published);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigkill_under_load_loses_no_delivery_and_the_client_is_reset() {
    let broker = Broker::new().await;
    let large = [("REPLAY_MAX_EVENTS", "10000")];
    let gateway = TestGateway::ready_with(&broker, &large).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker
        .publish_all("inbound_message", deliveries(&all()[..COUNT / 2]))
        .await;
    let mut seen = Seen::default();
    seen.some(&mut agent, COUNT / 10).await;
    gateway.signal(Signal::KILL);
    seen.rest(&mut agent).await;
    gateway.ended().await;

    broker
        .publish_all("inbound_message", deliveries(&all()[COUNT / 2..]))
        .await;
    let gateway = TestGateway::start_with(&broker, &large).await;
    let mut agent = gateway
        .resume("acme", "c-1", json!({"cursor": seen.cursor}))
        .await;
    // The journal was in the memory of the other process: the client is told, not left to guess.
    assert_eq!(agent.joined().await["resume"], "reset");
    // Whatever was not acknowledged comes again, in order and without a gap.
    let first = agent.event().await.message_id()[2..]
        .parse::<usize>()
        .unwrap();
    assert!(first <= COUNT / 2, "{first} of {} seen", seen.ids.len());
    let ids = agent.message_ids(COUNT - first - 1).await;
    assert_eq!(ids, all()[first + 1..]);
}

#[tokio::test]
async fn while_draining_new_connects_and_relay_calls_are_rejected() {
    let broker = Broker::new().await;
    let variables = [
        // A third of it is for catching up, which begins here when all else has been looked at.
        ("SHUTDOWN_GRACE_SECONDS", "300"),
        ("MAX_LAG_BYTES", "67108864"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    // A member that does not read: the gateway gives it time to catch up.
    let mut stalled = gateway.stalled_agent("acme", "c-1").await;
    let mut witness = gateway.agent("acme", "c-1").await;
    broker.publish_all("inbound_message", large(4_000)).await;
    witness.message_ids(4_000).await;
    let mut waiting = Client::open(gateway.address(), "&tenantId=acme&conversationId=c-1").await;

    gateway.signal(Signal::TERM);
    until("it is not ready", async || {
        gateway.get("/readyz").await.0 == 503
    })
    .await;
    waiting
        .connect("/", &json!({"token": sign(&claims("acme"))}))
        .await;
    let refused = Received::Refused("Service unavailable".to_owned());
    assert_eq!(waiting.next().await, refused);
    assert_eq!(gateway.get("/healthz").await.0, 200);
    let emit = json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {}});
    let (status, answer) = gateway.emit(&emit).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (503, &json!("unavailable"))
    );

    // And it does get everything that had been acknowledged, before it is let go.
    let mut seen = Seen::default();
    seen.rest(&mut stalled).await;
    assert_eq!(seen.ids.len(), 4_000);
    assert_eq!(gateway.ended().await.status.code(), Some(0));
}

/// What a session has taken on for its client is not thrown away because the client reads slowly: this one takes
/// longer than clients have that only do not close in turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_gets_what_was_acknowledged_before_the_exit() {
    const EVENTS: usize = 600;
    let broker = Broker::new().await;
    let grace = [("SHUTDOWN_GRACE_SECONDS", "300")];
    let gateway = TestGateway::ready_with(&broker, &grace).await;
    let mut slow = gateway.stalled_agent("acme", "c-1").await;
    let mut witness = gateway.agent("acme", "c-1").await;
    broker.publish_all("inbound_message", large(EVENTS)).await;
    witness.message_ids(EVENTS).await;

    gateway.signal(Signal::TERM);
    until("it is not ready", async || {
        gateway.get("/readyz").await.0 == 503
    })
    .await;
    let mut seen = Seen::default();
    while let event @ Received::Event { .. } = slow.next().await {
        seen.note(&event);
        if seen.ids.len() % 30 == 0 {
            // Its pace: about 200 KB a second.
            sleep(Duration::from_millis(300)).await;
        }
    }
    assert_eq!(seen.ids.len(), EVENTS);
    assert_eq!(gateway.ended().await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_transports_are_closed_before_the_exit() {
    let broker = Broker::new().await;
    let gateway = TestGateway::ready_with(&broker, &[GRACE]).await;
    let mut clients = Vec::new();
    for number in 0..300 {
        let client = gateway.agent("acme", &format!("c-{number}")).await;
        clients.push(client);
    }
    gateway.signal(Signal::TERM);
    for client in &mut clients {
        assert_eq!(client.next().await, Received::Closed);
    }
    let ended = gateway.ended().await;
    assert_eq!(ended.status.code(), Some(0));
    assert!(!ended.log.contains("not everything"), "{}", ended.log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_broker_does_not_delay_the_close_of_transports() {
    let broker = Broker::new().await;
    let proxy = Proxy::to_broker().await;
    let url = proxy.broker_url();
    let gateway = TestGateway::ready_with(&broker, &[("AMQP_URL", &url), GRACE]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    proxy.stall(Direction::BOTH);
    gateway.signal(Signal::TERM);
    assert_eq!(agent.next().await, Received::Closed);
    let ended = gateway.ended().await;
    assert_eq!(ended.status.code(), Some(0));
    assert!(!ended.log.contains("not everything"), "{}", ended.log);
}
