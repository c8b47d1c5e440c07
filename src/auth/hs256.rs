//! HMAC SHA-256: whoever can check these tokens can issue them, this program included.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value};

use super::Settings;
use super::claims::Rules;
use super::key::Key;

/// Checks and issues tokens.
#[derive(Debug)]
pub struct Hs256 {
    keys: Vec<Key>,
    signing: Option<EncodingKey>,
    rules: Rules,
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
    /// Takes the secrets in.
    pub fn new(settings: Settings) -> Self {
        let signing = settings.secrets.first();
        Self {
            keys: settings
                .secrets
                .iter()
                .map(|secret| Key::secret(secret))
                .collect(),
            signing: signing.map(|secret| EncodingKey::from_secret(secret.as_bytes())),
            rules: settings.rules,
        }
    }

    /// The claims of a token that one of the secrets has signed, not yet judged.
    pub(super) fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        self.keys.iter().find_map(|key| key.claims(token))
    }

    /// Whether there is any secret.
    pub(super) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Signs a token with the first secret; `None` when none is configured.
    ///
    /// # Errors
    /// As the library reports them.
    pub fn issue(&self, new: NewToken) -> jsonwebtoken::errors::Result<Option<String>> {
        let Some(key) = &self.signing else {
            return Ok(None);
        };
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), new.agent.into());
        claims.insert(self.rules.tenant_claim.clone(), new.tenant.into());
        claims.insert("exp".to_owned(), new.expires_at.into());
        let optional = [
            ("name", new.name.map(Value::from)),
            ("iss", self.rules.issuer.clone().map(Value::from)),
            ("aud", self.rules.audience.clone().map(Value::from)),
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
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, key).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn hs256(secrets: &[&str]) -> Hs256 {
        Hs256::new(Settings {
            secrets: secrets.iter().map(ToString::to_string).collect(),
            ..Settings::default()
        })
    }

    fn sign(algorithm: Algorithm, secret: &str) -> String {
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), &json!({"sub": "agent-1"}), &key).unwrap()
    }

    #[test]
    fn only_hs256_with_a_configured_secret_opens() {
        let verifier = hs256(&[SECRET]);
        let good = sign(Algorithm::HS256, SECRET);
        assert_eq!(verifier.claims(&good).unwrap()["sub"], "agent-1");
        let another = "another key, also of 32 bytes or more";
        assert_eq!(verifier.claims(&sign(Algorithm::HS256, another)), None);
        assert_eq!(verifier.claims(&sign(Algorithm::HS512, SECRET)), None);
        // {"alg":"none"} with an empty signature
        let payload = good.split('.').nth(1).unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
        assert_eq!(verifier.claims(&unsigned), None);
        for garbage in ["", "x", "a.b.c", "....", &"x".repeat(10_000)] {
            assert_eq!(verifier.claims(garbage), None);
        }
    }

    #[test]
    fn the_previous_secret_still_opens_and_no_longer_signs() {
        let rotated = hs256(&["the new key, of 32 bytes or more.", SECRET]);
        assert!(rotated.claims(&sign(Algorithm::HS256, SECRET)).is_some());
        let issued = rotated
            .issue(NewToken {
                agent: "agent-7".to_owned(),
                name: Some("Ada".to_owned()),
                tenant: "acme".to_owned(),
                conversations: vec!["c-1".to_owned()],
                expires_at: 7,
            })
            .unwrap()
            .unwrap();
        assert_eq!(hs256(&[SECRET]).claims(&issued), None);
        let claims = rotated.claims(&issued).unwrap();
        assert_eq!(
            Value::from(claims),
            json!({
                "sub": "agent-7", "name": "Ada", "tenantId": "acme", "exp": 7,
                "conversations": ["c-1"],
            })
        );
    }
}
