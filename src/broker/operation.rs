//! What the broker is asked to do, and the permission that takes.

/// An operation that the broker may refuse.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// To log in.
    Connect,
    /// To declare an exchange or a queue, such as `queue gateway.status_update`.
    Declare(String),
    /// To declare an exchange or a queue passively.
    Inspect(String),
    /// To bind a queue to an exchange.
    Bind { queue: String, exchange: String },
    /// To consume a queue.
    Consume(String),
    /// To publish to an exchange.
    Publish(String),
    /// To keep the connection, or to open a channel.
    UseConnection,
}

impl Operation {
    /// The object that it is about.
    pub(crate) fn object(&self) -> String {
        match self {
            Self::Declare(object) | Self::Inspect(object) => object.clone(),
            Self::Bind { queue, .. } | Self::Consume(queue) => queue.clone(),
            Self::Publish(exchange) => format!("exchange {exchange}"),
            Self::Connect | Self::UseConnection => "connection".to_owned(),
        }
    }

    /// The permission that it takes (<https://www.rabbitmq.com/docs/access-control>).
    pub(crate) fn permission(&self) -> String {
        match self {
            Self::Declare(object) => format!("configure {object}"),
            Self::Bind { queue, exchange } => {
                format!("bind, which takes write on {queue} and read on {exchange},")
            }
            Self::Consume(queue) => format!("read {queue}"),
            Self::Publish(exchange) => format!("write to exchange {exchange}"),
            Self::Inspect(object) => format!("look at {object}"),
            Self::Connect | Self::UseConnection => "do that".to_owned(),
        }
    }
}
