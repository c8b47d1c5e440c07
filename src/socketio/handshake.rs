//! The handshake: what a client sends when it connects, and whether it is admitted.

use std::time::Instant;

use serde_json::Value;
use url::form_urlencoded;

use crate::auth::{Agent, AuthError, Authenticator};
use crate::conversation::{ConversationKey, Cursor, Id, Join};

/// The messages of `connect_error`, on which clients branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ConnectError {
    /// There is no token.
    #[error("Authentication required")]
    AuthenticationRequired,
    /// It was never good.
    #[error("Invalid token")]
    InvalidToken,
    /// It was good once.
    #[error("Token expired")]
    TokenExpired,
    /// An id is missing or malformed.
    #[error("Invalid conversation")]
    InvalidConversation,
    /// The token does not open the conversation.
    #[error("Forbidden")]
    Forbidden,
    /// The connection, its address or all together have as many as they may.
    #[error("Too many connections")]
    TooManyConnections,
    /// The auth service or key set is unreachable, or the gateway is shutting down.
    #[error("Service unavailable")]
    ServiceUnavailable,
}

impl From<AuthError> for ConnectError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Invalid => Self::InvalidToken,
            AuthError::Expired => Self::TokenExpired,
            AuthError::Unavailable => Self::ServiceUnavailable,
        }
    }
}

/// A granted connect.
#[derive(Debug)]
pub struct Admission {
    /// Who it is.
    pub agent: Agent,
    /// What it follows.
    pub key: ConversationKey,
    /// From where.
    pub join: Join,
    /// When it was asked for: a disconnect since then may not have been known when it was granted.
    pub since: Instant,
}

/// Checks a connect to `namespace`, in the contract's order: token there, token valid, ids, grant.
/// `query` is that of the handshake's request, `auth` what the CONNECT packet carries.
///
/// # Errors
/// The first thing that is wrong.
pub async fn admit(
    authenticator: &Authenticator,
    namespace: &str,
    query: Option<&str>,
    auth: &Value,
) -> Result<Admission, ConnectError> {
    let since = Instant::now();
    let agent = authenticate(authenticator, auth).await?;
    let key = key(namespace, query, auth).ok_or(ConnectError::InvalidConversation)?;
    if !agent.may_follow(&key) {
        return Err(ConnectError::Forbidden);
    }
    let join = join(auth);
    Ok(Admission {
        agent,
        key,
        join,
        since,
    })
}

/// Who the token in `data` speaks for.
///
/// # Errors
/// That it is not there, or what is wrong with it.
pub(super) async fn authenticate(
    authenticator: &Authenticator,
    data: &Value,
) -> Result<Agent, ConnectError> {
    let token = match data.get("token") {
        None | Some(Value::Null) => return Err(ConnectError::AuthenticationRequired),
        Some(Value::String(token)) if token.is_empty() => {
            return Err(ConnectError::AuthenticationRequired);
        }
        Some(Value::String(token)) => token,
        Some(_) => return Err(ConnectError::InvalidToken),
    };
    Ok(authenticator.authenticate(token).await?)
}

/// The conversation that a connect names, in either way.
fn key(namespace: &str, query: Option<&str>, auth: &Value) -> Option<ConversationKey> {
    let conversation = match path(namespace) {
        Some((_, conversation)) => Id::parse(conversation).ok()?,
        None if namespace == "/" => id(auth, query, "conversationId")?,
        None => return None,
    };
    Some(ConversationKey {
        tenant: tenant(namespace, query, auth)?,
        conversation,
    })
}

/// The tenant that a connect names, in either way, if that is an id.
pub(super) fn tenant(namespace: &str, query: Option<&str>, auth: &Value) -> Option<Id> {
    match path(namespace) {
        Some((tenant, _)) => Id::parse(tenant).ok(),
        None if namespace == "/" => id(auth, query, "tenantId"),
        None => None,
    }
}

fn path(namespace: &str) -> Option<(&str, &str)> {
    namespace.strip_prefix("/tenant/")?.split_once("/conv/")
}

/// An id from `auth`, which wins, or from the handshake's query.
fn id(auth: &Value, query: Option<&str>, name: &str) -> Option<Id> {
    match auth.get(name) {
        Some(Value::String(text)) => Id::parse(text).ok(),
        None | Some(Value::Null) => {
            let pairs = form_urlencoded::parse(query?.as_bytes());
            let mut values = pairs.filter(|(key, _)| key == name).map(|(_, value)| value);
            let value = values.next()?;
            // Twice the same name: which one a proxy or a log believes is anybody's guess.
            values.next().is_none().then(|| Id::parse(&value).ok())?
        }
        Some(_) => None,
    }
}

fn join(auth: &Value) -> Join {
    match auth.get("cursor") {
        None | Some(Value::Null) => Join::Fresh {
            replay: auth.get("replay") != Some(&Value::Bool(false)),
        },
        Some(Value::String(text)) => Cursor::parse(text).map_or(Join::Unknown, Join::Resume),
        Some(_) => Join::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn names(namespace: &str, query: &str, auth: &Value) -> Option<(String, String)> {
        key(namespace, Some(query), auth)
            .map(|key| (key.tenant.to_string(), key.conversation.to_string()))
    }

    #[test]
    fn the_root_namespace_takes_ids_from_the_query_unless_auth_has_them() {
        let acme = Some(("acme".to_owned(), "c+1".to_owned()));
        let query = "EIO=4&transport=websocket&tenantId=acme&conversationId=c%2B1";
        assert_eq!(names("/", query, &json!({})), acme);
        let auth = json!({"tenantId": "acme", "conversationId": "c+1"});
        assert_eq!(names("/", "tenantId=other&conversationId=x", &auth), acme);
        assert_eq!(names("/", "EIO=4", &auth), acme);
        let half = json!({"conversationId": "c+1"});
        assert_eq!(names("/", "tenantId=acme&conversationId=x", &half), acme);
    }

    #[test]
    fn the_root_namespace_refuses_ids_that_are_missing_malformed_or_ambiguous() {
        for (query, auth) in [
            ("", json!({})),
            ("tenantId=acme", json!({})),
            ("tenantId=acme&conversationId=", json!({})),
            ("tenantId=acme&conversationId=a%2Fb", json!({})),
            ("tenantId=acme&conversationId=a&conversationId=b", json!({})),
            ("tenantId=acme&conversationId=a", json!({"tenantId": 7})),
            ("tenantId=acme&conversationId=a", json!({"tenantId": ""})),
        ] {
            assert_eq!(names("/", query, &auth), None, "{query} {auth}");
        }
    }

    #[test]
    fn a_conversation_namespace_takes_ids_from_the_path_alone() {
        let auth = json!({"tenantId": "other", "conversationId": "other"});
        let query = "tenantId=other&conversationId=other";
        let acme = Some(("acme".to_owned(), "c-1".to_owned()));
        assert_eq!(names("/tenant/acme/conv/c-1", query, &auth), acme);
        for namespace in [
            "/tenant/acme/conv/",
            "/tenant//conv/c",
            "/tenant/a b/conv/c",
            "/tenant/acme/conv/c/d",
            "/tenant/acme/conv/a/conv/b",
        ] {
            assert_eq!(names(namespace, query, &auth), None, "{namespace}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_only_well_formed_ids_name_a_conversation(
            namespace in "(/|/tenant/.{0,20}/conv/.{0,20}|.{0,40})",
            query in "((tenantId|conversationId|x)=.{0,12}&){0,4}",
            tenant in proptest::option::of(".{0,12}"),
            cursor in proptest::option::of(".{0,140}"),
        ) {
            let auth = json!({"tenantId": tenant, "cursor": cursor});
            if let Some(key) = key(&namespace, Some(&query), &auth) {
                prop_assert!(Id::parse(key.tenant.as_str()).is_ok());
                prop_assert!(Id::parse(key.conversation.as_str()).is_ok());
                let path = format!("/tenant/{}/conv/{}", key.tenant, key.conversation);
                prop_assert!(namespace == "/" || namespace == path);
            }
            match (join(&auth), cursor) {
                (Join::Fresh { .. }, cursor) => prop_assert_eq!(cursor, None),
                (Join::Resume(read), Some(cursor)) => prop_assert_eq!(read.to_string(), cursor),
                (Join::Resume(_), None) => prop_assert!(false, "a cursor out of nothing"),
                (Join::Unknown, cursor) => prop_assert!(cursor.is_some()),
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_not_taken_for_a_fresh_join() {
        assert_eq!(join(&json!({})), Join::Fresh { replay: true });
        assert_eq!(
            join(&json!({"cursor": null, "replay": false})),
            Join::Fresh { replay: false }
        );
        for cursor in [json!(""), json!("x"), json!(7), json!([])] {
            assert_eq!(join(&json!({"cursor": cursor})), Join::Unknown);
        }
    }
}
