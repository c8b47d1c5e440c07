//! What a token says, and what it has to say: the same for a signed token and for an answer of the
//! auth service.

use serde_json::{Map, Value};

use super::agent::{Agent, Grant};
use super::rejection::{TokenDefect, TokenError, TokenRejection};

/// From here on, a time is in milliseconds, in Unix time: in seconds it would be the year 5138.
pub const MILLISECONDS: i64 = 100_000_000_000;

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
    /// [`TokenError::Rejected`] before [`TokenError::Expired`]: only a token that was good before is worth
    /// renewing.
    pub(super) fn agent(&self, claims: &Map<String, Value>, now: i64) -> Result<Agent, TokenError> {
        let claims = Claims(claims);
        let leeway = i64::from(self.leeway);
        let agent = Agent {
            id: claims.id("sub")?,
            name: claims.name(),
            tenant: claims.id(&self.tenant_claim)?,
            grant: claims.grant()?,
            expires_at: claims
                .time("exp")?
                .ok_or_else(|| refused(TokenDefect::Missing, "exp"))?
                .saturating_add(leeway),
        };
        for (name, expected) in [("iss", &self.issuer), ("aud", &self.audience)] {
            if let Some(expected) = expected
                && !claims.names(name, expected)
            {
                return Err(refused(TokenDefect::Another, name));
            }
        }
        if let Some(not_before) = claims.time("nbf")?
            && not_before > now.saturating_add(leeway)
        {
            return Err(refused(TokenDefect::NotYet, "nbf"));
        }
        if agent.expires_at <= now {
            return Err(TokenError::Expired);
        }
        Ok(agent)
    }
}

fn refused(reason: TokenDefect, claim: &str) -> TokenError {
    TokenError::Rejected(TokenRejection::of(reason, claim))
}

/// A token's claims, not yet believed. `null` is the same as absent.
struct Claims<'a>(&'a Map<String, Value>);

impl Claims<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Only shown: whatever it is, it does not make the token worse.
    fn name(&self) -> Option<String> {
        let name = self.get("name")?.as_str()?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn id(&self, name: &str) -> Result<String, TokenError> {
        let value = self
            .get(name)
            .ok_or_else(|| refused(TokenDefect::Missing, name))?;
        match id(value) {
            Ok(id) if id.is_empty() => Err(refused(TokenDefect::Missing, name)),
            Ok(id) => Ok(id),
            Err(reason) => Err(refused(reason, name)),
        }
    }

    /// A NumericDate (RFC 7519, section 2), which may have a fraction.
    fn time(&self, name: &str) -> Result<Option<i64>, TokenError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let seconds = match (value.as_i64(), value.as_f64()) {
            (Some(seconds), _) => seconds,
            (None, Some(seconds)) => seconds as i64,
            (None, None) => return Err(refused(TokenDefect::NoTime, name)),
        };
        if seconds >= MILLISECONDS {
            return Err(refused(TokenDefect::Milliseconds, name));
        }
        Ok(Some(seconds))
    }

    /// Whether the claim is `expected`, or an array that holds it.
    fn names(&self, name: &str, expected: &str) -> bool {
        match self.get(name) {
            Some(Value::String(text)) => text == expected,
            Some(Value::Array(values)) => values.iter().any(|value| value == expected),
            _ => false,
        }
    }

    fn grant(&self) -> Result<Grant, TokenError> {
        const NAME: &str = "conversations";
        match self.get(NAME) {
            None => Ok(Grant::All),
            Some(Value::String(all)) if all == "*" => Ok(Grant::All),
            Some(Value::Array(ids)) => ids
                .iter()
                .map(id)
                .collect::<Result<_, _>>()
                .map(Grant::Only)
                .map_err(|reason| refused(reason, NAME)),
            Some(_) => Err(refused(TokenDefect::NoList, NAME)),
        }
    }
}

/// An id, for which an integer's decimal digits count as well: many databases number what they have.
fn id(value: &Value) -> Result<String, TokenDefect> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        Value::Number(_) => Err(TokenDefect::Fraction),
        _ => Err(TokenDefect::NoId),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::AuthError;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn read(rules: &Rules, claims: &Value) -> Result<Agent, AuthError> {
        let agent = rules.agent(claims.as_object().unwrap(), NOW);
        agent.map_err(AuthError::from)
    }

    /// Why a token with this claim is refused, and which claim is said to be the reason.
    fn rejected(name: &str, value: Value) -> (TokenDefect, Option<String>) {
        let mut claims = claims();
        claims[name] = value;
        match Rules::default().agent(claims.as_object().unwrap(), NOW) {
            Err(TokenError::Rejected(rejection)) => (rejection.reason, rejection.claim),
            other => panic!("{name}: {other:?}"),
        }
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
        for value in [json!("c-1"), json!([1.5]), json!({}), json!(true)] {
            assert_eq!(with("conversations", value), Err(AuthError::Invalid));
        }
        assert_eq!(with("nbf", json!(NOW + 6)), Err(AuthError::Invalid));
        assert!(with("nbf", json!(NOW + 5)).is_ok());
    }

    #[test]
    fn integers_count_by_their_decimal_digits() {
        for (number, digits) in [
            (json!(0), "0"),
            (json!(4711), "4711"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(i64::MIN), "-9223372036854775808"),
        ] {
            assert_eq!(with("sub", number.clone()).unwrap().id, digits);
            assert_eq!(with("tenantId", number.clone()).unwrap().tenant, digits);
            let grant = with("conversations", json!(["c-1", number])).unwrap().grant;
            let both = ["c-1".to_owned(), digits.to_owned()];
            assert_eq!(grant, Grant::Only(both.into()));
        }
        for name in ["sub", "tenantId", "conversations"] {
            for fraction in [json!(7.0), json!(1.5), json!(1e300)] {
                let value = match name {
                    "conversations" => json!([fraction]),
                    _ => fraction,
                };
                assert_eq!(
                    rejected(name, value),
                    (TokenDefect::Fraction, Some(name.to_owned()))
                );
            }
        }
        assert_eq!(with("name", json!(7)).unwrap().name, None);
    }

    #[test]
    fn a_rejection_names_the_claim() {
        for (name, value, reason) in [
            ("sub", Value::Null, TokenDefect::Missing),
            ("sub", json!(""), TokenDefect::Missing),
            ("tenantId", json!(["acme"]), TokenDefect::NoId),
            ("exp", Value::Null, TokenDefect::Missing),
            ("exp", json!("1800000000"), TokenDefect::NoTime),
            ("exp", json!((NOW + 60) * 1_000), TokenDefect::Milliseconds),
            ("exp", json!(MILLISECONDS), TokenDefect::Milliseconds),
            ("exp", json!(1e300), TokenDefect::Milliseconds),
            ("nbf", json!(NOW * 1_000), TokenDefect::Milliseconds),
            ("nbf", json!(NOW + 6), TokenDefect::NotYet),
            ("conversations", json!("c-1"), TokenDefect::NoList),
            ("conversations", json!([true]), TokenDefect::NoId),
        ] {
            let shown = format!("{name}: {value}");
            assert_eq!(
                rejected(name, value),
                (reason, Some(name.to_owned())),
                "{shown}"
            );
        }
        // The last second that can be one.
        assert!(with("exp", json!(MILLISECONDS - 1)).is_ok());
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
