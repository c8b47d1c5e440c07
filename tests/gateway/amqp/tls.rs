//! `amqps://`, and TLS errors.

use std::fs;
use std::path::PathBuf;

use pem::Pem;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::harness::{Broker, PrivateBroker, TestGateway, random_name};

/// A certificate of an authority and one for `localhost` that it has signed, in files.
struct Papers(PathBuf);

impl Papers {
    fn new() -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("papers-{}", random_name()));
        fs::create_dir_all(&folder).unwrap();
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(vec![]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_certificate = authority.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let server = server.signed_by(&key, &issuer).unwrap();
        let papers = Self(folder);
        papers.write("ca.pem", "CERTIFICATE", authority_certificate.der());
        papers.write("server.pem", "CERTIFICATE", server.der());
        papers.write("key.pem", "PRIVATE KEY", key.serialized_der());
        papers
    }

    fn write(&self, name: &str, tag: &str, contents: &[u8]) {
        let pem = Pem::new(tag, contents.to_vec());
        fs::write(self.path(name), pem::encode(&pem)).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Papers {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn amqps_connects_with_tls_and_every_tls_failure_is_logged_with_its_cause() {
    let papers = Papers::new();
    let port = free_port();
    let settings = format!(
        "listeners.ssl.test = 127.0.0.1:{port}\nssl_options.cacertfile = {}\n\
         ssl_options.certfile = {}\nssl_options.keyfile = {}\n",
        papers.path("ca.pem"),
        papers.path("server.pem"),
        papers.path("key.pem"),
    );
    let private = PrivateBroker::start_with(&settings).await;
    let broker = Broker::at(private.url()).await;
    let start = async |url: &str, more: &[(&str, &str)]| {
        let mut variables = vec![("AMQP_URL", url)];
        variables.extend(more);
        TestGateway::start_with(&broker, &variables).await
    };
    let tls = format!("amqps://guest:guest@localhost:{port}/%2f");

    let authority = papers.path("ca.pem");
    let trusting = [("SSL_CERT_FILE", &*authority)];
    let gateway = start(&tls, &trusting).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
    drop(gateway);

    let gateway = start(&tls, &[]).await;
    let words = ["is not trusted", "SSL_CERT_FILE", &port.to_string()];
    gateway.degraded("broker", &words).await;

    // The name in the certificate is another.
    let by_address = format!("amqps://guest:guest@127.0.0.1:{port}/%2f");
    let gateway = start(&by_address, &trusting).await;
    let words = ["is not trusted", "host name"];
    gateway.degraded("broker", &words).await;

    // Some brokers hang up, others send an alert of TLS first.
    let plain = format!("amqp://guest:guest@localhost:{port}/%2f");
    let gateway = start(&plain, &[]).await;
    let words = ["a TLS port", "amqps://", &port.to_string()];
    gateway.degraded("broker", &words).await;

    let url = private.url().replace("amqp://", "amqps://");
    let gateway = start(&url, &[]).await;
    let words = ["does not speak TLS", "amqp://"];
    gateway.degraded("broker", &words).await;
}
