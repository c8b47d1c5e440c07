//! A light client of Engine.IO 4 and Socket.IO 5, for tests and the load generator: it shows packets
//! as they are, and sends whatever it is given, right or wrong.
//!
//! The protocols are plain functions over bytes ([`frame`], [`packet`], [`Decoder`]): a program with
//! thousands of sockets calls them from its own event loop, and nothing is allocated for a message.
//! The transports over Tokio ([`WebSocket`], [`Polling`], either of them as a [`Session`]) are made of
//! the same functions.
//!
//! | module | what |
//! |---|---|
//! | [`frame`] | WebSocket frames (RFC 6455) of servers and clients |
//! | [`packet`] | packets of Engine.IO and Socket.IO, and payloads |
//! | [`http`] | HTTP/1.1: requests as bytes, responses by `content-length` |
//! | [`Decoder`] | the answer to an upgrade request, then frames |
//! | [`WebSocket`], [`Polling`] | the two transports |
//! | [`Session`] | an Engine.IO session over either |

mod decoder;
mod error;
pub mod frame;
pub mod http;
pub mod packet;
mod polling;
mod session;
mod websocket;

pub use decoder::{Decoder, UPGRADE};
pub use error::Error;
pub use polling::{Polling, Poster};
pub use session::Session;
pub use websocket::{Message, WebSocket};

/// The path and query of a polling session's requests, of which more of the query may follow.
pub const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// The path and query of a WebSocket's upgrade request, of which more of the query may follow.
pub const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
