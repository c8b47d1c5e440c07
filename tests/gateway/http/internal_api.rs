//! `POST /internal/disconnect` and `GET /internal/conversations`.

use serde_json::{Value, json};

use crate::auth::server::AuthServer;
use crate::harness::{
    API_KEY, Broker, Client, Received, TestGateway, claims, message, sign, until,
};

async fn disconnect(gateway: &TestGateway, body: &Value) -> (u16, Value) {
    let request = gateway
        .post("/internal/disconnect")
        .header("authorization", format!("Bearer {API_KEY}"))
        .header("content-type", "application/json")
        .body(body.to_string());
    crate::harness::answer(request).await
}

async fn look(gateway: &TestGateway, conversation: &str) -> Value {
    let path = format!("/internal/conversations/{conversation}");
    let (status, body) = gateway.get_with_key(&path).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn follow(gateway: &TestGateway, agent: &str, conversations: &[(&str, &str)]) -> Client {
    let mut client = Client::open(gateway.address(), "").await;
    for (tenant, conversation) in conversations {
        let mut claims = claims(tenant);
        claims["sub"] = agent.into();
        let namespace = format!("/tenant/{tenant}/conv/{conversation}");
        client
            .connect(&namespace, &json!({"token": sign(&claims)}))
            .await;
        client.joined().await;
    }
    client
}

fn away(tenant: &str, conversation: &str) -> Received {
    Received::Disconnected(format!("/tenant/{tenant}/conv/{conversation}"))
}

#[tokio::test]
async fn disconnect_ends_only_the_selected_members() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let ada = &[("acme", "c-1"), ("acme", "c-2"), ("other", "c-1")];
    let mut ada = follow(&gateway, "ada", ada).await;
    let mut bob = follow(&gateway, "bob", &[("acme", "c-1")]).await;
    for (body, expected) in [
        (json!({"tenantId": "acme", "conversationId": "c-3"}), 0),
        (json!({"tenantId": "nobody"}), 0),
        (json!({"tenantId": "acme", "agentId": "eve"}), 0),
        (
            json!({"tenantId": "acme", "conversationId": "c-1", "agentId": "ada"}),
            1,
        ),
    ] {
        let answer = disconnect(&gateway, &body).await;
        let expected = json!({"ok": true, "disconnected": expected});
        assert_eq!(answer, (200, expected), "{body}");
    }
    assert_eq!(ada.next().await, away("acme", "c-1"));
    // Its other conversations stay, and so does everybody else.
    for (tenant, conversation, id) in [
        ("acme", "c-1", "m-1"),
        ("acme", "c-2", "m-2"),
        ("other", "c-1", "m-3"),
    ] {
        broker
            .publish("inbound_message", &message(tenant, conversation, id))
            .await;
    }
    assert_eq!(bob.event().await.message_id(), "m-1");
    let mut seen = ada.message_ids(2).await;
    seen.sort();
    assert_eq!(seen, ["m-2", "m-3"]);
    let all = disconnect(&gateway, &json!({"tenantId": "acme"})).await;
    assert_eq!(all.1["disconnected"], 2);
    assert_eq!(ada.next().await, away("acme", "c-2"));
    assert_eq!(bob.next().await, away("acme", "c-1"));
    // The tokens are as good as before: to come back is not forbidden.
    let auth = json!({"token": sign(&claims("acme")), "replay": false});
    bob.connect("/tenant/acme/conv/c-1", &auth).await;
    bob.joined().await;
    gateway
        .logs("members were disconnected at the portal's request")
        .await;
    let log = gateway.log().join("\n");
    assert!(!log.contains(API_KEY));
}

#[tokio::test]
async fn disconnect_also_ends_connects_in_progress() {
    let broker = Broker::new().await;
    for (selection, stays) in [
        (json!({"tenantId": "acme", "agentId": "agent-1"}), false),
        (json!({"tenantId": "acme", "agentId": "eve"}), true),
    ] {
        // The auth service was asked before, and answers after.
        let mut answer = claims("acme");
        answer["active"] = true.into();
        answer["sub"] = "agent-1".into();
        let server = AuthServer::with(&answer).await;
        let url = server.url();
        let variables = [("AUTH_INTROSPECTION_URL", &*url)];
        let gateway = TestGateway::start_with(&broker, &variables).await;
        server.hold();
        let mut agent = gateway.enter("opaque").await;
        server.waiting(1).await;
        let (status, answered) = disconnect(&gateway, &selection).await;
        assert_eq!((status, &answered["disconnected"]), (200, &json!(0)));
        server.release();
        if stays {
            agent.joined().await;
        } else {
            // It may or may not hear before that it has joined.
            let away = Received::Disconnected("/".to_owned());
            while agent.next().await != away {}
            let seen = look(&gateway, "acme/c-1").await;
            assert_eq!(seen["members"], json!([]));
            // It was about those who were there, or as good as.
            agent.connect("/", &json!({"token": "opaque"})).await;
            agent.joined().await;
        }
        let seen = look(&gateway, "acme/c-1").await;
        assert_eq!(seen["members"][0]["agentId"], "agent-1");
    }
}

#[tokio::test]
async fn a_conversation_lists_its_members_and_its_window() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let empty = json!({"members": [], "events": 0, "oldestCursor": null, "newestCursor": null});
    assert_eq!(look(&gateway, "acme/c-1").await, empty);
    let mut agent = gateway.agent("acme", "c-1").await;
    for id in ["m-1", "m-2"] {
        broker
            .publish("inbound_message", &message("acme", "c-1", id))
            .await;
    }
    let (first, second) = (agent.event().await, agent.event().await);
    let mut seen = look(&gateway, "acme/c-1").await;
    let connected_at = seen["members"][0]["connectedAt"].take();
    assert!(connected_at.as_str().unwrap().ends_with('Z'));
    assert_eq!(
        seen,
        json!({
            "members": [{"agentId": "agent-1", "name": "Ada", "connectedAt": null, "state": "live"}],
            "events": 2, "oldestCursor": first.cursor(), "newestCursor": second.cursor(),
        })
    );
    assert_eq!(look(&gateway, "other/c-1").await, empty);
    drop(agent);
    until("the member has left", async || {
        look(&gateway, "acme/c-1").await["members"] == json!([])
    })
    .await;
}

#[tokio::test]
async fn invalid_requests_name_their_field_and_need_a_key() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    for (body, status, field) in [
        (json!({}), 422, "tenantId"),
        (json!({"tenantId": "a/b"}), 422, "tenantId"),
        (
            json!({"tenantId": "a", "conversationId": ""}),
            422,
            "conversationId",
        ),
        (json!({"tenantId": "a", "agentId": 7}), 422, "agentId"),
        (json!([]), 422, "body"),
    ] {
        let (answered, error) = disconnect(&gateway, &body).await;
        assert_eq!((answered, &error["ok"]), (status, &json!(false)), "{body}");
        assert_eq!(error["error"]["code"], "invalid_request");
        assert_eq!(error["error"]["field"], field, "{body}");
    }
    for (path, field) in [
        ("a%2Fb/c", "tenantId"),
        ("a/%00", "conversationId"),
        ("a/%ff", "path"),
    ] {
        let path = format!("/internal/conversations/{path}");
        let (status, error) = gateway.get_with_key(&path).await;
        assert_eq!(
            (status, &error["error"]["field"]),
            (422, &json!(field)),
            "{path}"
        );
        let (status, error) = gateway.get(&path).await;
        assert_eq!(
            (status, &error["error"]["code"]),
            (401, &json!("unauthorized"))
        );
    }
    let refused = gateway.post("/internal/disconnect").body("{}");
    assert_eq!(crate::harness::answer(refused).await.0, 401);
}
