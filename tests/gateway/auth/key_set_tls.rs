//! A key set over TLS, by an authority that the system trusts.

use std::sync::Arc;

use pem::Pem;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_util::task::AbortOnDropHandle;

use crate::auth::signer::Signer;
use crate::harness::{Broker, Received, TestGateway, claims, random_name, until};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// An https server that says this to everybody.
async fn serve(authority: &Authority, body: String) -> (String, AbortOnDropHandle<()>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not like the certificate goes away.
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                assert_ne!(stream.read_line(&mut line).await.unwrap(), 0);
            }
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, AbortOnDropHandle::new(task))
}

#[tokio::test]
async fn a_key_set_is_loaded_only_over_trusted_tls() {
    let broker = Broker::new().await;
    let signer = Signer::ed25519();
    let (trusted, other) = (authority(), authority());
    let set = json!({"keys": [signer.jwk("1")]});
    let (url, _server) = serve(&trusted, set.to_string()).await;
    let token = signer.sign_as("1", &claims("acme"));
    let path = std::env::temp_dir().join(format!("{}.pem", random_name()));
    for (authority, opens) in [(&trusted, true), (&other, false)] {
        let certificate = Pem::new("CERTIFICATE", authority.der().as_ref());
        std::fs::write(&path, certificate.to_string()).unwrap();
        let variables = [
            ("JWT_JWKS_URL", &*url),
            ("JWT_SECRET", ""),
            ("SSL_CERT_FILE", path.to_str().unwrap()),
        ];
        let gateway = TestGateway::start_with(&broker, &variables).await;
        let refused = Received::Refused("Service unavailable".to_owned());
        if opens {
            // A machine that is busy enough has no keys in the seconds that a connect waits for
            // them: who is told so tries again.
            until("the keys are there", async || {
                let answer = gateway.enter(&token).await.next().await;
                let entered = Received::Connected("/".to_owned());
                assert!([&entered, &refused].contains(&&answer), "{answer:?}");
                answer == entered
            })
            .await;
        } else {
            assert_eq!(gateway.enter(&token).await.next().await, refused);
        }
    }
    std::fs::remove_file(path).unwrap();
}
