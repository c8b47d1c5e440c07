//! Why the broker does not do what it is asked to, in words that say what to do about it.

use super::reply::Difference;

/// Why the broker, or the way to it, does not do what it is asked to. The library's words, or the
/// broker's, stand behind in brackets.
#[derive(Debug, Clone, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum BrokerError {
    /// The name has no address.
    #[error("no address is known for the host {host}: check the host in AMQP_URL ({said})")]
    UnknownHost { host: String, said: String },
    /// Nothing listens there.
    #[error(
        "nothing listens at {address}: start the broker, or check host and port in AMQP_URL ({said})"
    )]
    ConnectionRefused { address: String, said: String },
    /// Another trouble of the network, before or after the login.
    #[error("the connection to {address} failed ({said})")]
    Network { address: String, said: String },
    /// It takes connections and says nothing, or stopped answering.
    #[error(
        "no answer within {seconds} s from {address}: the broker hangs, or a firewall or another \
         service is in its place"
    )]
    NoAnswer { address: String, seconds: u64 },
    /// It closed the connection before it sent anything that could be read.
    #[error(
        "{address} hung up before it let us in: if that is a TLS port (5671 is), write amqps:// in \
         AMQP_URL; if not, the broker or a proxy in front of it went away ({said})"
    )]
    HungUp { address: String, said: String },
    /// The same, after TLS had been agreed on.
    #[error(
        "{address} hung up before it let us in: it may want another client certificate \
         (AMQP_CLIENT_CERT_FILE, AMQP_CLIENT_KEY_FILE), or the broker or a proxy in front of it went \
         away ({said})"
    )]
    HungUpTls { address: String, said: String },
    /// It does not speak AMQP 0-9-1.
    #[error(
        "{address} does not speak AMQP 0-9-1: check host and port in AMQP_URL; a TLS port wants \
         amqps:// ({said})"
    )]
    NotAmqp { address: String, said: String },
    /// TLS was spoken to a port without it.
    #[error(
        "{address} does not speak TLS: write amqp:// in AMQP_URL, or the broker's TLS port, 5671 \
         unless set otherwise ({said})"
    )]
    NotTls { address: String, said: String },
    /// The broker's certificate does not prove who it is.
    #[error(
        "the certificate of {address} is not trusted: AMQP_CA_FILE (or SSL_CERT_FILE) names a PEM \
         file with the certificate of the authority that signed it ({said})"
    )]
    Certificate { address: String, said: String },
    /// It is the certificate of another host.
    #[error(
        "the certificate of {address} is not trusted, since it is for another host name: AMQP_URL \
         must use one that stands in it ({said})"
    )]
    OtherHost { address: String, said: String },
    /// The broker wants a certificate of ours, and there is none.
    #[error(
        "{address} wants a client certificate: AMQP_CLIENT_CERT_FILE and AMQP_CLIENT_KEY_FILE name \
         one that an authority of the broker's has signed ({said})"
    )]
    NoClientCertificate { address: String, said: String },
    /// The broker does not take our certificate.
    #[error(
        "{address} does not take the client certificate of AMQP_CLIENT_CERT_FILE: it must be in \
         date, for use by clients, and signed by an authority that the broker trusts \
         (ssl_options.cacertfile), whose intermediate certificates stand in the file too ({said})"
    )]
    ClientCertificate { address: String, said: String },
    /// Another trouble of TLS.
    #[error("TLS with {address} failed ({said})")]
    Tls { address: String, said: String },
    /// The user is unknown or the password is another.
    #[error(
        "the broker at {address} refuses the login of user {user}: check user and password in \
         AMQP_URL{} ({said})",
        guest(user)
    )]
    Login {
        address: String,
        user: String,
        said: String,
    },
    /// The broker takes no user from the certificate, or knows none of that name.
    #[error(
        "the broker at {address} takes no login by client certificate (auth_mechanism=external): \
         its plugin rabbitmq_auth_mechanism_ssl must be on, EXTERNAL among its auth_mechanisms, and \
         a user there called what ssl_cert_login_from takes from the certificate ({said})"
    )]
    ExternalLogin { address: String, said: String },
    /// There is no such vhost.
    #[error(
        "the broker has no vhost {vhost}: check the end of AMQP_URL, or create it with rabbitmqctl \
         add_vhost {vhost} and give user {user} its rights there ({said})"
    )]
    NoSuchVhost {
        vhost: String,
        user: String,
        said: String,
    },
    /// The user has no rights at all in the vhost.
    #[error(
        "user {user} may not use vhost {vhost}: rabbitmqctl set_permissions -p {vhost} {user} \
         CONFIGURE WRITE READ, with what amqp/README.md says ({said})"
    )]
    VhostRefused {
        vhost: String,
        user: String,
        said: String,
    },
    /// The user or the vhost has as many connections or channels as it may have.
    #[error(
        "user {user} or vhost {vhost} has as many connections or channels as the broker allows; the \
         gateway needs two connections, one of them for dead letters, and two more with \
         JOURNAL=stream: rabbitmqctl set_user_limits {user} or set_vhost_limits -p {vhost} ({said})"
    )]
    TooMany {
        vhost: String,
        user: String,
        said: String,
    },
    /// The user lacks a permission.
    #[error(
        "user {user} has no right to {permission} in vhost {vhost}: rabbitmqctl list_permissions -p \
         {vhost} shows what it has, rabbitmqctl set_permissions -p {vhost} {user} CONFIGURE WRITE \
         READ sets all three ({said})"
    )]
    NoPermission {
        user: String,
        vhost: String,
        permission: String,
        said: String,
    },
    /// There is no such exchange or queue.
    #[error("there is no {object} in vhost {vhost}: {remedy} ({said})")]
    Missing {
        object: String,
        vhost: String,
        remedy: String,
        said: String,
    },
    /// It exists with other properties or arguments than it is declared with.
    #[error(
        "{object} in vhost {vhost} exists otherwise than the gateway declares it{}: {} ({said})",
        differs(difference.as_deref()), remedy(object, difference.as_deref())
    )]
    Differs {
        object: String,
        vhost: String,
        difference: Option<Box<Difference>>,
        said: String,
    },
    /// It belongs to another connection alone.
    #[error(
        "{object} in vhost {vhost} belongs to another connection alone (exclusive): end what holds \
         it, or give the gateway another name ({said})"
    )]
    Locked {
        object: String,
        vhost: String,
        said: String,
    },
    /// The broker has ended a consumer by itself.
    #[error(
        "the broker has cancelled the consumer of {object}: the queue was deleted, or its node went \
         away"
    )]
    Cancelled { object: String },
    /// A queue has messages for its consumer, which gets none.
    #[error(
        "{object} has {ready} messages ready and has delivered none for {seconds} s to this gateway, \
         which consumes it: RabbitMQ 4.3.0 to 4.3.5 do so after a consumer_timeout, and need an update"
    )]
    Stalled {
        object: String,
        ready: u32,
        seconds: u64,
    },
    /// The broker has closed the consumer's channel.
    #[error(
        "the broker has closed the channel of {object}; deliveries that are not acknowledged within \
         its consumer_timeout are a reason, and dead letters that cannot be placed wait so long \
         ({said})"
    )]
    ChannelClosed { object: String, said: String },
    /// The queue that the journal's name means is not a stream.
    #[error(
        "{object} is no stream: give the journal another name in AMQP_JOURNAL_STREAM, or delete the \
         queue when it is empty"
    )]
    NoStream { object: String },
    /// The node has no copy of the stream.
    #[error(
        "the node at {address} has no running copy of {object} in vhost {vhost}, and a stream can only be \
         read where one is: AMQP_URL has to lead to a node that has one, or rabbitmq-streams \
         add_replica -p {vhost} STREAM NODE makes one there ({said})"
    )]
    NoReplica {
        object: String,
        vhost: String,
        address: String,
        said: String,
    },
    /// Deliveries go back that were submitted to a journal which has been lost.
    #[error("the journal has lost what was submitted of {object}: those deliveries go back")]
    JournalLost { object: String },
    /// The queue does not take a message.
    #[error(
        "{object} in vhost {vhost} takes no more: it is full (x-overflow is reject-publish), or has \
         no leader; empty it, or raise its max-length or max-length-bytes"
    )]
    NotTaken { object: String, vhost: String },
    /// The broker did not confirm a message in time.
    #[error(
        "not confirmed within {seconds} s by {address}: the broker takes no messages while it is \
         short of memory or disk (rabbitmqctl status shows its alarms)"
    )]
    Unconfirmed { address: String, seconds: u64 },
    /// A message's properties are larger than a frame.
    #[error("the message's headers are larger than a frame may be ({said})")]
    TooLargeForAFrame { said: String },
    /// An operator has closed the connection, or the broker shuts down.
    #[error("the broker at {address} has closed the connection ({said})")]
    Closed { address: String, said: String },
    /// Anything else.
    #[error("the broker at {address} does not do what user {user} asks for ({said})")]
    Other {
        address: String,
        user: String,
        said: String,
    },
}

impl BrokerError {
    /// What is missing could not be made either: in these words of the broker.
    pub(crate) fn because(mut self, refusal: String) -> Self {
        if let Self::Missing { said, .. } = &mut self {
            *said = refusal;
        }
        self
    }

    /// Whether it takes another connection.
    pub(crate) const fn is_stalled(&self) -> bool {
        matches!(self, Self::Stalled { .. })
    }

    /// Whether the user lacks a permission.
    pub(crate) const fn is_no_permission(&self) -> bool {
        matches!(self, Self::NoPermission { .. })
    }
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
        let [ours, theirs] =
            [ours, theirs].map(|value| if value.is_empty() { "''" } else { value });
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
