//! A key, and the one algorithm that it checks.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RsaPublicKeyComponents, RsaSubjectPublicKey,
    VerificationAlgorithm,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

/// The smallest RSA key, in bits (RFC 7518, section 3.3).
const MIN_RSA: usize = 2048;

/// The largest, in bits: what the library checks signatures with.
const MAX_RSA: usize = 8192;

/// What checks signatures. The algorithm belongs to the key: no token can choose another.
#[derive(Clone)]
pub struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.algorithm).finish()
    }
}

/// Why what was given is no key to check signatures with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not PEM, or not what its label says.
    #[error("is not a public key in PEM form")]
    NotPem,
    /// More than one PEM block.
    #[error("holds several keys: it must hold one")]
    Several,
    /// A private key has no business here.
    #[error("is a private key: give the public one (openssl pkey -pubout)")]
    Private,
    /// A certificate holds a public key, and promises that nobody here looks at.
    #[error("is a certificate: give its public key (openssl x509 -pubkey -noout)")]
    Certificate,
    /// RSA of a length that is unsafe, or beyond what the library takes.
    #[error("is an RSA key of {0} bits: it must have 2048 to 8192")]
    RsaLength(usize),
    /// Another kind of key, another curve, or numbers that make no key.
    #[error("is no key for RS256, ES256 (P-256) or EdDSA (Ed25519)")]
    Unsupported,
}

impl Key {
    fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        // The claims are checked elsewhere, in the order that decides which error a client sees.
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            algorithm,
            key,
            validation,
        }
    }

    /// HS256 with this secret.
    pub(super) fn secret(secret: &str) -> Self {
        Self::new(
            Algorithm::HS256,
            DecodingKey::from_secret(secret.as_bytes()),
        )
    }

    /// RS256 with the key's numbers, big-endian.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let (n, e) = (significant(modulus), significant(exponent));
        let bits = bits(n);
        if !(MIN_RSA..=MAX_RSA).contains(&bits) {
            return Err(KeyError::RsaLength(bits));
        }
        RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| KeyError::Unsupported)?;
        let key = DecodingKey::from_rsa_raw_components(n, e);
        Ok(Self::new(Algorithm::RS256, key))
    }

    /// ES256 with a point on P-256, either as it is (SEC 1) or in a SubjectPublicKeyInfo.
    pub(super) fn p256(encoded: &[u8]) -> Result<Self, KeyError> {
        parsed(&ECDSA_P256_SHA256_FIXED, encoded)?;
        Ok(Self::new(
            Algorithm::ES256,
            DecodingKey::from_ec_der(encoded),
        ))
    }

    /// EdDSA with a point on Ed25519, either as it is or in a SubjectPublicKeyInfo.
    pub(super) fn ed25519(encoded: &[u8]) -> Result<Self, KeyError> {
        parsed(&ED25519, encoded)?;
        Ok(Self::new(
            Algorithm::EdDSA,
            DecodingKey::from_ed_der(encoded),
        ))
    }

    /// Whichever of the three a DER encoding holds: a SubjectPublicKeyInfo (RFC 5280), or an
    /// RSAPublicKey (RFC 8017).
    pub(super) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = RsaSubjectPublicKey::from_der(der) {
            let (modulus, exponent) = (key.modulus(), key.exponent());
            return Self::rsa(
                modulus.big_endian_without_leading_zero(),
                exponent.big_endian_without_leading_zero(),
            );
        }
        Self::p256(der).or_else(|_| Self::ed25519(der))
    }

    /// What it checks.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The claims of a token that this key has signed, not yet judged.
    pub(super) fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        jsonwebtoken::decode(token, &self.key, &self.validation)
            .ok()
            .map(|token| token.claims)
    }
}

fn parsed(
    algorithm: &'static dyn VerificationAlgorithm,
    encoded: &[u8],
) -> Result<ParsedPublicKey, KeyError> {
    ParsedPublicKey::new(algorithm, encoded).map_err(|_| KeyError::Unsupported)
}

/// Without leading zeros.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn bits(significant: &[u8]) -> usize {
    significant.first().map_or(0, |first| {
        significant.len() * 8 - first.leading_zeros() as usize
    })
}
