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
mod tests;
