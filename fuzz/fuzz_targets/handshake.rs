//! What a client says when it connects: a namespace, the query of its first request, and `auth`.

#![no_main]

use std::sync::LazyLock;

use agent_gateway::auth::{Authenticator, Hs256, NewToken, Settings};
use agent_gateway::conversation::{Id, Join};
use agent_gateway::socketio::handshake::{ConnectError, admit};
use futures_util::FutureExt as _;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static HS256: LazyLock<Settings> = LazyLock::new(|| Settings {
    secrets: vec!["a secret for fuzzing, of 32 bytes or more".to_owned()],
    ..Settings::default()
});

static AUTHENTICATOR: LazyLock<Authenticator> =
    LazyLock::new(|| Authenticator::new(HS256.clone()).expect("it needs no client"));

/// Opens the tenant `acme`.
static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let token = Hs256::new(HS256.clone()).issue(NewToken {
        agent: "agent-1".to_owned(),
        name: None,
        tenant: "acme".to_owned(),
        conversations: Vec::new(),
        expires_at: 4_102_444_800,
    });
    token.expect("it can be signed").expect("there is a secret")
});

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut lines = text.splitn(3, '\n');
    let (namespace, query) = (lines.next().unwrap_or("/"), lines.next());
    let mut auth = lines
        .next()
        .and_then(|auth| serde_json::from_str(auth).ok())
        .unwrap_or(Value::Null);

    let refused = connect(namespace, query, &auth).expect_err("no token was given that is good");
    assert!(
        matches!(
            refused,
            ConnectError::AuthenticationRequired | ConnectError::InvalidToken
        ),
        "{refused}"
    );
    let Some(fields) = auth.as_object_mut() else {
        return;
    };
    fields.insert("token".to_owned(), TOKEN.as_str().into());
    match connect(namespace, query, &auth) {
        Ok(join) => {
            let cursor = auth.get("cursor").filter(|cursor| !cursor.is_null());
            match join {
                Join::Fresh { .. } => assert!(cursor.is_none()),
                Join::Resume(read) => assert_eq!(cursor, Some(&Value::from(read.to_string()))),
                Join::Unknown => assert!(cursor.is_some()),
            }
        }
        Err(refused) => assert!(
            matches!(refused, ConnectError::InvalidConversation | ConnectError::Forbidden),
            "{refused}"
        ),
    }
});

/// How the connect joins, if it is let in.
fn connect(namespace: &str, query: Option<&str>, auth: &Value) -> Result<Join, ConnectError> {
    let admission = admit(&AUTHENTICATOR, namespace, query, auth)
        .now_or_never()
        .expect("nothing is waited for")?;
    let key = &admission.key;
    assert_eq!(key.tenant.as_str(), "acme");
    assert!(Id::parse(key.conversation.as_str()).is_ok());
    if namespace != "/" {
        assert_eq!(namespace, format!("/tenant/acme/conv/{}", key.conversation));
    }
    Ok(admission.join)
}
