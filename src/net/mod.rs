//! Accepted connections, each of which can be watched and ended from elsewhere.

mod connection;
mod listener;

pub use connection::{Connection, Line};
pub use listener::{Listener, Peer};
