//! Accepted TCP connections, and HTTP on them, with a bound for all that a client can have kept.

mod body;
mod client;
mod connection;
mod deadlines;
mod limits;
mod listener;
mod permits;
mod server;

pub use client::{came_by, client_address, entries};
pub use connection::{Connection, UpgradedConnection};
pub use limits::{Limits, raise_descriptors};
pub use listener::{Listener, Peer};
pub use permits::{Bounds, LimitExceeded, Permit, Permits};
pub use server::{Corked, Handler, serve};
