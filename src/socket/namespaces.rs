//! The life of dynamic namespaces.
//!
//! socketioxide makes a dynamic namespace before anybody has shown a token, and never removes it.
//! Here each is counted from the moment a connect to it is looked at, and removed when the last
//! socket that was in it, or that was refused, is gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socketioxide::SocketIo;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Counts the sockets of each dynamic namespace.
pub(super) struct Namespaces {
    sockets: Mutex<HashMap<Arc<str>, usize>>,
    empty: UnboundedSender<Arc<str>>,
}

/// A socket's place in the count: kept as long as the socket lives.
pub(super) struct Ticket {
    namespaces: Arc<Namespaces>,
    path: Arc<str>,
}

impl Namespaces {
    /// Starts the task that removes empty namespaces; it ends with the last ticket and handle.
    pub(super) fn new(io: &SocketIo) -> Arc<Self> {
        let (empty, emptied) = mpsc::unbounded_channel();
        let namespaces = Arc::new(Self {
            sockets: Mutex::default(),
            empty,
        });
        tokio::spawn(remove_empty(
            io.clone(),
            Arc::downgrade(&namespaces),
            emptied,
        ));
        namespaces
    }

    /// Counts a socket that connects to `path`.
    pub(super) fn enter(self: &Arc<Self>, path: &str) -> Ticket {
        let mut sockets = self.lock();
        let path = match sockets.get_key_value(path) {
            Some((path, _)) => path.clone(),
            None => Arc::from(path),
        };
        *sockets.entry(path.clone()).or_default() += 1;
        Ticket {
            namespaces: self.clone(),
            path,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, usize>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut sockets = self.namespaces.lock();
        if let Some(count) = sockets.get_mut(&self.path) {
            *count -= 1;
            if *count == 0 {
                sockets.remove(&self.path);
                // A socket can be dropped under a conversation's lock: the work is done elsewhere.
                // Without a receiver the server has ended, and its namespaces with it.
                self.namespaces.empty.send(self.path.clone()).ok();
            }
        }
    }
}

async fn remove_empty(
    io: SocketIo,
    namespaces: std::sync::Weak<Namespaces>,
    mut emptied: UnboundedReceiver<Arc<str>>,
) {
    while let Some(path) = emptied.recv().await {
        let Some(namespaces) = namespaces.upgrade() else {
            return;
        };
        // Under the lock: a connect that is counted meanwhile finds the namespace still there.
        let sockets = namespaces.lock();
        if !sockets.contains_key(&path) {
            io.delete_ns(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn gone(io: &SocketIo, path: &str) {
        // The task that removes it is woken by the last ticket.
        while io.of(path).is_some() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_namespace_goes_with_its_last_ticket_and_not_before() {
        let (_, io) = SocketIo::new_layer();
        let namespaces = Namespaces::new(&io);
        for path in ["/a", "/b"] {
            io.ns(path, async || {});
        }
        let first = namespaces.enter("/a");
        let second = namespaces.enter("/a");
        drop(first);
        // What is removed next shows that the task had nothing to do for the one before.
        drop(namespaces.enter("/b"));
        gone(&io, "/b").await;
        assert!(io.of("/a").is_some());
        drop(second);
        gone(&io, "/a").await;
        assert!(namespaces.lock().is_empty());
    }
}
