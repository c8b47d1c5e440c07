//! JSON Web Tokens (RFC 7519), signed with HMAC SHA-256.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value};

use super::AuthError;
use super::agent::{Agent, Grant};

/// How tokens are checked.
#[derive(Clone)]
pub struct Settings {
    /// HS256 keys, the current one first; each of [`Settings::MIN_SECRET`] bytes at least.
    pub secrets: Vec<String>,
    /// What `iss` must be, if anything.
    pub issuer: Option<String>,
    /// What `aud` must be or hold, if anything.
    pub audience: Option<String>,
    /// How far clocks may differ, in seconds.
    pub leeway: u32,
    /// The claim that holds the tenant's id.
    pub tenant_claim: String,
}

impl Settings {
    /// The shortest HS256 key, in bytes: as long as the hash (RFC 7518, section 3.2).
    pub const MIN_SECRET: usize = 32;
}

impl fmt::Debug for Settings {
    // Secrets appear in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("secrets", &self.secrets.len())
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("leeway", &self.leeway)
            .field("tenant_claim", &self.tenant_claim)
            .finish()
    }
}

/// Checks HS256 tokens.
pub struct Hs256 {
    settings: Settings,
    keys: Vec<DecodingKey>,
    validation: Validation,
}

impl fmt::Debug for Hs256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hs256").field(&self.settings).finish()
    }
}

/// What a new token is to say.
#[derive(Debug)]
pub struct NewToken {
    /// `sub`
    pub agent: String,
    /// `name`
    pub name: Option<String>,
    /// The tenant's claim.
    pub tenant: String,
    /// `conversations`; none: all of the tenant's.
    pub conversations: Vec<String>,
    /// `exp`, in Unix seconds.
    pub expires_at: i64,
}

impl Hs256 {
    /// Takes the keys in.
    pub fn new(settings: Settings) -> Self {
        // The algorithm comes from the key, never from the token. The claims are checked below,
        // in the order that decides which error a client sees.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let keys = settings
            .secrets
            .iter()
            .map(|secret| DecodingKey::from_secret(secret.as_bytes()))
            .collect();
        Self {
            settings,
            keys,
            validation,
        }
    }

    /// The agent that the token speaks for at `now`, in Unix seconds.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] before [`AuthError::Expired`]: only a token that was good before
    /// is worth renewing.
    pub fn verify(&self, token: &str, now: i64) -> Result<Agent, AuthError> {
        let claims = self
            .keys
            .iter()
            .find_map(|key| {
                jsonwebtoken::decode::<Map<String, Value>>(token, key, &self.validation).ok()
            })
            .ok_or(AuthError::Invalid)?
            .claims;
        self.agent(&Claims(&claims), now)
    }

    fn agent(&self, claims: &Claims<'_>, now: i64) -> Result<Agent, AuthError> {
        let Settings {
            issuer,
            audience,
            leeway,
            tenant_claim,
            ..
        } = &self.settings;
        let leeway = i64::from(*leeway);
        let agent = Agent {
            id: claims.text("sub")?.ok_or(AuthError::Invalid)?,
            // Only shown: whatever it is, it does not make the token worse.
            name: claims.text("name").unwrap_or_default(),
            tenant: claims.text(tenant_claim)?.ok_or(AuthError::Invalid)?,
            grant: claims.grant()?,
            expires_at: claims
                .time("exp")?
                .ok_or(AuthError::Invalid)?
                .saturating_add(leeway),
        };
        let issued_for_us = issuer
            .as_ref()
            .is_none_or(|issuer| claims.names("iss", issuer))
            && audience
                .as_ref()
                .is_none_or(|audience| claims.names("aud", audience));
        let begun = claims
            .time("nbf")?
            .is_none_or(|not_before| not_before <= now.saturating_add(leeway));
        if !issued_for_us || !begun {
            return Err(AuthError::Invalid);
        }
        if agent.expires_at <= now {
            return Err(AuthError::Expired);
        }
        Ok(agent)
    }

    /// Signs a token with the current key; `None` when no key is configured.
    ///
    /// # Errors
    /// As the library reports them.
    pub fn issue(&self, new: NewToken) -> jsonwebtoken::errors::Result<Option<String>> {
        let Some(secret) = self.settings.secrets.first() else {
            return Ok(None);
        };
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), new.agent.into());
        claims.insert(self.settings.tenant_claim.clone(), new.tenant.into());
        claims.insert("exp".to_owned(), new.expires_at.into());
        let optional = [
            ("name", new.name.map(Value::from)),
            ("iss", self.settings.issuer.clone().map(Value::from)),
            ("aud", self.settings.audience.clone().map(Value::from)),
            (
                "conversations",
                (!new.conversations.is_empty()).then(|| new.conversations.into()),
            ),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value);
            }
        }
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map(Some)
    }
}

/// A token's claims, not yet believed. `null` is the same as absent.
struct Claims<'a>(&'a Map<String, Value>);

impl Claims<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<String>, AuthError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(AuthError::Invalid),
        }
    }

    /// A NumericDate (RFC 7519, section 2), which may have a fraction.
    fn time(&self, name: &str) -> Result<Option<i64>, AuthError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match (value.as_i64(), value.as_f64()) {
                (Some(seconds), _) => Ok(Some(seconds)),
                (None, Some(seconds)) => Ok(Some(seconds as i64)),
                (None, None) => Err(AuthError::Invalid),
            },
        }
    }

    /// Whether the claim is `expected`, or an array that holds it.
    fn names(&self, name: &str, expected: &str) -> bool {
        match self.get(name) {
            Some(Value::String(text)) => text == expected,
            Some(Value::Array(values)) => values.iter().any(|value| value == expected),
            _ => false,
        }
    }

    fn grant(&self) -> Result<Grant, AuthError> {
        match self.get("conversations") {
            None => Ok(Grant::All),
            Some(Value::String(all)) if all == "*" => Ok(Grant::All),
            Some(Value::Array(ids)) => ids
                .iter()
                .map(|id| id.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .map(Grant::Only)
                .ok_or(AuthError::Invalid),
            Some(_) => Err(AuthError::Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn settings() -> Settings {
        Settings {
            secrets: vec![SECRET.to_owned()],
            issuer: None,
            audience: None,
            leeway: 5,
            tenant_claim: "tenantId".to_owned(),
        }
    }

    fn sign(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    fn verify(settings: Settings, claims: Value) -> Result<Agent, AuthError> {
        Hs256::new(settings).verify(&sign(Algorithm::HS256, SECRET, &claims), NOW)
    }

    fn claims() -> Value {
        json!({"sub": "agent-1", "tenantId": "acme", "exp": NOW + 60})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    #[test]
    fn a_good_token_becomes_an_agent() {
        let agent = verify(settings(), claims()).unwrap();
        assert_eq!(
            (agent.id.as_str(), agent.tenant.as_str()),
            ("agent-1", "acme")
        );
        assert_eq!(agent.grant, Grant::All);
        assert_eq!(agent.expires_at, NOW + 65);
    }

    #[test]
    fn what_is_missing_or_of_the_wrong_type_makes_a_token_invalid() {
        for name in ["sub", "tenantId", "exp"] {
            for value in [Value::Null, json!([1]), json!({})] {
                assert_eq!(
                    verify(settings(), with(name, value)),
                    Err(AuthError::Invalid),
                    "{name}"
                );
            }
        }
        for value in [json!("c-1"), json!([1]), json!({}), json!(true)] {
            let result = verify(settings(), with("conversations", value));
            assert_eq!(result, Err(AuthError::Invalid));
        }
        assert_eq!(
            verify(settings(), with("nbf", json!(NOW + 6))),
            Err(AuthError::Invalid)
        );
        assert!(verify(settings(), with("nbf", json!(NOW + 5))).is_ok());
    }

    #[test]
    fn a_token_expires_at_exp_plus_the_leeway() {
        assert!(verify(settings(), with("exp", json!(NOW - 4))).is_ok());
        assert_eq!(
            verify(settings(), with("exp", json!(NOW - 5))),
            Err(AuthError::Expired)
        );
        assert_eq!(
            verify(settings(), with("exp", json!(NOW as f64 - 9.5))),
            Err(AuthError::Expired)
        );
    }

    #[test]
    fn issuer_and_audience_are_checked_when_set_and_before_the_expiry() {
        let strict = || Settings {
            issuer: Some("portal".to_owned()),
            audience: Some("gateway".to_owned()),
            ..settings()
        };
        let good = json!({"sub": "a", "tenantId": "t", "exp": NOW + 1, "iss": "portal", "aud": ["x", "gateway"]});
        assert!(verify(strict(), good).is_ok());
        assert_eq!(verify(strict(), claims()), Err(AuthError::Invalid));
        assert_eq!(
            verify(strict(), with("exp", json!(1))),
            Err(AuthError::Invalid)
        );
    }

    #[test]
    fn only_hs256_with_a_configured_key_opens() {
        let verifier = Hs256::new(settings());
        let other_key = sign(
            Algorithm::HS256,
            "another key, also of 32 bytes or more",
            &claims(),
        );
        assert_eq!(verifier.verify(&other_key, NOW), Err(AuthError::Invalid));
        let other_algorithm = sign(Algorithm::HS512, SECRET, &claims());
        assert_eq!(
            verifier.verify(&other_algorithm, NOW),
            Err(AuthError::Invalid)
        );
        // {"alg":"none"} with an empty signature
        let claims = sign(Algorithm::HS256, SECRET, &claims());
        let payload = claims.split('.').nth(1).unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
        assert_eq!(verifier.verify(&unsigned, NOW), Err(AuthError::Invalid));
        for garbage in ["", "x", "a.b.c", "....", &"x".repeat(10_000)] {
            assert_eq!(verifier.verify(garbage, NOW), Err(AuthError::Invalid));
        }
    }

    #[test]
    fn the_previous_key_still_opens() {
        let rotated = Settings {
            secrets: vec![
                "the new key, of 32 bytes or more.".to_owned(),
                SECRET.to_owned(),
            ],
            ..settings()
        };
        assert!(verify(rotated, claims()).is_ok());
    }

    #[test]
    fn an_issued_token_grants_what_was_asked_for() {
        let verifier = Hs256::new(settings());
        let token = verifier.issue(NewToken {
            agent: "agent-7".to_owned(),
            name: Some("Ada".to_owned()),
            tenant: "acme".to_owned(),
            conversations: vec!["c-1".to_owned()],
            expires_at: NOW + 10,
        });
        let agent = verifier.verify(&token.unwrap().unwrap(), NOW).unwrap();
        assert_eq!(agent.name.as_deref(), Some("Ada"));
        assert_eq!(agent.grant, Grant::Only(["c-1".to_owned()].into()));
    }
}
