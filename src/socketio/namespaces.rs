//! Dynamic namespaces, from the first socket to the last.
//!
//! A namespace is made when the first CONNECT to it passes, and removed when the last
//! socket that was in it, or that was refused, is gone. The library would make one itself for every
//! CONNECT, twice for two at the same instant, and would never remove it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use socketioxide::SocketIo;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::lock::Mutex;

type Make = Box<dyn Fn(&SocketIo, String) + Send + Sync>;

/// Counts the sockets of each dynamic namespace.
pub(super) struct Namespaces {
    io: SocketIo,
    make: Make,
    sockets: Mutex<HashMap<Arc<str>, usize>>,
    empty: UnboundedSender<Arc<str>>,
}

/// Keeps a namespace for as long as a socket lives.
pub(super) struct NamespaceGuard {
    namespaces: Arc<Namespaces>,
    path: Arc<str>,
}

impl Namespaces {
    /// Starts the task that removes empty namespaces; it ends with the last guard and handle.
    /// `make` adds a namespace to the server.
    pub(super) fn new(
        io: &SocketIo,
        make: impl Fn(&SocketIo, String) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (empty, emptied) = mpsc::unbounded_channel();
        let namespaces = Arc::new(Self {
            io: io.clone(),
            make: Box::new(make),
            sockets: Mutex::default(),
            empty,
        });
        tokio::spawn(remove_empty(Arc::downgrade(&namespaces), emptied));
        namespaces
    }

    /// Counts a socket that is going to connect to `path`, and makes the namespace for the first.
    pub(super) fn enter(self: &Arc<Self>, path: &str) -> NamespaceGuard {
        let mut sockets = self.sockets.lock();
        let known = sockets.get_key_value(path).map(|(path, _)| path.clone());
        let path = known.unwrap_or_else(|| {
            // One that waits for its removal is still there, and is kept by being counted.
            if self.io.of(path).is_none() {
                (self.make)(&self.io, path.to_owned());
            }
            Arc::from(path)
        });
        *sockets.entry(path.clone()).or_default() += 1;
        NamespaceGuard {
            namespaces: self.clone(),
            path,
        }
    }
}

impl NamespaceGuard {
    pub(super) fn path(&self) -> &Arc<str> {
        &self.path
    }
}

impl Drop for NamespaceGuard {
    fn drop(&mut self) {
        let mut sockets = self.namespaces.sockets.lock();
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

async fn remove_empty(namespaces: Weak<Namespaces>, mut emptied: UnboundedReceiver<Arc<str>>) {
    while let Some(path) = emptied.recv().await {
        let Some(namespaces) = namespaces.upgrade() else {
            return;
        };
        // Under the lock: a connect that is counted meanwhile finds the namespace still there.
        let sockets = namespaces.sockets.lock();
        if !sockets.contains_key(&path) {
            namespaces.io.delete_ns(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn gone(io: &SocketIo, path: &str) {
        // The task that removes it is woken by the last guard.
        while io.of(path).is_some() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_namespace_comes_with_its_first_guard_and_goes_with_its_last() {
        let (_, io) = SocketIo::new_layer();
        let namespaces = Namespaces::new(&io, |io, path| {
            io.ns(path, async || {});
        });
        assert!(io.of("/a").is_none());
        let first = namespaces.enter("/a");
        let second = namespaces.enter("/a");
        assert!(io.of("/a").is_some());
        drop(first);
        // What is removed next shows that the task had nothing to do for the one before.
        drop(namespaces.enter("/b"));
        gone(&io, "/b").await;
        assert!(io.of("/a").is_some());
        drop(second);
        // Counted again before it is removed, it stays.
        let third = namespaces.enter("/a");
        drop(namespaces.enter("/b"));
        gone(&io, "/b").await;
        assert!(io.of("/a").is_some());
        drop(third);
        gone(&io, "/a").await;
        assert!(namespaces.sockets.lock().is_empty());
    }
}
