//! What the broker is asked to do, and what that takes.

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

impl Act {
    /// What it is about.
    pub(super) fn object(&self) -> String {
        match self {
            Self::Declare(object) | Self::Look(object) => object.clone(),
            Self::Bind { queue, .. } | Self::Consume(queue) => queue.clone(),
            Self::Publish(exchange) => format!("exchange {exchange}"),
            Self::Connect | Self::Stay => "connection".to_owned(),
        }
    }

    /// The right that it takes (<https://www.rabbitmq.com/docs/access-control>).
    pub(super) fn right(&self) -> String {
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
