//! `AUTH_INTROSPECTION_URL`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use agent_gateway::auth::{
    Agent, AuthError, Authenticator, ClientCredentials, Endpoint, IntrospectionSettings, Key,
    KeySource, Rules, Settings,
};
use axum::body::Body;
use axum::http::Response;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::auth::server::{AuthServer, always, ok, redirect};
use crate::auth::signer::Signer;
use crate::harness::{
    Broker, Client, DEADLINE, Received, SECRET, TestGateway, claims, now, sign, until,
};

/// The auth service's answer about a good token.
fn active() -> Value {
    let mut answer = claims("acme");
    answer["active"] = true.into();
    answer
}

/// Answers as the auth service does, which knows these tokens.
fn knows(tokens: &[(&str, Value)]) -> impl Fn(&str) -> Response<Body> + Send + 'static {
    let tokens: HashMap<String, Value> = tokens
        .iter()
        .map(|(token, answer)| ((*token).to_owned(), answer.clone()))
        .collect();
    move |body| {
        let token = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "token");
        let known = token.and_then(|(_, token)| tokens.get(&*token).cloned());
        ok(&known.unwrap_or(json!({"active": false})))("")
    }
}

fn asks(server: &AuthServer) -> Settings {
    Settings {
        introspection: Some(IntrospectionSettings {
            endpoint: Endpoint::parse(&server.url()).unwrap(),
            client: None,
            keep: IntrospectionSettings::KEEP,
            timeout: DEADLINE,
        }),
        ..Settings::default()
    }
}

fn checks(settings: Settings) -> Authenticator {
    Authenticator::new(settings).unwrap()
}

async fn opens(authenticator: &Authenticator, token: &str) -> Result<(), AuthError> {
    authenticator.authenticate(token).await.map(drop)
}

#[tokio::test]
async fn an_active_token_grants_what_the_introspection_answer_says() {
    let mut narrow = active();
    narrow["conversations"] = json!(["c-1"]);
    narrow["exp"] = json!(now() + 100);
    let server = AuthServer::start(knows(&[("opaque", narrow)])).await;
    let mut settings = asks(&server);
    settings.introspection.as_mut().unwrap().client = Some(ClientCredentials {
        id: "gate:way".to_owned(),
        secret: "p&ss wörd".to_owned(),
    });
    let authenticator = checks(settings);
    let Agent {
        id,
        name,
        tenant,
        expires_at,
        grant,
    } = authenticator.authenticate("opaque").await.unwrap();
    assert_eq!(
        (&*id, name.as_deref(), &*tenant),
        ("agent-1", Some("Ada"), "acme")
    );
    assert!((now() + 50..=now() + 105).contains(&expires_at));
    assert_eq!(
        grant,
        agent_gateway::auth::Grant::Only(["c-1".to_owned()].into())
    );
    let asked = server.asked();
    assert_eq!(asked[0].body, "token=opaque&token_type_hint=access_token");
    assert_eq!(asked[0].headers["accept"], "application/json");
    assert_eq!(
        asked[0].headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    // base64("gate%3Away:p%26ss+w%C3%B6rd")
    assert_eq!(
        asked[0].headers["authorization"],
        "Basic Z2F0ZSUzQXdheTpwJTI2c3MrdyVDMyVCNnJk"
    );
    // What needs an escape is a token as well.
    assert_eq!(
        opens(&authenticator, "a b&token=opaque").await,
        Err(AuthError::Invalid)
    );
    assert_eq!(
        server.asked()[1].body,
        "token=a+b%26token%3Dopaque&token_type_hint=access_token"
    );
}

#[tokio::test]
async fn an_introspection_answer_needs_the_same_claims_as_a_jwt() {
    let with = |name: &str, value: Value| {
        let mut answer = active();
        answer[name] = value;
        answer
    };
    let mut strict = active();
    strict["iss"] = "portal".into();
    strict["aud"] = json!(["gateway"]);
    let server = AuthServer::with(&strict).await;
    let rules = Rules {
        issuer: Some("portal".to_owned()),
        audience: Some("gateway".to_owned()),
        ..Rules::default()
    };
    for (answer, rules, expected) in [
        (strict, rules.clone(), Ok(())),
        (active(), rules, Err(AuthError::Invalid)),
        (
            with("sub", Value::Null),
            Rules::default(),
            Err(AuthError::Invalid),
        ),
        (
            with("tenantId", Value::Null),
            Rules::default(),
            Err(AuthError::Invalid),
        ),
        (
            with("exp", Value::Null),
            Rules::default(),
            Err(AuthError::Invalid),
        ),
        (
            with("nbf", json!(now() + 60)),
            Rules::default(),
            Err(AuthError::Invalid),
        ),
        (
            with("exp", json!(now() - 60)),
            Rules::default(),
            Err(AuthError::Expired),
        ),
        (
            with("active", json!(false)),
            Rules::default(),
            Err(AuthError::Invalid),
        ),
    ] {
        server.set(ok(&answer));
        let authenticator = checks(Settings {
            rules,
            ..asks(&server)
        });
        assert_eq!(opens(&authenticator, "opaque").await, expected, "{answer}");
    }
}

#[tokio::test]
async fn concurrent_and_later_connects_with_a_token_share_one_introspection_request() {
    let server = AuthServer::start(knows(&[("opaque", active())])).await;
    let authenticator = checks(asks(&server));
    server.hold();
    let answered = async {
        server.waiting(1).await;
        server.release();
    };
    let crowd = join_all((0..100).map(|_| opens(&authenticator, "opaque")));
    let (crowd, ()) = futures_util::join!(crowd, answered);
    assert!(crowd.iter().all(Result::is_ok));
    server.set(always(500, String::new()));
    assert_eq!(opens(&authenticator, "opaque").await, Ok(()));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_cancelled_connect_does_not_cancel_the_shared_introspection_request() {
    let server = AuthServer::start(knows(&[("opaque", active())])).await;
    let authenticator = Arc::new(checks(asks(&server)));
    server.hold();
    let enter = || {
        let authenticator = authenticator.clone();
        tokio::spawn(async move { opens(&authenticator, "opaque").await })
    };
    let first = enter();
    server.waiting(1).await;
    let second = enter();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    until("the second asks", async || server.count() == 2).await;
    server.release();
    assert_eq!(second.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_negative_answer_is_not_cached() {
    let server = AuthServer::start(knows(&[])).await;
    let authenticator = checks(asks(&server));
    assert_eq!(opens(&authenticator, "new").await, Err(AuthError::Invalid));
    server.set(knows(&[("new", active())]));
    assert_eq!(opens(&authenticator, "new").await, Ok(()));
}

#[tokio::test]
async fn a_revoked_token_is_accepted_no_longer_than_the_cache_ttl() {
    let server = AuthServer::start(knows(&[("opaque", active())])).await;
    let mut settings = asks(&server);
    settings.introspection.as_mut().unwrap().keep = Duration::from_millis(200);
    let authenticator = checks(settings);
    assert_eq!(opens(&authenticator, "opaque").await, Ok(()));
    server.set(knows(&[]));
    until("the answer is forgotten", async || {
        opens(&authenticator, "opaque").await == Err(AuthError::Invalid)
    })
    .await;
}

#[tokio::test]
async fn a_cached_answer_is_not_used_past_the_tokens_exp() {
    let mut answer = active();
    answer["exp"] = json!(now() + 5);
    let server = AuthServer::start(knows(&[("opaque", answer)])).await;
    let authenticator = checks(Settings {
        rules: Rules {
            leeway: 0,
            ..Rules::default()
        },
        ..asks(&server)
    });
    assert_eq!(opens(&authenticator, "opaque").await, Ok(()));
    until("the token expires", async || {
        opens(&authenticator, "opaque").await == Err(AuthError::Expired)
    })
    .await;
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn an_invalid_introspection_response_is_service_unavailable() {
    let elsewhere = AuthServer::with(&active()).await;
    let mut large = active();
    large["padding"] = " ".repeat(64 << 10).into();
    let server = AuthServer::start(redirect(elsewhere.url())).await;
    let authenticator = checks(asks(&server));
    let unavailable = Err(AuthError::Unavailable);
    assert_eq!(opens(&authenticator, "opaque").await, unavailable);
    for (status, body) in [
        (200, large.to_string()),
        (200, String::new()),
        (200, "active".to_owned()),
        (200, "[true]".to_owned()),
        (200, "{}".to_owned()),
        (200, json!({"active": "true"}).to_string()),
        (200, json!({"active": null}).to_string()),
        (201, active().to_string()),
        (400, active().to_string()),
        (401, json!({"error": "invalid_client"}).to_string()),
        (500, active().to_string()),
        (503, String::new()),
    ] {
        server.set(always(status, body.clone()));
        let result = opens(&authenticator, "opaque").await;
        assert_eq!(result, unavailable, "{status} {body}");
    }
    let mut hasty = asks(&server);
    hasty.introspection.as_mut().unwrap().timeout = Duration::from_millis(50);
    server.hold();
    assert_eq!(opens(&checks(hasty), "opaque").await, unavailable);
    server.release();
    server.set(knows(&[("opaque", active())]));
    assert_eq!(opens(&authenticator, "opaque").await, Ok(()));
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn concurrent_introspection_requests_are_limited() {
    let server = AuthServer::start(ok(&active())).await;
    let authenticator = checks(asks(&server));
    server.hold();
    let released = async {
        server.waiting(64).await;
        let asked = server.count();
        server.release();
        asked
    };
    let tokens: Vec<_> = (0..80).map(|n| format!("opaque {n}")).collect();
    let crowd = join_all(tokens.iter().map(|token| opens(&authenticator, token)));
    let (crowd, asked) = futures_util::join!(crowd, released);
    assert_eq!(asked, 64);
    // The others were served in their turn.
    assert!(crowd.iter().all(Result::is_ok));
    assert_eq!(server.count(), 80);
}

#[tokio::test]
async fn a_malformed_token_causes_no_introspection_request() {
    let server = AuthServer::start(ok(&active())).await;
    let authenticator = checks(asks(&server));
    let long = "x".repeat((16 << 10) + 1);
    for token in [&*long, "tökën", "line\nbreak", "\0", "\u{7f}"] {
        assert_eq!(opens(&authenticator, token).await, Err(AuthError::Invalid));
    }
    assert_eq!(server.count(), 0);
    let longest = "x".repeat(16 << 10);
    assert_eq!(opens(&authenticator, &longest).await, Ok(()));
}

#[tokio::test]
async fn a_jwt_is_introspected_only_when_no_key_verifies_it() {
    let (mine, foreign) = (Signer::p256(), Signer::rsa());
    // The auth service signs with an algorithm that is not checked here.
    let of_the_service = foreign.sign_with(&Header::new(Algorithm::PS256), &claims("acme"));
    let forged = Signer::p256().sign(&claims("acme"));
    let server =
        AuthServer::start(knows(&[(&of_the_service, active()), ("opaque", active())])).await;
    let authenticator = checks(Settings {
        secrets: vec![SECRET.to_owned()],
        public_key: Some(Key::from_pem(&mine.public.to_string()).unwrap()),
        ..asks(&server)
    });
    let mut expired = claims("acme");
    expired["exp"] = json!(now() - 60);
    let mut nameless = claims("acme");
    nameless["sub"] = Value::Null;
    for (claims, expected) in [
        (claims("acme"), Ok(())),
        (expired, Err(AuthError::Expired)),
        (nameless, Err(AuthError::Invalid)),
    ] {
        assert_eq!(opens(&authenticator, &mine.sign(&claims)).await, expected);
        assert_eq!(opens(&authenticator, &sign(&claims)).await, expected);
    }
    assert_eq!(server.count(), 0);
    for (token, expected) in [
        (&*of_the_service, Ok(())),
        ("opaque", Ok(())),
        (&forged, Err(AuthError::Invalid)),
    ] {
        assert_eq!(opens(&authenticator, token).await, expected);
    }
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn an_unavailable_key_set_and_an_inactive_token_are_service_unavailable() {
    let signer = Signer::ed25519();
    let known = signer.sign_as("1", &claims("acme"));
    let unknown = signer.sign_as("2", &claims("acme"));
    let keys = AuthServer::start(always(500, String::new())).await;
    let server = AuthServer::start(knows(&[(&known, active())])).await;
    let authenticator = checks(Settings {
        key_set: Some(KeySource::Url(Endpoint::parse(&keys.url()).unwrap())),
        ..asks(&server)
    });
    assert_eq!(opens(&authenticator, &known).await, Ok(()));
    let result = opens(&authenticator, &unknown).await;
    assert_eq!(result, Err(AuthError::Unavailable));
    // A key set does not know opaque tokens anyway.
    assert_eq!(opens(&authenticator, "x").await, Err(AuthError::Invalid));
}

#[tokio::test]
async fn the_program_introspects_tokens_and_does_not_log_them() {
    let broker = Broker::new().await;
    let token = "an-opaque-token-of-an-agent";
    let secret = "the-secret-of-the-client";
    let server = AuthServer::start(knows(&[(token, active())])).await;
    let url = server.url();
    let variables = [
        ("JWT_SECRET", ""),
        ("AUTH_INTROSPECTION_URL", &*url),
        ("AUTH_INTROSPECTION_CLIENT_ID", "gateway"),
        ("AUTH_INTROSPECTION_CLIENT_SECRET", secret),
        ("RUST_LOG", "trace"),
        // Nobody is there; this machine is not asked through it.
        ("HTTP_PROXY", "http://127.0.0.1:1"),
    ];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let refused = |text: &str| Received::Refused(text.to_owned());
    // A machine that is busy enough has no answer in the two seconds that a connect waits for it:
    // who is told that the service is unavailable tries again.
    let enter = async |token: &str, answer: Received| {
        let mut entered = None;
        until("an answer comes in time", async || {
            let mut client = gateway.enter(token).await;
            let came = client.next().await;
            entered = Some(client);
            if came != refused("Service unavailable") {
                assert_eq!(came, answer);
            }
            came == answer
        })
        .await;
        entered.unwrap()
    };
    let mut agent = enter(token, Received::Connected("/".to_owned())).await;
    assert_eq!(agent.event().await.data()["agent"]["name"], "Ada");
    let unknown = "a-token-that-nobody-knows";
    enter(unknown, refused("Invalid token")).await;
    // Slower than a connect waits.
    server.hold();
    let answer = gateway.enter(unknown).await.next().await;
    assert_eq!(answer, refused("Service unavailable"));
    server.release();
    drop(server);
    let answer = gateway.enter(unknown).await.next().await;
    assert_eq!(answer, refused("Service unavailable"));
    gateway
        .logs("the auth service does not answer as it should")
        .await;
    let log = gateway.log().join("\n");
    // base64("gateway:the-secret")
    let basic = "Z2F0ZXdheTp0aGUtc2VjcmV0";
    for hidden in [token, unknown, secret, basic, "query=hidden"] {
        assert!(!log.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn a_session_that_ends_while_its_token_is_checked_is_not_kept() {
    let broker = Broker::new().await;
    let server = AuthServer::start(ok(&active())).await;
    let url = server.url();
    let variables = [("JWT_SECRET", ""), ("AUTH_INTROSPECTION_URL", &*url)];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    server.hold();
    let query = "&tenantId=acme&conversationId=c-1";
    let mut polling = Client::open_polling(gateway.address(), query).await;
    polling.connect("/", &json!({"token": "opaque"})).await;
    server.waiting(1).await;
    // Engine.IO's CLOSE.
    polling.send("1").await;
    server.release();
    // The library keeps it until the connect timeout.
    until("the session is gone", async || {
        gateway.metric("agent_gateway_sessions").await == 0.0
    })
    .await;
}
