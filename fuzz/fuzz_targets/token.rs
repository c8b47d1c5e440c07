//! Tokens, the first thing that a connect hands in: any text, and any claims under a good signature.

#![no_main]

use std::sync::LazyLock;

use agent_gateway::auth::{Agent, AuthError, Authenticator, Grant, Key, Settings};
use agent_gateway::conversation::{ConversationKey, Id};
use futures_util::FutureExt as _;
use jsonwebtoken::{EncodingKey, Header};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

const SECRET: &str = "a secret for fuzzing, of 32 bytes or more";

/// Nobody has the private one.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWI=
-----END PUBLIC KEY-----";

static AUTHENTICATOR: LazyLock<Authenticator> = LazyLock::new(|| {
    Authenticator::new(Settings {
        secrets: vec![SECRET.to_owned()],
        public_key: Some(Key::from_pem(PUBLIC_KEY).expect("it is a key")),
        ..Settings::default()
    })
    .expect("it needs no client")
});

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    // Nobody guesses a signature.
    assert!(authenticate(text).is_err(), "{text}");
    let Ok(Value::Object(mut claims)) = serde_json::from_str(text) else {
        return;
    };
    signed(&claims);
    // Most inputs fail for want of these.
    for (name, value) in [
        ("sub", json!("agent-1")),
        ("tenantId", json!("acme")),
        ("exp", json!(4_102_444_800_u64)),
    ] {
        claims.entry(name).or_insert(value);
    }
    signed(&claims);
});

fn signed(claims: &Map<String, Value>) {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let Ok(token) = jsonwebtoken::encode(&Header::default(), claims, &key) else {
        return;
    };
    let Ok(agent) = authenticate(&token) else {
        return;
    };
    for (name, id) in [("sub", &agent.id), ("tenantId", &agent.tenant)] {
        let says = match claims.get(name) {
            Some(Value::String(text)) => text == id,
            // An integer counts by its digits.
            Some(Value::Number(number)) => number.to_string() == *id && !id.contains(['.', 'e']),
            _ => false,
        };
        assert!(says, "{claims:?}");
    }
    assert!(
        claims.get("exp").is_some_and(Value::is_number),
        "{claims:?}"
    );
    let all = matches!(claims.get("conversations"), None | Some(Value::Null))
        || claims.get("conversations") == Some(&json!("*"));
    assert_eq!(agent.grant == Grant::All, all, "{claims:?}");
    let (Ok(tenant), Ok(conversation)) = (Id::parse("another"), Id::parse("c-1")) else {
        return;
    };
    let elsewhere = ConversationKey {
        tenant,
        conversation,
    };
    assert!(agent.tenant == "another" || !agent.may_follow(&elsewhere));
}

fn authenticate(token: &str) -> Result<Agent, AuthError> {
    // Checking a signature waits for nobody.
    AUTHENTICATOR.authenticate(token).now_or_never().unwrap()
}
