//! What becomes of a CONNECT that the library has: its socket, its answer, its member.

use std::time::Instant;

use super::{NamespaceEntry, NamespaceState, NamespaceTable, find};
use crate::socketio::namespaces::NamespaceGuard;

impl<A, M> NamespaceTable<A, M> {
    /// The library has made a socket, which is to hold the guard; with its number. `None`: without a
    /// CONNECT.
    pub(in crate::socketio) fn socket_created(
        &mut self,
        path: &str,
    ) -> Option<(u64, Option<NamespaceGuard>)> {
        let entry = find(&mut self.entries, path)?;
        let NamespaceState::Requested { guard, .. } = &mut entry.state else {
            return None;
        };
        let guard = guard.take();
        entry.state = NamespaceState::Deciding;
        Some((entry.socket, guard))
    }

    /// Grants a CONNECT; false if the session follows as many conversations as it may.
    pub(in crate::socketio) fn grant(&mut self, path: &str, admission: A) -> bool {
        if self.open + self.granted >= Self::MAX_CONVERSATIONS {
            return false;
        }
        if let Some(entry) = find(&mut self.entries, path)
            && matches!(entry.state, NamespaceState::Deciding)
        {
            entry.state = NamespaceState::Granted {
                admission,
                answered: false,
            };
            self.granted += 1;
        }
        true
    }

    /// Refuses a CONNECT. `counts`: it speaks against the client, whose session is closed when too
    /// many do.
    pub(in crate::socketio) fn refuse(&mut self, path: &str, counts: bool) {
        if let Some(entry) = find(&mut self.entries, path)
            && entry.state.is_deciding()
        {
            self.deciding -= 1;
            self.granted -= usize::from(entry.state.is_granted());
            entry.state = NamespaceState::Refused;
        }
        self.refused += usize::from(counts);
        self.expect_answer();
    }

    pub(super) fn expect_answer(&mut self) {
        self.unanswered += 1;
        self.ends |= self.refused >= Self::MAX_REFUSED;
    }

    /// The session is closed once it has its pending answers.
    pub(in crate::socketio) fn close_when_answered(&mut self) {
        self.ends = true;
    }

    /// The answer to a refused CONNECT is on its way. True: the session is to be
    /// closed.
    pub(in crate::socketio) fn refusal_answered(&mut self) -> bool {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.ends && self.unanswered == 0
    }

    /// The answer to a granted CONNECT is on its way; with the member that has waited for it.
    pub(in crate::socketio) fn answered(&mut self, path: &str) -> Option<M>
    where
        M: Clone,
    {
        let entry = find(&mut self.entries, path)?;
        match &mut entry.state {
            NamespaceState::Admitted(member) => {
                let member = member.clone();
                Some(self.open(path, member))
            }
            NamespaceState::Granted { answered, .. } => {
                *answered = true;
                None
            }
            _ => None,
        }
    }

    /// The library has admitted the socket, for which `make` makes the member; with it, if it joins now: its answer
    /// is on its way, or it need not wait for that (`at_once`).
    pub(in crate::socketio) fn admitted(
        &mut self,
        path: &str,
        at_once: bool,
        make: impl FnOnce(A) -> M,
    ) -> Option<M>
    where
        M: Clone,
    {
        let entry = find(&mut self.entries, path)?;
        match std::mem::replace(&mut entry.state, NamespaceState::Deciding) {
            NamespaceState::Granted {
                admission,
                answered,
            } => {
                let member = make(admission);
                if at_once || answered {
                    return Some(self.open(path, member));
                }
                entry.state = NamespaceState::Admitted(member);
            }
            other => entry.state = other,
        }
        None
    }

    fn open(&mut self, path: &str, member: M) -> M
    where
        M: Clone,
    {
        if let Some(entry) = find(&mut self.entries, path) {
            entry.state = NamespaceState::Open(member.clone());
            self.deciding -= 1;
            self.granted -= 1;
            self.open += 1;
            self.has_joined = true;
        }
        member
    }

    /// The client leaves, or the server disconnects it; with the member that was there.
    pub(in crate::socketio) fn leave(&mut self, path: &str) -> Option<M> {
        let entry = find(&mut self.entries, path)?;
        if !matches!(entry.state, NamespaceState::Open(_)) {
            return None;
        }
        self.open -= 1;
        match std::mem::replace(&mut entry.state, NamespaceState::Leaving) {
            NamespaceState::Open(member) => Some(member),
            _ => None,
        }
    }

    /// The library has removed a socket.
    pub(in crate::socketio) fn socket_removed(&mut self, socket: u64) {
        let is_it = |entry: &NamespaceEntry<A, M>| entry.socket == socket;
        let Some(index) = self.entries.iter().position(is_it) else {
            return;
        };
        match self.entries.swap_remove(index).state {
            NamespaceState::Requested { .. } | NamespaceState::Deciding => self.deciding -= 1,
            NamespaceState::Granted { .. } | NamespaceState::Admitted(_) => {
                self.deciding -= 1;
                self.granted -= 1;
            }
            NamespaceState::Open(_) => self.open -= 1,
            NamespaceState::Leaving | NamespaceState::Refused => {}
        }
        if self.entries.is_empty() {
            self.entries = Vec::new();
            self.idle_since.get_or_insert_with(Instant::now);
        }
    }

    /// The session has sent a DISCONNECT itself, so that the library's is dropped.
    pub(in crate::socketio) fn disconnect_sent(&mut self, path: &str) {
        self.sent_disconnects.push(path.into());
    }

    /// The library has written a DISCONNECT. True: the client has one already.
    pub(in crate::socketio) fn take_sent_disconnect(&mut self, path: &str) -> bool {
        let sent = &mut self.sent_disconnects;
        let index = sent.iter().position(|sent| **sent == *path);
        index.map(|index| sent.swap_remove(index)).is_some()
    }
}
