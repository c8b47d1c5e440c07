//! What can go wrong with a connection.

use std::io;

/// A connection that could not be made, or is lost.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection failed, or ended in the middle of something.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server answered with another status than asked for.
    #[error("status {0}")]
    Status(u16),
    /// The server sent what the protocol does not have.
    #[error("{0}")]
    Protocol(String),
}

impl Error {
    /// The connection ended in the middle of something.
    pub(crate) fn ended() -> Self {
        Self::Io(io::ErrorKind::UnexpectedEof.into())
    }

    pub(crate) fn protocol(what: impl Into<String>) -> Self {
        Self::Protocol(what.into())
    }
}
