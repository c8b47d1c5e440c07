//! What claims make an agent, and why others are refused.

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
