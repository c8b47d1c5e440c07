//! The parts of `AMQP_URL` that errors may name.

use lapin::uri::AMQPUri;

/// An `AMQP_URL` without its password.
#[derive(Debug, Clone)]
pub(crate) struct RedactedUri {
    /// Host and port.
    pub(crate) address: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) vhost: String,
}

impl RedactedUri {
    pub(crate) fn new(uri: &AMQPUri) -> Self {
        let authority = &uri.authority;
        let host = match authority.host.contains(':') {
            true => format!("[{}]", authority.host),
            false => authority.host.clone(),
        };
        Self {
            address: format!("{host}:{}", authority.port),
            host: authority.host.clone(),
            port: authority.port,
            user: authority.userinfo.username.clone(),
            vhost: uri.vhost.clone(),
        }
    }
}
