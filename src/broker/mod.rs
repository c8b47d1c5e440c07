//! What every user of RabbitMQ shares: the way in, the loop that keeps it, what is declared there,
//! publishing with confirms, and errors that say what to do about them.
//!
//! lapin could recover connections by itself. One loop of our own ([`keep_connected`]) has the first
//! connect and every later one share readiness, backoff and log line.

mod backoff;
mod broker_error;
mod check;
mod coalescing;
mod connection;
mod declaration;
mod explain;
mod inspection;
mod io_thread;
mod operation;
mod publisher;
mod redacted_uri;
mod reply;
mod session;
mod shared_uri;
mod tls;
mod topology;

pub(crate) use backoff::Backoff;
pub use broker_error::BrokerError;
pub use check::Check;
pub(crate) use coalescing::Coalescing;
pub(crate) use connection::{BrokerConnection, Traffic};
pub(crate) use inspection::{Depth, Inspection, TlsUse, reach};
pub(crate) use io_thread::acknowledging;
pub(crate) use operation::Operation;
pub use publisher::PublishError;
pub(crate) use publisher::{Publisher, Target};
pub use reply::Difference;
pub(crate) use session::{Session, keep_connected};
pub use shared_uri::SharedUri;
pub use tls::{PemError, Tls};
pub use topology::{Argument, Queue, Topology, key_matches};

/// What the broker calls the exchange without a name.
pub(crate) const DEFAULT_EXCHANGE: &str = "amq.default";
