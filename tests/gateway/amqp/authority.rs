//! An authority of certificates, made for one test.

use pem::Pem;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name = called(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        Self {
            certificate,
            issuer,
        }
    }

    /// Its own certificate.
    pub(crate) fn certificate(&self) -> String {
        encoded("CERTIFICATE", self.certificate.der())
    }

    /// A certificate for a host of this name, and its key.
    pub(crate) fn server(&self, host: &str) -> (String, String) {
        self.signs(host, &[host], ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client of this name, and its key.
    pub(crate) fn client(&self, name: &str) -> (String, String) {
        self.signs(name, &[], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn signs(
        &self,
        name: &str,
        hosts: &[&str],
        purpose: ExtendedKeyUsagePurpose,
    ) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name = called(name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (
            encoded("CERTIFICATE", certificate.der()),
            encoded("PRIVATE KEY", &key.serialize_der()),
        )
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn encoded(tag: &str, contents: &[u8]) -> String {
    pem::encode(&Pem::new(tag, contents))
}
