//! The broker's address and credentials, which can change while the program runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use lapin::uri::AMQPUri;

use super::redacted_uri::RedactedUri;
use super::tls::Tls;

/// What the next connection is opened with. Its clones are the same: one change counts for all. It
/// holds a password and perhaps a key, which `Debug` does not show.
#[derive(Clone)]
pub struct SharedUri(Arc<ArcSwap<Access>>);

/// The broker's address, and what opens the way in.
pub(crate) struct Access {
    pub(crate) uri: AMQPUri,
    pub(crate) tls: Tls,
}

impl SharedUri {
    /// A broker that is reached by `uri`, with `tls` if that is `amqps://`.
    pub fn new(uri: AMQPUri, tls: Tls) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Access { uri, tls })))
    }

    /// As it is now.
    pub(crate) fn access(&self) -> Arc<Access> {
        self.0.load_full()
    }

    /// The URI, with its password.
    pub fn get(&self) -> AMQPUri {
        self.access().uri.clone()
    }

    /// Where the broker is, without its credentials.
    pub fn address(&self) -> String {
        let uri = RedactedUri::new(&self.access());
        match &*uri.vhost {
            "/" => uri.address,
            name => format!("{}/{name}", uri.address),
        }
    }

    /// Whom the broker knows the gateway as.
    pub fn user(&self) -> String {
        RedactedUri::new(&self.access()).user
    }

    /// Whether the broker takes the user from the gateway's certificate.
    pub(crate) fn is_external(&self) -> bool {
        RedactedUri::new(&self.access()).is_external
    }

    /// Has connections be opened with what `other` has now. Those that are open stay.
    pub fn set(&self, other: &Self) {
        self.0.store(other.access());
    }
}

impl std::fmt::Debug for SharedUri {
    // Credentials appear in no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SharedUri").field(&self.address()).finish()
    }
}

impl From<AMQPUri> for SharedUri {
    fn from(uri: AMQPUri) -> Self {
        Self::new(uri, Tls::default())
    }
}
