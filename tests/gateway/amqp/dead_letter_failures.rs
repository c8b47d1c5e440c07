//! Dead letters that cannot be published wait, and block no delivery.

use serde_json::json;

use crate::harness::{Broker, Client, PrivateBroker, Proxy, TestGateway, until};

const WAITING: &str = "agent_gateway_dead_letters_waiting ";
const SINCE: &str = "agent_gateway_dead_letters_waiting_seconds ";

/// Publishes so many that no retry could help, and sees a healthy one behind them arrive.
async fn poison(broker: &Broker, agent: &mut Client, count: usize, id: &str) {
    for _ in 0..count {
        broker.publish("inbound_message", &json!("bad")).await;
    }
    broker.delivers(agent, id).await;
}

fn logged(gateway: &TestGateway) -> Vec<String> {
    let mut log = gateway.log();
    log.retain(|line| line.contains("dead letters cannot be placed"));
    log
}

async fn all_published(gateway: &TestGateway, broker: &Broker, dead_letters: usize) {
    gateway.ready().await;
    until("none waits", async || gateway.metric(WAITING).await == 0.0).await;
    assert_eq!(gateway.metric(SINCE).await, 0.0);
    gateway.logs("dead letters get their place again").await;
    broker.take(&broker.names.dead_letters, dead_letters).await;
}

#[tokio::test]
async fn a_full_dead_letter_queue_is_reported_counted_and_blocks_no_delivery() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    let gateway = TestGateway::ready_with(&broker, &[("AMQP_QUEUE_TYPE", "classic")]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let limit = r#"{"max-length":1,"overflow":"reject-publish"}"#;
    let policy = ["set_policy", "-p", &vhost, "full", "dead_letters$", limit];
    private.ctl(&policy).await;
    poison(&broker, &mut agent, 4, "m-1").await;
    let words = ["3 deliveries wait", "since 20", "reject-publish", &vhost];
    gateway.degraded("dead_letter_queue", &words).await;
    assert_eq!(gateway.metric(WAITING).await, 3.0);
    until("they have waited a second", async || {
        gateway.metric(SINCE).await >= 1.0
    })
    .await;
    // Other parts are as well as before, and the warning comes once.
    assert_eq!(
        gateway.get("/readyz").await.1["checks"]["inbound_queue"],
        "up"
    );
    assert_eq!(logged(&gateway).len(), 1, "{:?}", logged(&gateway));

    private.ctl(&["clear_policy", "-p", &vhost, "full"]).await;
    all_published(&gateway, &broker, 4).await;
}

#[tokio::test]
async fn without_write_permission_dead_letters_wait_until_it_is_granted() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    TestGateway::set_up(&broker).await;
    let (url, user) = private.user(&vhost, [".*", "^test", ".*"]).await;
    let gateway = TestGateway::ready_with(&broker, &[("AMQP_URL", &url)]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    poison(&broker, &mut agent, 2, "m-1").await;
    let words = ["2 deliveries wait", &user, "write to exchange amq.default"];
    gateway.degraded("dead_letter_queue", &words).await;
    assert_eq!(logged(&gateway).len(), 1);
    assert!(logged(&gateway)[0].contains("set_permissions"));
    private.permit(&vhost, &user, [".*"; 3]).await;
    all_published(&gateway, &broker, 2).await;
}

#[tokio::test]
async fn a_connection_limit_of_one_is_reported_as_two_needed() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    let (url, user) = private.user(&vhost, [".*"; 3]).await;
    let limit = r#"{"max-connections":1}"#;
    private.ctl(&["set_user_limits", &user, limit]).await;
    let gateway = TestGateway::ready_with(&broker, &[("AMQP_URL", &url)]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    poison(&broker, &mut agent, 1, "m-1").await;
    let words = [
        "1 delivery waits",
        &user,
        "two connections",
        "set_user_limits",
    ];
    gateway.degraded("dead_letter_queue", &words).await;
    private.ctl(&["clear_user_limits", &user, "all"]).await;
    all_published(&gateway, &broker, 1).await;
}

#[tokio::test]
async fn a_missing_dead_letter_queue_without_configure_permission_is_reported() {
    let broker = Broker::new().await;
    TestGateway::set_up(&broker).await;
    let gateway = TestGateway::ready_with(&broker, &[("AMQP_DECLARE", "false")]).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delete_queue(&broker.names.dead_letters).await;
    poison(&broker, &mut agent, 1, "m-1").await;
    let words = [
        "1 delivery waits",
        &*broker.names.dead_letters,
        "AMQP_DECLARE is false",
    ];
    gateway.degraded("dead_letter_queue", &words).await;
    assert!(!broker.exists(&broker.names.dead_letters).await);
    broker.declare_plain_queue(&broker.names.dead_letters).await;
    all_published(&gateway, &broker, 1).await;
}

#[tokio::test]
async fn deliveries_that_a_lost_connection_takes_back_are_counted_as_returned() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    let authority = url.split(['@', '/']).nth(3).unwrap();
    let proxy = Proxy::to(authority.to_owned()).await;
    let proxied = url.replace(authority, proxy.address());
    let variables = [("AMQP_QUEUE_TYPE", "classic"), ("AMQP_URL", &*proxied)];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    let limit = r#"{"max-length":1,"overflow":"reject-publish"}"#;
    let policy = ["set_policy", "-p", &vhost, "full", "dead_letters$", limit];
    private.ctl(&policy).await;
    poison(&broker, &mut agent, 4, "m-1").await;
    until("three wait", async || gateway.metric(WAITING).await == 3.0).await;
    let outcome = |outcome| {
        format!("agent_gateway_deliveries_total{{queue=\"inbound_message\",outcome=\"{outcome}\"}}")
    };
    until("what is done is acknowledged", async || {
        gateway.metric(&outcome("accepted")).await == 1.0
            && broker.depth(&broker.names.inbound).await == 0
    })
    .await;
    assert_eq!(gateway.metric(&outcome("returned")).await, 0.0);
    proxy.cut();
    until("they are returned", async || {
        gateway.metric(&outcome("returned")).await >= 3.0
    })
    .await;
    let connections =
        |outcome| format!("agent_gateway_broker_connections_total{{outcome=\"{outcome}\"}}");
    until("nobody lets it in", async || {
        gateway.metric(&connections("failed")).await >= 1.0
    })
    .await;
    assert_eq!(gateway.metric(&connections("lost")).await, 1.0);
    proxy.restore();
    until("it is in again", async || {
        gateway.metric(&connections("opened")).await == 2.0
    })
    .await;
    private.ctl(&["clear_policy", "-p", &vhost, "full"]).await;
    all_published(&gateway, &broker, 4).await;
    assert_eq!(gateway.metric(&outcome("dead_lettered")).await, 4.0);
}
