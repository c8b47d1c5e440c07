//! Why the broker does not do what it is asked to, in words that say what to do about it.
//!
//! What went wrong is told by the AMQP reply code, the kind of the I/O error and what was asked
//! for. RabbitMQ puts names and values into the reply's text alone: [`Reply`] reads them there, and
//! a text that it cannot read is shown as it is.

use std::io::ErrorKind as Io;

use lapin::ErrorKind;

use super::place::Place;
use super::reply::{Difference, Refused, Reply};

/// AMQP's reply codes (<https://www.rabbitmq.com/amqp-0-9-1-reference>, constants).
mod code {
    pub(super) const CONNECTION_FORCED: u16 = 320;
    pub(super) const ACCESS_REFUSED: u16 = 403;
    pub(super) const NOT_FOUND: u16 = 404;
    pub(super) const RESOURCE_LOCKED: u16 = 405;
    pub(super) const PRECONDITION_FAILED: u16 = 406;
    pub(super) const FRAME_ERROR: u16 = 501;
    pub(super) const UNEXPECTED_FRAME: u16 = 505;
    pub(super) const NOT_ALLOWED: u16 = 530;
}

/// What the broker was asked to do.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// To let us in.
    Connect,
    /// To make an exchange or a queue, such as `queue gateway.status_update`.
    Declare(String),
    /// To say whether it has an exchange or a queue.
    Look(String),
    /// To bind a queue to an exchange.
    Bind { queue: String, exchange: String },
    /// To deliver what is in a queue.
    Consume(String),
    /// To take a message by way of an exchange.
    Publish(String),
    /// To keep the connection, or to open a channel.
    Stay,
}

/// Why the broker, or the way to it, does not do what it is asked to. The library's words, or the
/// broker's, stand behind in brackets.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BrokerError {
    /// The name has no address.
    #[error("no address is known for the host {host}: check the host in AMQP_URL ({said})")]
    UnknownHost {
        /// The host of `AMQP_URL`.
        host: String,
        /// What the system said.
        said: String,
    },
    /// Nothing listens there.
    #[error(
        "nothing listens at {address}: start the broker, or check host and port in AMQP_URL ({said})"
    )]
    ConnectionRefused {
        /// The address of `AMQP_URL`.
        address: String,
        /// What the system said.
        said: String,
    },
    /// Another trouble of the network, before or after we were let in.
    #[error("the connection to {address} failed ({said})")]
    Network {
        /// The address of `AMQP_URL`.
        address: String,
        /// What the system or the library said.
        said: String,
    },
    /// It takes connections and says nothing, or stopped answering.
    #[error(
        "no answer within {seconds} s from {address}: the broker hangs, or a firewall or another \
         service is in its place"
    )]
    NoAnswer {
        /// The address of `AMQP_URL`.
        address: String,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// It ended the connection before it said a word that could be read.
    #[error(
        "{address} hung up before it let us in: if that is a TLS port (5671 is), write amqps:// in \
         AMQP_URL; if not, the broker or a proxy in front of it went away ({said})"
    )]
    HungUp {
        /// The address of `AMQP_URL`.
        address: String,
        /// What the system or the library said.
        said: String,
    },
    /// It does not speak AMQP 0-9-1.
    #[error(
        "{address} does not speak AMQP 0-9-1: check host and port in AMQP_URL; a TLS port wants \
         amqps:// ({said})"
    )]
    NotAmqp {
        /// The address of `AMQP_URL`.
        address: String,
        /// What the library said.
        said: String,
    },
    /// TLS was spoken to a port without it.
    #[error(
        "{address} does not speak TLS: write amqp:// in AMQP_URL, or the broker's TLS port, 5671 \
         unless set otherwise ({said})"
    )]
    NotTls {
        /// The address of `AMQP_URL`.
        address: String,
        /// What the library said.
        said: String,
    },
    /// The broker's certificate does not prove who it is.
    #[error(
        "the certificate of {address} is not trusted: SSL_CERT_FILE names a PEM file with the \
         certificate of the authority that signed it, and AMQP_URL must use a host name that stands \
         in it ({said})"
    )]
    Certificate {
        /// The address of `AMQP_URL`.
        address: String,
        /// What the library said.
        said: String,
    },
    /// Another trouble of TLS.
    #[error("TLS with {address} failed ({said})")]
    Tls {
        /// The address of `AMQP_URL`.
        address: String,
        /// What the library said.
        said: String,
    },
    /// The user is unknown or the password is another.
    #[error(
        "the broker at {address} refuses the login of user {user}: check user and password in \
         AMQP_URL{} ({said})",
        guest(user)
    )]
    Login {
        /// The address of `AMQP_URL`.
        address: String,
        /// The user of `AMQP_URL`, in part if it is long.
        user: String,
        /// What the broker said.
        said: String,
    },
    /// There is no such vhost.
    #[error(
        "the broker has no vhost {vhost}: check the end of AMQP_URL, or create it with rabbitmqctl \
         add_vhost {vhost} and give user {user} its rights there ({said})"
    )]
    NoSuchVhost {
        /// The vhost of `AMQP_URL`.
        vhost: String,
        /// The user of `AMQP_URL`.
        user: String,
        /// What the broker said.
        said: String,
    },
    /// The user has no rights at all in the vhost.
    #[error(
        "user {user} may not use vhost {vhost}: rabbitmqctl set_permissions -p {vhost} {user} \
         CONFIGURE WRITE READ, with what amqp/README.md says ({said})"
    )]
    VhostRefused {
        /// The vhost of `AMQP_URL`.
        vhost: String,
        /// The user of `AMQP_URL`.
        user: String,
        /// What the broker said.
        said: String,
    },
    /// The user or the vhost has as many connections or channels as it may have.
    #[error(
        "user {user} or vhost {vhost} has as many connections or channels as the broker allows; the \
         gateway needs two connections, one of them for dead letters: rabbitmqctl set_user_limits \
         {user} or set_vhost_limits -p {vhost} ({said})"
    )]
    TooMany {
        /// The vhost of `AMQP_URL`.
        vhost: String,
        /// The user of `AMQP_URL`.
        user: String,
        /// What the broker said.
        said: String,
    },
    /// The user lacks a right.
    #[error(
        "user {user} has no right to {right} in vhost {vhost}: rabbitmqctl list_permissions -p \
         {vhost} shows what it has, rabbitmqctl set_permissions -p {vhost} {user} CONFIGURE WRITE \
         READ sets all three ({said})"
    )]
    NoPermission {
        /// The user of `AMQP_URL`.
        user: String,
        /// The vhost of `AMQP_URL`.
        vhost: String,
        /// Which right, and on what.
        right: String,
        /// What the broker said.
        said: String,
    },
    /// There is no such exchange or queue.
    #[error("there is no {object} in vhost {vhost}: {remedy} ({said})")]
    Missing {
        /// Such as `queue gateway.status_update`.
        object: String,
        /// The vhost of `AMQP_URL`.
        vhost: String,
        /// Who has to make it, and how.
        remedy: String,
        /// What the broker said.
        said: String,
    },
    /// It exists with other properties or arguments than it is declared with.
    #[error(
        "{object} in vhost {vhost} exists otherwise than the gateway declares it{}: {} ({said})",
        differs(difference.as_deref()), remedy(object, difference.as_deref())
    )]
    Differs {
        /// Such as `queue gateway.status_update`.
        object: String,
        /// The vhost of `AMQP_URL`.
        vhost: String,
        /// The argument and its values, where the broker's text tells them.
        difference: Option<Box<Difference>>,
        /// What the broker said.
        said: String,
    },
    /// It belongs to another connection alone.
    #[error(
        "{object} in vhost {vhost} belongs to another connection alone (exclusive): end what holds \
         it, or give the gateway another name ({said})"
    )]
    Locked {
        /// Such as `queue gateway.status_update`.
        object: String,
        /// The vhost of `AMQP_URL`.
        vhost: String,
        /// What the broker said.
        said: String,
    },
    /// The broker has ended a consumer by itself.
    #[error(
        "the broker has cancelled the consumer of {object}: the queue was deleted, or its node went \
         away"
    )]
    Cancelled {
        /// Such as `queue gateway.status_update`.
        object: String,
    },
    /// The broker has closed the consumer's channel.
    #[error(
        "the broker has closed the channel of {object}; deliveries that are not acknowledged within \
         its consumer_timeout are a reason, and dead letters that cannot be placed wait so long \
         ({said})"
    )]
    ChannelClosed {
        /// Such as `queue gateway.status_update`.
        object: String,
        /// What the broker said.
        said: String,
    },
    /// The queue does not take a message.
    #[error(
        "{object} in vhost {vhost} takes no more: it is full (x-overflow is reject-publish), or has \
         no leader; empty it, or raise its max-length or max-length-bytes"
    )]
    NotTaken {
        /// Such as `queue gateway.dead_letters`.
        object: String,
        /// The vhost of `AMQP_URL`.
        vhost: String,
    },
    /// The broker did not confirm a message in time.
    #[error(
        "not confirmed within {seconds} s by {address}: the broker takes no messages while it is \
         short of memory or disk (rabbitmqctl status shows its alarms)"
    )]
    Unconfirmed {
        /// The address of `AMQP_URL`.
        address: String,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// A message's properties are larger than a frame.
    #[error("the message's headers are larger than a frame may be ({said})")]
    TooLargeForAFrame {
        /// What the broker said.
        said: String,
    },
    /// An operator has closed the connection, or the broker shuts down.
    #[error("the broker at {address} has closed the connection ({said})")]
    Closed {
        /// The address of `AMQP_URL`.
        address: String,
        /// What the broker said.
        said: String,
    },
    /// Anything else.
    #[error("the broker at {address} does not do what user {user} asks for ({said})")]
    Other {
        /// The address of `AMQP_URL`.
        address: String,
        /// The user of `AMQP_URL`.
        user: String,
        /// What the broker or the library said.
        said: String,
    },
}

impl BrokerError {
    /// What the library's error means where it came from.
    pub(super) fn new(place: &Place, act: &Act, error: &lapin::Error) -> Self {
        let said = error.to_string();
        match (error.kind(), act) {
            (ErrorKind::ProtocolError(reply), _) => Self::reply(
                place,
                act,
                reply.get_id(),
                reply.get_message().as_str(),
                said,
            ),
            (ErrorKind::IOError(io), Act::Connect) => Self::way_in(place, io, said),
            (ErrorKind::ParsingError(_) | ErrorKind::InvalidProtocolVersion(_), Act::Connect) => {
                Self::NotAmqp {
                    address: place.address.clone(),
                    said,
                }
            }
            _ => Self::Network {
                address: place.address.clone(),
                said,
            },
        }
    }

    fn way_in(place: &Place, error: &std::io::Error, said: String) -> Self {
        let address = place.address.clone();
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match (inner, error.kind()) {
            (Some(rustls::Error::InvalidCertificate(_)), _) => Self::Certificate { address, said },
            (Some(rustls::Error::InvalidMessage(_)), _) => Self::NotTls { address, said },
            (Some(_), _) => Self::Tls { address, said },
            (None, Io::ConnectionRefused) => Self::ConnectionRefused { address, said },
            (
                None,
                Io::ConnectionReset | Io::ConnectionAborted | Io::UnexpectedEof | Io::BrokenPipe,
            ) => Self::HungUp { address, said },
            (None, _) => Self::Network { address, said },
        }
    }

    fn reply(place: &Place, act: &Act, code: u16, text: &str, said: String) -> Self {
        let (user, vhost) = (place.user.clone(), place.vhost.clone());
        let address = place.address.clone();
        let reply = Reply::read(text);
        let object = act.object();
        match (code, act) {
            (code::ACCESS_REFUSED, Act::Connect) => Self::Login {
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
                right: act.right(),
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
            (code::PRECONDITION_FAILED, Act::Declare(_)) => Self::Differs {
                object,
                vhost,
                difference: reply.difference.map(Box::new),
                said,
            },
            (_, Act::Consume(_)) if code == code::PRECONDITION_FAILED => {
                Self::ChannelClosed { object, said }
            }
            (code::FRAME_ERROR | code::UNEXPECTED_FRAME, Act::Publish(_)) => {
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

    /// What is missing could not be made either: in these words of the broker.
    pub(super) fn because(self, refusal: String) -> Self {
        match self {
            Self::Missing {
                object,
                vhost,
                remedy,
                ..
            } => Self::Missing {
                object,
                vhost,
                remedy,
                said: refusal,
            },
            other => other,
        }
    }

    /// Whether it is about a right that the user does not have.
    pub(super) const fn is_no_permission(&self) -> bool {
        matches!(self, Self::NoPermission { .. })
    }
}

impl Act {
    fn object(&self) -> String {
        match self {
            Self::Declare(object) | Self::Look(object) => object.clone(),
            Self::Bind { queue, .. } | Self::Consume(queue) => queue.clone(),
            Self::Publish(exchange) => format!("exchange {exchange}"),
            Self::Connect | Self::Stay => "connection".to_owned(),
        }
    }

    /// The right that it takes (<https://www.rabbitmq.com/docs/access-control>).
    fn right(&self) -> String {
        match self {
            Self::Declare(object) => format!("configure {object}"),
            Self::Bind { queue, exchange } => {
                format!("bind, which takes write on {queue} and read on {exchange},")
            }
            Self::Consume(queue) => format!("read {queue}"),
            Self::Publish(exchange) => format!("write to exchange {exchange}"),
            Self::Look(object) => format!("look at {object}"),
            Self::Connect | Self::Stay => "do that".to_owned(),
        }
    }
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

fn guest(user: &str) -> &'static str {
    match user {
        "guest" => {
            "; guest may log in from the broker's own machine only: elsewhere, make a user for the \
             gateway with rabbitmqctl add_user"
        }
        _ => "",
    }
}

fn differs(difference: Option<&Difference>) -> String {
    difference.map_or_else(String::new, |difference| {
        let Difference { name, ours, theirs } = difference;
        format!(", in {name}: it has {theirs}, the gateway wants {ours}")
    })
}

fn remedy(object: &str, difference: Option<&Difference>) -> &'static str {
    let (name, ours) = difference.map_or(("", ""), |difference| {
        (&*difference.name, &*difference.ours)
    });
    match name {
        "x-queue-type" => "set AMQP_QUEUE_TYPE to what it is, or delete it when it is empty",
        _ if object.starts_with("queue") && ours == "none" => {
            "delete it when it is empty, and set what the gateway does not declare by a policy, \
             which is no argument"
        }
        _ => "delete it, and the gateway declares it again; a queue's messages go with it",
    }
}
