//! `JWT_JWKS_URL`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use agent_gateway::auth::{AuthError, Authenticator, Endpoint, KeySource, Settings};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::auth::server::{AuthServer, always, ok, redirect};
use crate::auth::signer::{Signer, encode};
use crate::harness::{Broker, Received, TestGateway, claims, random_name, until};

fn set(keys: &[Value]) -> Value {
    json!({"keys": keys})
}

fn from(source: KeySource) -> Authenticator {
    Authenticator::new(Settings {
        key_set: Some(source),
        ..Settings::default()
    })
    .unwrap()
}

fn at(server: &AuthServer) -> Authenticator {
    from(KeySource::Url(Endpoint::parse(&server.url()).unwrap()))
}

/// Whether a token opens.
async fn opens(authenticator: &Authenticator, token: &str) -> Result<(), AuthError> {
    authenticator.authenticate(token).await.map(drop)
}

/// A file with a key set, removed in the end.
struct SetFile(PathBuf);

impl SetFile {
    fn new(keys: &[Value]) -> Self {
        let file = Self(std::env::temp_dir().join(format!("{}.json", random_name())));
        file.write(keys);
        file
    }

    fn write(&self, keys: &[Value]) {
        std::fs::write(&self.0, set(keys).to_string()).unwrap();
    }

    fn authenticator(&self) -> Authenticator {
        from(KeySource::File(self.0.clone()))
    }
}

impl Drop for SetFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

#[tokio::test]
async fn every_key_type_verifies_by_its_kid() {
    let signers = Signer::all();
    let names = ["rsa", "ec", "ed"];
    let keys: Vec<_> = signers
        .iter()
        .zip(names)
        .map(|(signer, name)| signer.jwk(name))
        .collect();
    let server = AuthServer::with(&set(&keys)).await;
    let authenticator = at(&server);
    for (signer, name) in signers.iter().zip(names) {
        let token = signer.sign_as(name, &claims("acme"));
        assert_eq!(opens(&authenticator, &token).await, Ok(()));
        // There is one key of each kind only, so that no name is needed.
        let nameless = signer.sign(&claims("acme"));
        assert_eq!(opens(&authenticator, &nameless).await, Ok(()));
        for other in names.iter().filter(|other| **other != name) {
            let misnamed = signer.sign_as(other, &claims("acme"));
            assert_eq!(
                opens(&authenticator, &misnamed).await,
                Err(AuthError::Invalid)
            );
        }
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_token_without_a_kid_is_accepted_only_when_one_key_fits() {
    let (one, another) = (Signer::p256(), Signer::p256());
    let server = AuthServer::with(&set(&[one.jwk("1"), another.jwk("2")])).await;
    let authenticator = at(&server);
    let nameless = one.sign(&claims("acme"));
    assert_eq!(
        opens(&authenticator, &nameless).await,
        Err(AuthError::Invalid)
    );
    let named = one.sign_as("1", &claims("acme"));
    assert_eq!(opens(&authenticator, &named).await, Ok(()));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn unusable_keys_of_a_set_are_skipped() {
    let mut keys = vec![
        json!(7),
        json!({}),
        json!({"kty": "RSA", "kid": "a"}),
        json!({"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "a", "x": encode(&[1; 32]), "y": encode(&[2; 32])}),
        json!({"kty": "EC", "crv": "P-256", "kid": "a", "x": "!", "y": "!"}),
        json!({"kty": "EC", "crv": "secp256k1", "kid": "a", "x": "", "y": ""}),
        json!({"kty": "OKP", "crv": "X25519", "kid": "a", "x": encode(&[1; 32])}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": encode(&[1; 31])}),
    ];
    let mut refused = Vec::new();
    for signer in Signer::all() {
        for (position, (member, value)) in [
            ("use", json!("enc")),
            ("key_ops", json!(["sign"])),
            ("alg", json!("RS512")),
            ("alg", json!("ES384")),
            ("alg", json!("HS256")),
            ("alg", json!("RSA-OAEP")),
            ("d", json!("AQAB")),
            ("kid", json!(["a"])),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("{:?} {position}", signer.algorithm);
            let mut key = signer.jwk(&name);
            key[member] = value;
            keys.push(key);
            refused.push(signer.sign_as(&name, &claims("acme")));
        }
    }
    // A secret in a public set would make everybody an issuer.
    let secret = "a secret that everybody can read, of 32 bytes";
    keys.push(json!({"kty": "oct", "kid": "s", "alg": "HS256", "k": encode(secret.as_bytes())}));
    let header = jsonwebtoken::Header {
        kid: Some("s".to_owned()),
        ..jsonwebtoken::Header::default()
    };
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    refused.push(jsonwebtoken::encode(&header, &claims("acme"), &key).unwrap());
    let good = Signer::ed25519();
    let mut last = good.jwk("good");
    last["use"] = "sig".into();
    last["key_ops"] = json!(["verify"]);
    last["alg"] = "EdDSA".into();
    keys.push(last);
    let server = AuthServer::with(&set(&keys)).await;
    let authenticator = at(&server);
    let token = good.sign_as("good", &claims("acme"));
    assert_eq!(opens(&authenticator, &token).await, Ok(()));
    for token in refused {
        let result = opens(&authenticator, &token).await;
        assert_eq!(result, Err(AuthError::Invalid), "{token}");
    }
}

#[tokio::test]
async fn keys_rotate_by_kid_and_many_unknown_kids_cause_one_request() {
    let (old, new) = (Signer::p256(), Signer::p256());
    let server = AuthServer::with(&set(&[old.jwk("old")])).await;
    let authenticator = at(&server);
    let by_old = old.sign_as("old", &claims("acme"));
    let by_new = new.sign_as("new", &claims("acme"));
    assert_eq!(opens(&authenticator, &by_old).await, Ok(()));
    server.set(ok(&set(&[new.jwk("new")])));
    let strangers: Vec<_> = (0..100)
        .map(|n| old.sign_as(&format!("unknown {n}"), &claims("acme")))
        .collect();
    server.hold();
    let release = async {
        server.waiting(1).await;
        server.release();
    };
    let concurrent = join_all(strangers.iter().map(|token| opens(&authenticator, token)));
    let (refused, rotated, ()) =
        futures_util::join!(concurrent, opens(&authenticator, &by_new), release);
    assert!(
        refused
            .iter()
            .all(|result| *result == Err(AuthError::Invalid))
    );
    assert_eq!(rotated, Ok(()));
    // The set is up to date, and nobody may ask so soon again.
    assert_eq!(
        opens(&authenticator, &by_old).await,
        Err(AuthError::Invalid)
    );
    for token in &strangers {
        assert_eq!(opens(&authenticator, token).await, Err(AuthError::Invalid));
    }
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn cached_keys_stay_in_use_while_the_endpoint_fails() {
    let signer = Signer::p256();
    let server = AuthServer::with(&set(&[signer.jwk("1")])).await;
    let authenticator = at(&server);
    let known = signer.sign_as("1", &claims("acme"));
    let unknown = signer.sign_as("2", &claims("acme"));
    assert_eq!(opens(&authenticator, &known).await, Ok(()));
    server.set(always(503, String::new()));
    // Nobody can tell whether that key is there by now.
    for _ in 0..3 {
        let result = opens(&authenticator, &unknown).await;
        assert_eq!(result, Err(AuthError::Unavailable));
        assert_eq!(opens(&authenticator, &known).await, Ok(()));
    }
    server.set(ok(&set(&[signer.jwk("2")])));
    until("the endpoint is asked again", async || {
        opens(&authenticator, &unknown).await == Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_invalid_or_oversized_key_set_is_unavailable() {
    let signer = Signer::p256();
    let token = signer.sign_as("1", &claims("acme"));
    let good = set(&[signer.jwk("1")]);
    let elsewhere = AuthServer::with(&good).await;
    let mut large = good.clone();
    large["padding"] = " ".repeat(1 << 20).into();
    for reply in [
        always(200, large.to_string()),
        always(200, String::new()),
        always(200, "[]".to_owned()),
        always(200, "{}".to_owned()),
        always(200, r#"{"keys": {}}"#.to_owned()),
        always(201, good.to_string()),
        always(404, good.to_string()),
        always(500, good.to_string()),
    ]
    .map(|reply| Box::new(reply) as Box<dyn Fn(&str) -> _ + Send>)
    .into_iter()
    .chain([Box::new(redirect(elsewhere.url())) as _])
    {
        let server = AuthServer::start(reply).await;
        let authenticator = at(&server);
        let result = opens(&authenticator, &token).await;
        assert_eq!(result, Err(AuthError::Unavailable));
    }
    assert_eq!(elsewhere.count(), 0);
    let server = AuthServer::with(&good).await;
    assert_eq!(opens(&at(&server), &token).await, Ok(()));
}

#[tokio::test]
async fn connects_while_the_endpoint_is_down_do_not_each_cause_a_request() {
    let signer = Signer::p256();
    let server = AuthServer::start(always(500, String::new())).await;
    let authenticator = at(&server);
    let token = signer.sign_as("1", &claims("acme"));
    let began = Instant::now();
    until("it is asked for the third time", async || {
        for _ in 0..100 {
            let result = opens(&authenticator, &token).await;
            assert_eq!(result, Err(AuthError::Unavailable));
        }
        server.count() >= 3
    })
    .await;
    // A pause of one second, and one of two: no agent shortens them.
    assert!(began.elapsed() >= Duration::from_secs(3));
    // What needs no key set is judged all the same.
    let hs256 = crate::harness::sign(&claims("acme"));
    assert_eq!(opens(&authenticator, &hs256).await, Err(AuthError::Invalid));
    assert_eq!(opens(&authenticator, "x").await, Err(AuthError::Invalid));
}

#[tokio::test(start_paused = true)]
async fn a_key_set_file_is_reloaded_every_ten_minutes_and_for_an_unknown_kid_once_a_minute() {
    let [a, b, c] = [Signer::p256(), Signer::p256(), Signer::p256()];
    let by = |signer: &Signer, name| signer.sign_as(name, &claims("acme"));
    let (by_a, by_b, by_c) = (by(&a, "a"), by(&b, "b"), by(&c, "c"));
    let file = SetFile::new(&[a.jwk("a")]);
    let authenticator = file.authenticator();
    assert_eq!(opens(&authenticator, &by_a).await, Ok(()));
    file.write(&[a.jwk("a"), b.jwk("b")]);
    assert_eq!(opens(&authenticator, &by_b).await, Ok(()));
    // Asked a moment ago.
    file.write(&[a.jwk("a"), c.jwk("c")]);
    assert_eq!(opens(&authenticator, &by_c).await, Err(AuthError::Invalid));
    sleep(Duration::from_secs(59)).await;
    assert_eq!(opens(&authenticator, &by_c).await, Err(AuthError::Invalid));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(opens(&authenticator, &by_c).await, Ok(()));
    // A key that is withdrawn is known until the set is loaded again.
    file.write(&[c.jwk("c")]);
    sleep(Duration::from_secs(599)).await;
    assert_eq!(opens(&authenticator, &by_a).await, Ok(()));
    sleep(Duration::from_secs(2)).await;
    until("the file is read again", async || {
        opens(&authenticator, &by_a).await == Err(AuthError::Invalid)
    })
    .await;
    // While it is away, its last keys stay in use, and nobody can tell about others.
    std::fs::remove_file(&file.0).unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        opens(&authenticator, &by_b).await,
        Err(AuthError::Unavailable)
    );
    assert_eq!(opens(&authenticator, &by_c).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_key_set_file_created_later_is_loaded() {
    let signer = Signer::p256();
    let token = signer.sign_as("1", &claims("acme"));
    let file = SetFile::new(&[]);
    std::fs::remove_file(&file.0).unwrap();
    let authenticator = file.authenticator();
    let result = opens(&authenticator, &token).await;
    assert_eq!(result, Err(AuthError::Unavailable));
    // However long it takes, the pauses between attempts do not become longer than a minute.
    sleep(Duration::from_secs(3600)).await;
    file.write(&[signer.jwk("1")]);
    sleep(Duration::from_secs(60)).await;
    until("the file is found", async || {
        opens(&authenticator, &token).await == Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_program_starts_without_its_key_set_and_accepts_tokens_once_it_is_available() {
    let broker = Broker::new().await;
    let signer = Signer::p256();
    let server = AuthServer::start(always(502, String::new())).await;
    let url = server.url();
    let variables = [("JWT_JWKS_URL", &*url), ("JWT_SECRET", "")];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let token = signer.sign_as("1", &claims("acme"));
    let refused = Received::Refused("Service unavailable".to_owned());
    assert_eq!(gateway.enter(&token).await.next().await, refused);
    server.set(ok(&set(&[signer.jwk("1")])));
    until("the key set is loaded", async || {
        matches!(
            gateway.enter(&token).await.next().await,
            Received::Connected(_)
        )
    })
    .await;
    gateway.logs("the key set cannot be loaded").await;
    let log = gateway.log().join("\n");
    assert!(!log.contains("hidden"), "{log}");
}
