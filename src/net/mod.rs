//! Accepted connections, each of which can be hung up from elsewhere.

mod connection;
mod listener;

pub use connection::{Connection, HangUp};
pub use listener::{Listener, Peer};
