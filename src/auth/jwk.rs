//! One member of a key set (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde_json::Value;

use super::key::{Key, KeyError};

/// The length of a coordinate on P-256, in bytes (RFC 7518, section 6.2.1.2).
const P256_COORDINATE: usize = 32;

/// Why a member of a set is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnusableJwk {
    /// It is for something else: another algorithm, encryption.
    #[error("is for something else")]
    Foreign,
    /// It is private or symmetric: a set is for the public.
    #[error("is secret, which a key set must not show")]
    Secret,
    /// It is not what it says.
    #[error("is malformed")]
    Malformed,
    /// What it says is no key that is accepted.
    #[error("{0}")]
    Key(#[from] KeyError),
}

/// A key, by the name that tokens call it by.
#[derive(Debug)]
pub(super) struct NamedKey {
    pub(super) id: Option<String>,
    pub(super) key: Key,
}

impl NamedKey {
    /// Reads a member. Its algorithm comes from its kind; an `alg` has to agree with that.
    pub(super) fn parse(member: &Value) -> Result<Self, UnusableJwk> {
        if member.get("kty").is_some_and(|kind| kind == "oct") || member.get("d").is_some() {
            return Err(UnusableJwk::Secret);
        }
        let jwk: Jwk =
            serde_json::from_value(member.clone()).map_err(|_| UnusableJwk::Malformed)?;
        let common = &jwk.common;
        let signs = common
            .public_key_use
            .as_ref()
            .is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
            && common
                .key_operations
                .as_ref()
                .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !signs {
            return Err(UnusableJwk::Foreign);
        }
        let agrees = |algorithm: Algorithm| match common.key_algorithm {
            Some(named) if named != algorithm.into() => Err(UnusableJwk::Foreign),
            _ => Ok(()),
        };
        let key = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                agrees(Algorithm::RS256)?;
                Key::rsa(&decode(&rsa.n)?, &decode(&rsa.e)?)?
            }
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
                agrees(Algorithm::ES256)?;
                let (x, y) = (decode(&ec.x)?, decode(&ec.y)?);
                if x.len() != P256_COORDINATE || y.len() != P256_COORDINATE {
                    return Err(UnusableJwk::Malformed);
                }
                // SEC 1, section 2.3.3: uncompressed.
                Key::p256(&[&[0x04], &x[..], &y[..]].concat())?
            }
            AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {
                agrees(Algorithm::EdDSA)?;
                Key::ed25519(&decode(&okp.x)?)?
            }
            // Also what looks like one of those and lacks a number.
            AlgorithmParameters::Other(_) if looks_familiar(member) => {
                return Err(UnusableJwk::Malformed);
            }
            _ => return Err(UnusableJwk::Foreign),
        };
        Ok(Self {
            id: jwk.common.key_id,
            key,
        })
    }
}

fn looks_familiar(member: &Value) -> bool {
    match member.get("kty").and_then(Value::as_str) {
        Some("RSA") => true,
        Some("EC") => member.get("crv").is_none_or(|curve| curve == "P-256"),
        Some("OKP") => member.get("crv").is_none_or(|curve| curve == "Ed25519"),
        Some(_) => false,
        None => true,
    }
}

fn decode(text: &str) -> Result<Vec<u8>, UnusableJwk> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| UnusableJwk::Malformed)
}
