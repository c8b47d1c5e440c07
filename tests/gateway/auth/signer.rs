//! Keys made for one run, and tokens signed with them.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pem::Pem;
use serde_json::{Value, json};

/// Somebody with a private key.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    key: EncodingKey,
    /// The private key (PKCS #8).
    pub(crate) private: Pem,
    /// The public one (SubjectPublicKeyInfo).
    pub(crate) public: Pem,
    numbers: Value,
}

/// RSA keys take a while to make.
static RSA: LazyLock<rsa::KeyPair> =
    LazyLock::new(|| rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap());

impl Signer {
    /// The same key each time.
    pub(crate) fn rsa() -> Self {
        let public = RSA.public_key();
        let pkcs8: Pkcs8V1Der<'_> = RSA.as_der().unwrap();
        let private = Pem::new("PRIVATE KEY", pkcs8.as_ref());
        let spki: PublicKeyX509Der<'_> = public.as_der().unwrap();
        Self {
            algorithm: Algorithm::RS256,
            key: EncodingKey::from_rsa_pem(private.to_string().as_bytes()).unwrap(),
            private,
            public: Pem::new("PUBLIC KEY", spki.as_ref()),
            numbers: json!({
                "kty": "RSA",
                "n": encode(public.modulus().big_endian_without_leading_zero()),
                "e": encode(public.exponent().big_endian_without_leading_zero()),
            }),
        }
    }

    pub(crate) fn p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pkcs8 = pair.to_pkcs8v1().unwrap();
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        Self {
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_der(pkcs8.as_ref()),
            private: Pem::new("PRIVATE KEY", pkcs8.as_ref()),
            public: Pem::new("PUBLIC KEY", spki.as_ref()),
            numbers: json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)}),
        }
    }

    pub(crate) fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let pkcs8 = pair.to_pkcs8().unwrap();
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        Self {
            algorithm: Algorithm::EdDSA,
            key: EncodingKey::from_ed_der(pkcs8.as_ref()),
            private: Pem::new("PRIVATE KEY", pkcs8.as_ref()),
            public: Pem::new("PUBLIC KEY", spki.as_ref()),
            numbers: json!({
                "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()),
            }),
        }
    }

    /// One of each kind.
    pub(crate) fn all() -> [Self; 3] {
        [Self::rsa(), Self::p256(), Self::ed25519()]
    }

    /// Signs as its key's kind does.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&Header::new(self.algorithm), claims)
    }

    /// The same, and names the key.
    pub(crate) fn sign_as(&self, kid: &str, claims: &Value) -> String {
        let header = Header {
            kid: Some(kid.to_owned()),
            ..Header::new(self.algorithm)
        };
        self.sign_with(&header, claims)
    }

    pub(crate) fn sign_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }

    /// The public key as a member of a key set.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let mut jwk = self.numbers.clone();
        jwk["kid"] = kid.into();
        jwk
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
