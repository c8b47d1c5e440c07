//! The parts of `AMQP_URL` that errors may name.

use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};

use super::shared_uri::Access;

/// An `AMQP_URL` without its password.
#[derive(Debug, Clone)]
pub(crate) struct RedactedUri {
    /// Host and port.
    pub(crate) address: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) vhost: String,
    /// Whether TLS is spoken.
    pub(crate) has_tls: bool,
    /// Whether the broker is shown a certificate.
    pub(crate) is_identified: bool,
    /// Whether the broker takes the user from that certificate.
    pub(crate) is_external: bool,
}

impl RedactedUri {
    /// What stands for the user's name where the broker reads it in the certificate.
    const OF_CERTIFICATE: &str = "of AMQP_CLIENT_CERT_FILE";

    pub(crate) fn new(access: &Access) -> Self {
        let Access { uri, tls } = access;
        let AMQPUri {
            scheme,
            authority,
            vhost,
            query,
        } = uri;
        let host = match authority.host.contains(':') {
            true => format!("[{}]", authority.host),
            false => authority.host.clone(),
        };
        let is_external = query.auth_mechanism == Some(SASLMechanism::External);
        Self {
            address: format!("{host}:{}", authority.port),
            host: authority.host.clone(),
            port: authority.port,
            user: match is_external {
                true => Self::OF_CERTIFICATE.to_owned(),
                false => authority.userinfo.username.clone(),
            },
            vhost: vhost.clone(),
            has_tls: matches!(scheme, AMQPScheme::AMQPS),
            is_identified: tls.is_identified(),
            is_external,
        }
    }
}
