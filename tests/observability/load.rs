//! A gateway, and everybody who has to do with it: publishers, the portal, agents, the auth service.

use axum::Router;
use axum::routing::post;
use lapin::BasicProperties;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::harness::{
    Broker, Client, Folder, TestGateway, claims, message, now, random_name, sign, status,
};

/// A key that signs nothing here: the set is loaded, and its age told.
const KEY_SET: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1","alg":"ES256",
    "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

/// How many messages a round has.
const ROUND: usize = 50;

pub(crate) struct Load {
    gateway: TestGateway,
    scraped: String,
    _agents: Vec<Client>,
    _auth: AbortOnDropHandle<()>,
    _folder: Folder,
}

impl Load {
    /// Starts a gateway, with agents who follow one conversation in each of the ways there are.
    pub(crate) async fn start(broker: &Broker) -> Self {
        let folder = Folder::new();
        let keys = folder.write("keys.json", KEY_SET);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/introspect", listener.local_addr().unwrap());
        let answer = async || axum::Json(json!({"active": false}));
        let router = Router::new().route("/introspect", post(answer));
        let auth = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let variables = [
            ("INTERNAL_PORT", "0"),
            // What there is to see of a journal in memory is to be seen of it as well.
            ("JOURNAL", "stream"),
            ("JWT_JWKS_URL", &*keys),
            ("AUTH_INTROSPECTION_URL", &url),
        ];
        let gateway = TestGateway::ready_with(broker, &variables).await;
        let scraped = gateway.internal_address().await;
        let mut agents = vec![gateway.agent("acme", "c-1").await];
        let auth_of_all = json!({"token": sign(&claims("acme"))});
        let mut own = Client::open(gateway.address(), "").await;
        own.connect("/tenant/acme/conv/c-1", &auth_of_all).await;
        own.joined().await;
        agents.push(own);
        agents.push(Client::join_polling(gateway.address(), "acme", "c-1").await);
        Self {
            gateway,
            scraped,
            _agents: agents,
            _auth: AbortOnDropHandle::new(auth),
            _folder: folder,
        }
    }

    /// Where its metrics are.
    pub(crate) fn scraped(&self) -> &str {
        &self.scraped
    }

    /// A round of everything that happens to it.
    pub(crate) async fn go_on(&self, broker: &Broker) {
        let round = random_name();
        let messages =
            (0..ROUND).map(|number| message("acme", "c-1", &format!("{round}-{number}")));
        let first = message("acme", "c-1", &format!("{round}-0"));
        let timestamp = u64::try_from(now()).unwrap();
        let dated = |body: Value| {
            let properties = BasicProperties::default().with_timestamp(timestamp);
            (body.to_string().into_bytes(), properties)
        };
        let bodies = messages.chain([first, json!("bad")]).map(dated);
        broker.publish_all("inbound_message", bodies).await;
        for word in ["read", "sent"] {
            let update = status("acme", "c-1", &round, word);
            broker.publish("status_update", &update).await;
        }
        let note =
            json!({"tenantId": "acme", "conversationId": "c-1", "event": "note", "payload": {}});
        assert_eq!(self.emit(&note).await, 200);
        assert_eq!(self.emit(&json!({})).await, 422);
        // One that nobody knows, and one who comes with a cursor that is none.
        self.gateway.enter("unknown").await.next().await;
        let cursor = json!({"cursor": "none"});
        self.gateway
            .resume("acme", "c-1", cursor)
            .await
            .joined()
            .await;
    }

    async fn emit(&self, body: &Value) -> u16 {
        let request = crate::harness::http()
            .post(format!("http://{}/internal/emit", self.scraped))
            .header("x-internal-api-key", crate::harness::API_KEY)
            .header("content-type", "application/json")
            .body(body.to_string());
        crate::harness::answer(request).await.0
    }
}
