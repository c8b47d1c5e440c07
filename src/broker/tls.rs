//! What `amqps://` is spoken with: the authorities that are trusted, and a certificate of our own.

use std::fmt;
use std::io;
use std::sync::Arc;

use async_rs::Runtime;
use async_rs::traits::{Reactor, RuntimeKit};
use lapin::AsyncTcpStream;
use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, RootCertStore};

/// The authorities and the certificate of a connection. By default it trusts the system's, and shows
/// none of its own.
#[derive(Clone, Default)]
pub struct Tls {
    /// The only ones that are trusted, if any are named: who runs an authority of their own wants no
    /// other to vouch for the broker.
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<Arc<Identity>>,
}

/// A certificate, those that lead from it to an authority, and the key that proves it ours.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// What is wrong with a certificate or a key: a sentence without a subject, and nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// The text of the authorities or of the certificate cannot be used.
    #[error("{0}")]
    Certificate(String),
    /// The key cannot be used.
    #[error("{0}")]
    Key(String),
}

impl Tls {
    /// Trusts the authorities whose certificates are in this PEM text, and no other.
    ///
    /// # Errors
    /// When there are none, or one that cannot be read.
    pub fn trusting(self, text: &str) -> Result<Self, PemError> {
        let authorities = certificates(text)?;
        let mut store = RootCertStore::empty();
        for certificate in &authorities {
            store.add(certificate.clone()).map_err(unreadable)?;
        }
        Ok(Self {
            authorities,
            ..self
        })
    }

    /// Shows the broker the certificate in `chain`, whose key is `key`, both PEM text.
    ///
    /// # Errors
    /// When one of them cannot be used, or they do not belong together.
    pub fn identified_by(self, chain: &str, key: &str) -> Result<Self, PemError> {
        let chain = certificates(chain)?;
        let key = private_key(key)?;
        CertifiedKey::from_der(chain.clone(), key.clone_key(), &default_provider()).map_err(
            |error| match error {
                Error::InconsistentKeys(_) => {
                    PemError::Key("is not the key of the certificate".to_owned())
                }
                Error::InvalidCertificate(_) => unreadable(error),
                error => PemError::Key(format!("there is a key that cannot be used: {error}")),
            },
        )?;
        let identity = Some(Arc::new(Identity { chain, key }));
        Ok(Self { identity, ..self })
    }

    /// Whether it shows a certificate.
    pub(crate) const fn is_identified(&self) -> bool {
        self.identity.is_some()
    }

    /// Connects to the broker, with TLS if the URI says so.
    pub(crate) async fn connect<R: RuntimeKit + Sync>(
        &self,
        uri: &AMQPUri,
        runtime: &Runtime<R>,
    ) -> io::Result<AsyncTcpStream<<R as Reactor>::TcpStream>> {
        let AMQPUri {
            scheme, authority, ..
        } = uri;
        let addresses = runtime.to_socket_addrs((authority.host.clone(), authority.port));
        let stream = AsyncTcpStream::connect(runtime, addresses).await?;
        match scheme {
            AMQPScheme::AMQP => Ok(stream),
            AMQPScheme::AMQPS => {
                let connector = self.connector()?;
                stream.into_rustls(&connector, &authority.host).await
            }
        }
    }

    /// Made anew for each connection, with what the system trusts at that time.
    fn connector(&self) -> io::Result<RustlsConnector> {
        let config = match &*self.authorities {
            [] => RustlsConnectorConfig::new_with_platform_verifier(),
            named => RustlsConnectorConfig::default().with_parsable_certificates(named.to_vec()),
        };
        match &self.identity {
            Some(identity) => {
                config.connector_with_single_cert(identity.chain.clone(), identity.key.clone_key())
            }
            None => config.connector_with_no_client_auth(),
        }
    }
}

impl fmt::Debug for Tls {
    // Keys appear in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.authorities.len())
            .field("is_identified", &self.is_identified())
            .finish()
    }
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(PemError::Certificate(
            "there is no certificate: it needs PEM text with -----BEGIN CERTIFICATE-----"
                .to_owned(),
        )),
        Err(_) => Err(PemError::Certificate("is damaged PEM text".to_owned())),
    }
}

fn private_key(text: &str) -> Result<PrivateKeyDer<'static>, PemError> {
    // The second is how OpenSSL wrote it before PKCS #8.
    let marks = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];
    let said = match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        _ if marks.iter().any(|mark| text.contains(mark)) => ENCRYPTED,
        Ok(key) => return Ok(key),
        Err(pem::Error::NoItemsFound) => {
            "there is no private key: it needs PEM text with -----BEGIN PRIVATE KEY-----"
        }
        Err(_) => "is damaged PEM text",
    };
    Err(PemError::Key(said.to_owned()))
}

const ENCRYPTED: &str = "the key is under a passphrase, and nobody is there to type it: openssl pkey writes one without";

fn unreadable(error: Error) -> PemError {
    PemError::Certificate(format!(
        "there is a certificate that cannot be read: {error}"
    ))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certified(name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let der = certificate.der().to_vec();
        (
            pem("CERTIFICATE", der),
            pem("PRIVATE KEY", key.serialize_der()),
        )
    }

    fn pem(tag: &str, contents: Vec<u8>) -> String {
        ::pem::encode(&::pem::Pem::new(tag, contents))
    }

    #[test]
    fn authorities_are_certificates_and_all_of_them_can_be_read() {
        let ((one, key), (other, _)) = (certified("a"), certified("b"));
        let tls = Tls::default().trusting(&format!("{one}\n{other}")).unwrap();
        assert_eq!(tls.authorities.len(), 2);
        let said = |text: &str| Tls::default().trusting(text).unwrap_err().to_string();
        for text in ["", "hidden", &*key] {
            assert!(said(text).starts_with("there is no certificate"), "{text}");
        }
        for text in [
            "-----BEGIN CERTIFICATE-----\nhidden!\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nhidden",
        ] {
            assert_eq!(said(text), "is damaged PEM text");
        }
        let nothing = pem("CERTIFICATE", vec![1, 2, 3]);
        let text = format!("{one}\n{nothing}");
        assert!(said(&text).starts_with("there is a certificate that cannot be read"));
    }

    #[test]
    fn a_certificate_has_the_key_that_belongs_to_it() {
        let ((certificate, key), (_, other)) = (certified("a"), certified("b"));
        let tls = Tls::default().identified_by(&certificate, &key).unwrap();
        assert!(tls.is_identified());
        assert_eq!(
            format!("{tls:?}"),
            "Tls { authorities: 0, is_identified: true }"
        );
        let said = |certificate: &str, key: &str| {
            Tls::default().identified_by(certificate, key).unwrap_err()
        };
        let is_key = |error: PemError, words: &str| {
            assert!(
                matches!(&error, PemError::Key(said) if said.contains(words)),
                "{error}"
            );
        };
        is_key(said(&certificate, &other), "not the key of the certificate");
        is_key(said(&certificate, &certificate), "no private key");
        is_key(
            said(&certificate, &pem("PRIVATE KEY", vec![1, 2])),
            "cannot be used",
        );
        is_key(
            said(&certificate, &pem("ENCRYPTED PRIVATE KEY", vec![1, 2])),
            "passphrase",
        );
        is_key(
            said(
                &certificate,
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            ),
            "passphrase",
        );
        assert!(matches!(said(&key, &key), PemError::Certificate(_)));
        let nothing = pem("CERTIFICATE", vec![1, 2, 3]);
        assert!(matches!(said(&nothing, &key), PemError::Certificate(_)));
    }
}
