//! From the library's errors to [`BrokerError`].
//!
//! An error is recognised by the AMQP reply code, the kind of the I/O error and the operation.
//! RabbitMQ puts names and values into the reply's text alone: [`Reply`] reads them there, and a text
//! that it cannot read is shown as it is.

use std::io::ErrorKind as Io;

use lapin::ErrorKind;
use rustls::{AlertDescription, CertificateError, Error as Tls};

use super::broker_error::BrokerError;
use super::operation::Operation;
use super::redacted_uri::RedactedUri;
use super::reply::{Refused, Reply};

/// AMQP's reply codes (<https://www.rabbitmq.com/amqp-0-9-1-reference>, constants).
mod code {
    pub(crate) const CONNECTION_FORCED: u16 = 320;
    pub(crate) const ACCESS_REFUSED: u16 = 403;
    pub(crate) const NOT_FOUND: u16 = 404;
    pub(crate) const RESOURCE_LOCKED: u16 = 405;
    pub(crate) const PRECONDITION_FAILED: u16 = 406;
    pub(crate) const FRAME_ERROR: u16 = 501;
    pub(crate) const UNEXPECTED_FRAME: u16 = 505;
    pub(crate) const NOT_ALLOWED: u16 = 530;
}

impl BrokerError {
    /// What the library's error means where it came from.
    pub(crate) fn new(uri: &RedactedUri, operation: &Operation, error: &lapin::Error) -> Self {
        let said = error.to_string();
        match (error.kind(), operation) {
            (ErrorKind::ProtocolError(reply), _) => Self::reply(
                uri,
                operation,
                reply.get_id(),
                reply.get_message().as_str(),
                said,
            ),
            (ErrorKind::IOError(io), Operation::Connect) => Self::while_connecting(uri, io, said),
            (
                ErrorKind::ParsingError(_) | ErrorKind::InvalidProtocolVersion(_),
                Operation::Connect,
            ) => Self::NotAmqp {
                address: uri.address.clone(),
                said,
            },
            _ => Self::Network {
                address: uri.address.clone(),
                said,
            },
        }
    }

    /// Why a connection was not made, or was lost before the broker had let us in.
    pub(super) fn while_connecting(
        uri: &RedactedUri,
        error: &std::io::Error,
        said: String,
    ) -> Self {
        let address = uri.address.clone();
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Tls>());
        match (inner, error.kind()) {
            (Some(error), _) => Self::tls(uri, error, said),
            (None, Io::ConnectionRefused) => Self::ConnectionRefused { address, said },
            (
                None,
                Io::ConnectionReset | Io::ConnectionAborted | Io::UnexpectedEof | Io::BrokenPipe,
            ) => match (uri.has_tls, uri.is_external) {
                // A mechanism that it does not offer ends the connection without a word.
                (true, true) => Self::ExternalLogin { address, said },
                (true, false) => Self::HungUpTls { address, said },
                (false, _) => Self::HungUp { address, said },
            },
            (None, _) => Self::Network { address, said },
        }
    }

    fn tls(uri: &RedactedUri, error: &Tls, said: String) -> Self {
        let address = uri.address.clone();
        match error {
            Tls::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => Self::OtherHost { address, said },
            Tls::InvalidCertificate(_) => Self::Certificate { address, said },
            Tls::InvalidMessage(_) => Self::NotTls { address, said },
            Tls::AlertReceived(alert) if is_about_certificate(*alert) => match uri.is_identified {
                true => Self::ClientCertificate { address, said },
                false => Self::NoClientCertificate { address, said },
            },
            _ => Self::Tls { address, said },
        }
    }

    fn reply(
        uri: &RedactedUri,
        operation: &Operation,
        code: u16,
        text: &str,
        said: String,
    ) -> Self {
        let (user, vhost) = (uri.user.clone(), uri.vhost.clone());
        let address = uri.address.clone();
        let reply = Reply::read(text);
        let object = operation.object();
        match (code, operation) {
            (code::ACCESS_REFUSED, Operation::Connect) if uri.is_external => {
                Self::ExternalLogin { address, said }
            }
            (code::ACCESS_REFUSED, Operation::Connect) => Self::Login {
                address,
                user: guarded(user),
                said,
            },
            (code::NOT_ALLOWED, _) => match reply.refused {
                Some(Refused::NoVhost) => Self::NoSuchVhost { vhost, user, said },
                Some(Refused::Limit) => Self::TooMany { vhost, user, said },
                _ => Self::VhostRefused { vhost, user, said },
            },
            (code::ACCESS_REFUSED, _) if reply.refused == Some(Refused::InUse) => Self::Locked {
                object,
                vhost,
                said,
            },
            (code::ACCESS_REFUSED, _) => Self::NoPermission {
                user,
                vhost,
                permission: operation.permission(),
                said,
            },
            (code::NOT_FOUND, _) => Self::Missing {
                object: reply.missing.unwrap_or(object),
                vhost,
                remedy: "it has been deleted, or never was there".to_owned(),
                said,
            },
            (code::RESOURCE_LOCKED, _) => Self::Locked {
                object,
                vhost,
                said,
            },
            (code::PRECONDITION_FAILED, Operation::Declare(_)) => Self::Differs {
                object,
                vhost,
                difference: reply.difference.map(Box::new),
                said,
            },
            (code::PRECONDITION_FAILED, Operation::Consume(_))
                if reply.refused == Some(Refused::NoReplica) =>
            {
                Self::NoReplica {
                    object,
                    vhost,
                    address,
                    said,
                }
            }
            (_, Operation::Consume(_)) if code == code::PRECONDITION_FAILED => {
                Self::ChannelClosed { object, said }
            }
            (code::FRAME_ERROR | code::UNEXPECTED_FRAME, Operation::Publish(_)) => {
                Self::TooLargeForAFrame { said }
            }
            (code::CONNECTION_FORCED, _) => Self::Closed { address, said },
            _ => Self::Other {
                address,
                user,
                said,
            },
        }
    }
}

/// What brokers say of a certificate of ours, or of its absence (RFC 8446, section 6.2).
const fn is_about_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
    )
}

/// A name that nobody has logged in with may be a password in the wrong place: of a long one the
/// beginning is enough to know it by.
fn guarded(user: String) -> String {
    const LONG: usize = 24;
    const SHOWN: usize = 12;
    if user.chars().count() <= LONG {
        return user;
    }
    user.chars().take(SHOWN).chain(['…']).collect()
}
