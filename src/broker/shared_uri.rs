//! The broker's address and credentials, which can change while the program runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use lapin::uri::AMQPUri;

use super::redacted_uri::RedactedUri;

/// What the next connection is opened with. Its clones are the same: one change counts for all. It
/// holds a password, which `Debug` does not show.
#[derive(Clone)]
pub struct SharedUri(Arc<ArcSwap<AMQPUri>>);

impl SharedUri {
    /// As it is now.
    pub fn get(&self) -> Arc<AMQPUri> {
        self.0.load_full()
    }

    /// Where the broker is, without its credentials.
    pub fn address(&self) -> String {
        let uri = RedactedUri::new(&self.get());
        match &*uri.vhost {
            "/" => uri.address,
            name => format!("{}/{name}", uri.address),
        }
    }

    /// Whom the broker knows the gateway as.
    pub fn user(&self) -> String {
        self.get().authority.userinfo.username.clone()
    }

    /// Has connections be opened with another one from now on. Those that are open stay.
    pub fn set(&self, uri: Arc<AMQPUri>) {
        self.0.store(uri);
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
        Self(Arc::new(ArcSwap::from_pointee(uri)))
    }
}
