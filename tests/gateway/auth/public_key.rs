//! `JWT_PUBLIC_KEY`.

use agent_gateway::auth::{Agent, AuthError, Authenticator, Key, KeyError, Settings};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaPublicKeyComponents,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pem::Pem;
use serde_json::{Value, json};

use crate::auth::signer::{Signer, encode};
use crate::harness::{Broker, Received, TestGateway, claims, now};

async fn check(settings: &Settings, token: &str) -> Result<Agent, AuthError> {
    let authenticator = Authenticator::new(settings.clone()).unwrap();
    authenticator.authenticate(token).await
}

fn settings(signer: &Signer) -> Settings {
    Settings {
        public_key: Some(Key::from_pem(&signer.public.to_string()).unwrap()),
        ..Settings::default()
    }
}

/// A token that an attacker makes, who knows what is public.
fn forged(signer: &Signer, mut header: Value, key: &[u8]) -> String {
    header["typ"] = "JWT".into();
    let message = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims("acme").to_string().as_bytes())
    );
    let signature = if header["alg"] == "none" {
        String::new()
    } else if header["alg"] == "HS256" {
        let key = EncodingKey::from_secret(key);
        jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap()
    } else {
        let token = signer.sign(&claims("acme"));
        token.rsplit('.').next().unwrap().to_owned()
    };
    format!("{message}.{signature}")
}

#[tokio::test]
async fn a_key_verifies_only_its_own_algorithm() {
    let signers = Signer::all();
    for (position, mine) in signers.iter().enumerate() {
        let settings = settings(mine);
        let agent = check(&settings, &mine.sign(&claims("acme"))).await.unwrap();
        assert_eq!(
            (agent.id.as_str(), agent.tenant.as_str()),
            ("agent-1", "acme")
        );
        let mut expired = claims("acme");
        expired["exp"] = json!(now() - 60);
        let expired = check(&settings, &mine.sign(&expired)).await;
        assert_eq!(expired, Err(AuthError::Expired));
        for (other_position, other) in signers.iter().enumerate() {
            let opens = check(&settings, &other.sign(&claims("acme"))).await.is_ok();
            assert_eq!(opens, position == other_position);
        }
        let another = [Signer::p256(), Signer::ed25519()];
        for another in another {
            let result = check(&settings, &another.sign(&claims("acme"))).await;
            assert_eq!(result, Err(AuthError::Invalid));
        }
    }
}

#[tokio::test]
async fn a_token_header_chooses_neither_the_algorithm_nor_the_key() {
    for signer in Signer::all() {
        let settings = settings(&signer);
        let pem = signer.public.to_string();
        let attacker = Signer::p256();
        let mut tokens = vec![
            // The public key is known to everybody: it must not serve as a secret.
            forged(&signer, json!({"alg": "HS256"}), pem.as_bytes()),
            forged(&signer, json!({"alg": "HS256"}), pem.trim_end().as_bytes()),
            forged(&signer, json!({"alg": "HS256"}), signer.public.contents()),
            forged(&signer, json!({"alg": "HS256"}), b""),
            forged(&signer, json!({"alg": "none"}), b""),
        ];
        for alg in [
            "None", "RS256", "ES256", "EdDSA", "PS256", "ES512", "", "rs256",
        ] {
            tokens.push(forged(&signer, json!({"alg": alg}), b""));
        }
        // Keys that the token brings along.
        let jwk = serde_json::from_value(attacker.jwk("a")).unwrap();
        let url = "http://127.0.0.1:1/keys".to_owned();
        tokens.push(attacker.sign_with(
            &Header {
                jwk: Some(jwk),
                jku: Some(url.clone()),
                x5u: Some(url),
                x5c: Some(vec!["MIIB".to_owned()]),
                ..Header::new(Algorithm::ES256)
            },
            &claims("acme"),
        ));
        // A good signature under an extension that nobody here understands.
        for crit in [vec![], vec!["exp".to_owned()], vec!["b64".to_owned()]] {
            let header = Header {
                crit: Some(crit),
                ..Header::new(signer.algorithm)
            };
            tokens.push(signer.sign_with(&header, &claims("acme")));
        }
        for token in tokens {
            let result = check(&settings, &token).await;
            assert_eq!(result, Err(AuthError::Invalid), "{token}");
        }
    }
    // The same key, and a hash that it is not for.
    let rsa = Signer::rsa();
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let token = rsa.sign_with(&Header::new(algorithm), &claims("acme"));
        assert_eq!(
            check(&settings(&rsa), &token).await,
            Err(AuthError::Invalid)
        );
    }
}

#[tokio::test]
async fn secrets_and_a_public_key_are_accepted_side_by_side() {
    let signer = Signer::ed25519();
    let both = Settings {
        secrets: vec![crate::harness::SECRET.to_owned()],
        ..settings(&signer)
    };
    let by_secret = crate::harness::sign(&claims("acme"));
    for token in [by_secret, signer.sign(&claims("acme"))] {
        assert!(check(&both, &token).await.is_ok());
        // A long token is not looked at, however good it is.
        let long = format!("{token}{}", "A".repeat(16 << 10));
        assert_eq!(check(&both, &long).await, Err(AuthError::Invalid));
    }
    let mut long = claims("acme");
    long["name"] = "n".repeat(16 << 10).into();
    assert_eq!(
        check(&both, &signer.sign(&long)).await,
        Err(AuthError::Invalid)
    );
}

#[test]
fn an_unsafe_public_key_is_rejected_with_the_reason() {
    let pem = |label: &str, der: &[u8]| Pem::new(label, der).to_string();
    for signer in Signer::all() {
        assert_eq!(
            Key::from_pem(&signer.private.to_string()).unwrap_err(),
            KeyError::Private
        );
        let both = format!("{}{}", signer.public, signer.private);
        assert_eq!(Key::from_pem(&both).unwrap_err(), KeyError::Private);
        let twice = format!("{0}{0}", signer.public);
        assert_eq!(Key::from_pem(&twice).unwrap_err(), KeyError::Several);
        let certificate = pem("CERTIFICATE", signer.public.contents());
        assert_eq!(
            Key::from_pem(&certificate).unwrap_err(),
            KeyError::Certificate
        );
        let mut cut = signer.public.contents().to_vec();
        cut.pop();
        assert_eq!(
            Key::from_pem(&pem("PUBLIC KEY", &cut)).unwrap_err(),
            KeyError::Unsupported
        );
    }
    for label in ["RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
        let error = Key::from_pem(&pem(label, b"x")).unwrap_err();
        assert_eq!(error, KeyError::Private);
    }
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let p384: PublicKeyX509Der<'_> = p384.public_key().as_der().unwrap();
    assert_eq!(
        Key::from_pem(&pem("PUBLIC KEY", p384.as_ref())).unwrap_err(),
        KeyError::Unsupported
    );
    let mut modulus = [0xff; 128];
    let short = |n: &[u8]| {
        let components = RsaPublicKeyComponents {
            n,
            e: &[1, 0, 1][..],
        };
        let der: PublicKeyX509Der<'_> = components.as_der().unwrap();
        Key::from_pem(&pem("PUBLIC KEY", der.as_ref())).unwrap_err()
    };
    assert_eq!(short(&modulus), KeyError::RsaLength(1024));
    modulus[0] = 0x7f;
    assert_eq!(
        short(&[&modulus[..], &[0xff; 128]].concat()),
        KeyError::RsaLength(2047)
    );
    for garbage in [
        "",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
        "ssh-ed25519 AAAA",
    ] {
        assert_eq!(
            Key::from_pem(garbage).unwrap_err(),
            KeyError::NotPem,
            "{garbage}"
        );
    }
}

#[tokio::test]
async fn a_public_key_is_read_from_text_and_from_a_file() {
    let broker = Broker::new().await;
    let signer = Signer::rsa();
    let text = signer.public.to_string().replace("\r\n", "\n");
    let path = std::env::temp_dir().join(format!("{}.pem", crate::harness::random_name()));
    std::fs::write(&path, &text).unwrap();
    for value in [
        text.as_str(),
        &text.replace('\n', "\\n"),
        path.to_str().unwrap(),
    ] {
        let variables = [("JWT_PUBLIC_KEY", value), ("JWT_SECRET", "")];
        let gateway = TestGateway::start_with(&broker, &variables).await;
        let forged = forged(&signer, json!({"alg": "HS256"}), text.as_bytes());
        let refused = Received::Refused("Invalid token".to_owned());
        assert_eq!(gateway.enter(&forged).await.next().await, refused);
        let mut agent = gateway.enter(&signer.sign(&claims("acme"))).await;
        assert_eq!(agent.joined().await["agent"]["id"], "agent-1");
    }
    std::fs::remove_file(path).unwrap();
}
