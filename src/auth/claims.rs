//! What a token says, and what it has to say: the same for a signed token and for an answer of the
//! auth service.

use serde_json::{Map, Value};
use tracing::debug;

use super::AuthError;
use super::agent::{Agent, Grant};

/// Which claims are accepted.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What `iss` must be, if anything.
    pub issuer: Option<String>,
    /// What `aud` must be or hold, if anything.
    pub audience: Option<String>,
    /// How far clocks may differ, in seconds.
    pub leeway: u32,
    /// The claim that holds the tenant's id.
    pub tenant_claim: String,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            leeway: 5,
            tenant_claim: "tenantId".to_owned(),
        }
    }
}

impl Rules {
    /// The agent that the claims describe at `now`, in Unix seconds.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] before [`AuthError::Expired`]: only a token that was good before
    /// is worth renewing.
    pub(super) fn agent(&self, claims: &Map<String, Value>, now: i64) -> Result<Agent, AuthError> {
        let claims = Claims(claims);
        let leeway = i64::from(self.leeway);
        let agent = Agent {
            id: claims.required("sub")?,
            // Only shown: whatever it is, it does not make the token worse.
            name: claims.text("name").unwrap_or_default(),
            tenant: claims.required(&self.tenant_claim)?,
            grant: claims.grant()?,
            expires_at: claims
                .time("exp")?
                .ok_or_else(|| refused("exp"))?
                .saturating_add(leeway),
        };
        for (name, expected) in [("iss", &self.issuer), ("aud", &self.audience)] {
            if let Some(expected) = expected
                && !claims.names(name, expected)
            {
                return Err(refused(name));
            }
        }
        if let Some(not_before) = claims.time("nbf")?
            && not_before > now.saturating_add(leeway)
        {
            return Err(refused("nbf"));
        }
        if agent.expires_at <= now {
            return Err(AuthError::Expired);
        }
        Ok(agent)
    }
}

/// An operator who wonders about refused tokens learns the claim's name, and nothing of its value.
fn refused(claim: &str) -> AuthError {
    debug!(
        claim,
        "a token is refused: the claim is missing or not what it must be"
    );
    AuthError::Invalid
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
            Some(_) => Err(refused(name)),
        }
    }

    fn required(&self, name: &str) -> Result<String, AuthError> {
        self.text(name)?.ok_or_else(|| refused(name))
    }

    /// A NumericDate (RFC 7519, section 2), which may have a fraction.
    fn time(&self, name: &str) -> Result<Option<i64>, AuthError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match (value.as_i64(), value.as_f64()) {
                (Some(seconds), _) => Ok(Some(seconds)),
                (None, Some(seconds)) => Ok(Some(seconds as i64)),
                (None, None) => Err(refused(name)),
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
                .ok_or_else(|| refused("conversations")),
            Some(_) => Err(refused("conversations")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn read(rules: &Rules, claims: &Value) -> Result<Agent, AuthError> {
        rules.agent(claims.as_object().unwrap(), NOW)
    }

    fn claims() -> Value {
        json!({"sub": "agent-1", "tenantId": "acme", "exp": NOW + 60})
    }

    fn with(name: &str, value: Value) -> Result<Agent, AuthError> {
        let mut claims = claims();
        claims[name] = value;
        read(&Rules::default(), &claims)
    }

    #[test]
    fn good_claims_become_an_agent() {
        let agent = read(&Rules::default(), &claims()).unwrap();
        assert_eq!(
            (agent.id.as_str(), agent.tenant.as_str()),
            ("agent-1", "acme")
        );
        assert_eq!(agent.grant, Grant::All);
        assert_eq!(agent.expires_at, NOW + 65);
        let narrow = with("conversations", json!(["c-1"])).unwrap();
        assert_eq!(narrow.grant, Grant::Only(["c-1".to_owned()].into()));
    }

    #[test]
    fn what_is_missing_or_of_the_wrong_type_makes_a_token_invalid() {
        for name in ["sub", "tenantId", "exp"] {
            for value in [Value::Null, json!([1]), json!({})] {
                assert_eq!(with(name, value), Err(AuthError::Invalid), "{name}");
            }
        }
        for value in [json!("c-1"), json!([1]), json!({}), json!(true)] {
            assert_eq!(with("conversations", value), Err(AuthError::Invalid));
        }
        assert_eq!(with("nbf", json!(NOW + 6)), Err(AuthError::Invalid));
        assert!(with("nbf", json!(NOW + 5)).is_ok());
    }

    #[test]
    fn a_token_expires_at_exp_plus_the_leeway() {
        assert!(with("exp", json!(NOW - 4)).is_ok());
        for expired in [json!(NOW - 5), json!(NOW as f64 - 9.5)] {
            assert_eq!(with("exp", expired), Err(AuthError::Expired));
        }
    }

    #[test]
    fn issuer_and_audience_are_checked_when_set_and_before_the_expiry() {
        let strict = Rules {
            issuer: Some("portal".to_owned()),
            audience: Some("gateway".to_owned()),
            ..Rules::default()
        };
        let mut good = claims();
        good["iss"] = json!("portal");
        good["aud"] = json!(["x", "gateway"]);
        assert!(read(&strict, &good).is_ok());
        for (name, value) in [
            ("iss", json!("another")),
            ("iss", Value::Null),
            ("aud", json!("another")),
            ("aud", json!(["x"])),
            ("aud", Value::Null),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            bad["exp"] = json!(1);
            assert_eq!(read(&strict, &bad), Err(AuthError::Invalid), "{bad}");
        }
    }

    #[test]
    fn the_tenant_is_in_the_claim_that_is_configured() {
        let rules = Rules {
            tenant_claim: "https://example.com/tenant".to_owned(),
            ..Rules::default()
        };
        assert_eq!(read(&rules, &claims()), Err(AuthError::Invalid));
        let mut elsewhere = claims();
        elsewhere["https://example.com/tenant"] = json!("other");
        assert_eq!(read(&rules, &elsewhere).unwrap().tenant, "other");
    }
}
