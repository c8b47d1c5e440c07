//! Token expiry: `token_expiring`, `refresh_token`, `token_expired`.

use serde_json::{Value, json};

use crate::harness::{Broker, Client, Received, TestGateway, claims, message, now, sign};

const NAMESPACE: &str = "/tenant/acme/conv/c-1";
const OTHER_NAMESPACE: &str = "/tenant/acme/conv/c-2";

/// A token of acme's that expires in so many seconds, and the leeway.
fn lasting(seconds: i64) -> Value {
    lasting_for(seconds, &[])
}

fn lasting_for(seconds: i64, more: &[(&str, Value)]) -> Value {
    let mut claims = claims("acme");
    claims["exp"] = json!(now() + seconds);
    for (name, value) in more {
        claims[name] = value.clone();
    }
    sign(&claims).into()
}

async fn start(broker: &Broker) -> TestGateway {
    TestGateway::ready_with(broker, &[("JWT_LEEWAY_SECONDS", "0")]).await
}

async fn join(gateway: &TestGateway, namespace: &str, token: Value) -> Client {
    let mut client = Client::open(gateway.address(), "&tenantId=acme&conversationId=c-1").await;
    let auth = json!({"token": token, "replay": false});
    client.connect(namespace, &auth).await;
    client.joined().await;
    client
}

fn event(namespace: &str, name: &str, data: Value) -> Received {
    Received::Event {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        args: vec![data],
    }
}

/// For the relay, which answers when the members have it: no broker takes its time.
fn note() -> Value {
    json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {}})
}

fn rfc3339(seconds: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    at.format(&time::format_description::well_known::Rfc3339)
        .unwrap()
}

#[tokio::test]
async fn token_expiring_is_sent_at_once_under_a_minute_and_expiry_ends_the_membership() {
    let broker = Broker::new().await;
    let gateway = start(&broker).await;
    for namespace in ["/", NAMESPACE] {
        let exp = now() + 6;
        let token = sign(&json!({"sub": "a", "tenantId": "acme", "exp": exp}));
        let mut client = join(&gateway, namespace, token.into()).await;
        let expiring = event(
            namespace,
            "token_expiring",
            json!({"expiresAt": rfc3339(exp)}),
        );
        assert_eq!(client.next().await, expiring);
        assert_eq!(
            client.next().await,
            event(namespace, "token_expired", json!({}))
        );
        assert!(now() >= exp);
        let away = Received::Disconnected(namespace.to_owned());
        assert_eq!(client.next().await, away);
        // Nothing comes any more, and the connection is still good for a fresh token.
        assert_eq!(gateway.emit(&note()).await.0, 200);
        let auth = json!({"token": lasting(600), "replay": false});
        client.connect(namespace, &auth).await;
        client.joined().await;
    }
}

#[tokio::test]
async fn each_membership_of_a_connection_has_its_own_expiry() {
    let broker = Broker::new().await;
    let gateway = start(&broker).await;
    let mut client = join(&gateway, NAMESPACE, lasting(600)).await;
    client
        .connect(OTHER_NAMESPACE, &json!({"token": lasting(6)}))
        .await;
    client.joined().await;
    for name in ["token_expiring", "token_expired"] {
        let Received::Event {
            namespace,
            name: came,
            ..
        } = client.next().await
        else {
            panic!("no {name}");
        };
        assert_eq!((namespace.as_str(), came.as_str()), (OTHER_NAMESPACE, name));
    }
    let away = Received::Disconnected(OTHER_NAMESPACE.to_owned());
    assert_eq!(client.next().await, away);
    for (conversation, id) in [("c-2", "unseen"), ("c-1", "m-1")] {
        broker
            .publish("inbound_message", &message("acme", conversation, id))
            .await;
    }
    assert_eq!(client.event().await.message_id(), "m-1");
}

#[tokio::test]
async fn refresh_token_extends_the_membership() {
    let broker = Broker::new().await;
    let gateway = start(&broker).await;
    let mut client = join(&gateway, NAMESPACE, lasting(6)).await;
    assert_eq!(client.event().await.name(), "token_expiring");
    let exp = now() + 600;
    let fresh = lasting(600);
    client
        .ask(NAMESPACE, 7, &json!(["refresh_token", {"token": fresh}]))
        .await;
    let Received::Ack {
        namespace,
        id,
        args,
    } = client.next().await
    else {
        panic!("no answer");
    };
    assert_eq!((namespace.as_str(), id), (NAMESPACE, 7));
    assert_eq!(args[0]["ok"], true);
    let until = args[0]["expiresAt"].as_str().unwrap();
    assert!(
        [exp, exp + 1].map(rfc3339).contains(&until.to_owned()),
        "{until}"
    );
    // The old one's end passes, and so does the notice of the next that is too short.
    let shorter = lasting(10);
    client
        .ask(NAMESPACE, 8, &json!(["refresh_token", {"token": shorter}]))
        .await;
    assert!(matches!(client.next().await, Received::Ack { id: 8, .. }));
    assert_eq!(client.event().await.name(), "token_expiring");
    assert_eq!(gateway.emit(&note()).await.0, 200);
    assert_eq!(client.event().await.name(), "note");
    assert_eq!(client.event().await.name(), "token_expired");
    assert_eq!(
        client.next().await,
        Received::Disconnected(NAMESPACE.to_owned())
    );
}

#[tokio::test]
async fn refresh_token_rejects_tokens_that_would_not_connect() {
    let broker = Broker::new().await;
    let gateway = start(&broker).await;
    let mut client = join(&gateway, "/", lasting(600)).await;
    let wrong = sign(&claims("other"));
    let hour = |more: (&str, Value)| lasting_for(3600, &[more]);
    for (number, (data, error)) in (0..).zip([
        (json!({}), "Authentication required"),
        (json!({"token": ""}), "Authentication required"),
        (Value::Null, "Authentication required"),
        (json!("text"), "Authentication required"),
        (json!({"token": 7}), "Invalid token"),
        (json!({"token": "garbage"}), "Invalid token"),
        (json!({"token": lasting(-60)}), "Token expired"),
        (json!({"token": wrong}), "Forbidden"),
        (
            json!({"token": hour(("sub", json!("agent-2")))}),
            "Forbidden",
        ),
        (
            json!({"token": hour(("conversations", json!(["c-2"])))}),
            "Forbidden",
        ),
    ]) {
        client
            .ask("/", number, &json!(["refresh_token", data]))
            .await;
        let answer = Received::Ack {
            namespace: "/".to_owned(),
            id: number,
            args: vec![json!({"ok": false, "error": error})],
        };
        assert_eq!(client.next().await, answer, "{data}");
    }
    // Without a place for the answer nothing comes back, and the member stays what it was.
    client
        .emit("/", &json!(["refresh_token", {"token": "garbage"}]))
        .await;
    client.emit("/", &json!(["refresh_token"])).await;
    broker
        .publish("inbound_message", &message("acme", "c-1", "m-1"))
        .await;
    assert_eq!(client.event().await.message_id(), "m-1");
}

#[tokio::test]
async fn integer_ids_in_claims_are_accepted() {
    let broker = Broker::new().await;
    let gateway = start(&broker).await;
    let numbered = |conversations: Value| {
        let exp = now() + 600;
        json!({"sub": 4711, "tenantId": 12, "conversations": conversations, "exp": exp})
    };
    let mut client = Client::open(gateway.address(), "&tenantId=12&conversationId=7").await;
    let auth = json!({"token": sign(&numbered(json!([7, "c-1"])))});
    client.connect("/", &auth).await;
    let joined = client.joined().await;
    assert_eq!(joined["tenantId"], "12");
    assert_eq!(joined["agent"], json!({"id": "4711"}));
    client.connect("/tenant/12/conv/c-1", &auth).await;
    client.joined().await;
    client.connect("/tenant/12/conv/8", &auth).await;
    let forbidden = Received::Refused("Forbidden".to_owned());
    assert_eq!(client.next().await, forbidden);
    // The same agent as a string, for the agent is who its digits say.
    let mut text = numbered(json!(["7"]));
    text["sub"] = "4711".into();
    let refresh = json!(["refresh_token", {"token": sign(&text)}]);
    client.ask("/", 1, &refresh).await;
    let Received::Ack { args, .. } = client.next().await else {
        panic!("no answer");
    };
    assert_eq!(args[0]["ok"], true);
}

#[tokio::test]
async fn tokens_over_16_kib_are_rejected() {
    let broker = Broker::new().await;
    let gateway = start(&broker).await;
    let of = |length: usize| {
        let mut claims = claims("acme");
        let mut padding = length / 4 * 3;
        loop {
            claims["padding"] = "x".repeat(padding).into();
            let token = sign(&claims);
            if token.len() <= length {
                return token;
            }
            padding -= 1;
        }
    };
    let most = of(16 << 10);
    assert!(most.len() > (16 << 10) - 3, "{}", most.len());
    gateway.enter(&most).await.joined().await;
    let invalid = Received::Refused("Invalid token".to_owned());
    let more = of((16 << 10) + 8);
    assert_eq!(gateway.enter(&more).await.next().await, invalid);
    gateway.logs("it has more than 16384 bytes").await;
}

#[tokio::test]
async fn tokens_of_the_previous_secret_connect_and_refresh() {
    let broker = Broker::new().await;
    let variables = [
        ("JWT_SECRET", "the new secret, of 32 bytes or more"),
        ("JWT_PREVIOUS_SECRET", crate::harness::SECRET),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let mut client = join(&gateway, NAMESPACE, lasting(600)).await;
    let refresh = json!(["refresh_token", {"token": lasting(900)}]);
    client.ask(NAMESPACE, 1, &refresh).await;
    let Received::Ack { args, .. } = client.next().await else {
        panic!("no answer");
    };
    assert_eq!(args[0]["ok"], true);
}
