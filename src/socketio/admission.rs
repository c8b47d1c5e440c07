//! Admission: by the root namespace, or by a conversation's own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{AckSender, Event, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::socket::Socket;
use tracing::{debug, field};

use super::client::{Session, SocketGuard};
use super::counts::ConnectErrorCounts;
use super::handshake::{self, Admission, ConnectError};
use super::members::Members;
use super::namespaces::Namespaces;
use super::outlet::SocketOutlet;
use super::refused::RefusedConnects;
use crate::auth::{Agent, Authenticator};
use crate::conversation::{ConversationKey, rfc3339_from_unix};

/// Whether an agent's connects to a conversation are refused.
pub(super) type Denies = Box<dyn Fn(&Agent, &ConversationKey) -> bool + Send + Sync>;

/// Has an admitted socket enter in the library's task, before the answer to its CONNECT is written. The library
/// runs a closure in a task of its own, mostly after that, so that `joined` would take another system call.
#[derive(Clone)]
struct Enter(Arc<Admissions>);

impl ConnectHandler<LocalAdapter, ()> for Enter {
    fn call(&self, socket: Arc<Socket>, _: Option<socketioxide::handler::Value>) {
        self.0.enter(&socket.into());
    }
}

/// Decides about CONNECTs, and has admitted members join.
pub(super) struct Admissions {
    authenticator: Arc<Authenticator>,
    members: Arc<Members>,
    /// Denies more than the contract does: [`Sockets::deny_if`](super::Sockets::deny_if).
    denies: OnceLock<Denies>,
    refused: Arc<ConnectErrorCounts>,
    logged: RefusedConnects,
    closed: AtomicBool,
}

impl Admissions {
    pub(super) fn new(
        authenticator: Arc<Authenticator>,
        members: Arc<Members>,
        refused: Arc<ConnectErrorCounts>,
    ) -> Arc<Self> {
        Arc::new(Self {
            authenticator,
            members,
            denies: OnceLock::new(),
            refused,
            logged: RefusedConnects::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// Opens the root namespace, and makes conversations' namespaces from now on.
    pub(super) fn open(self: &Arc<Self>, io: &SocketIo) -> Arc<Namespaces> {
        let this = self.clone();
        let add = move |io: &SocketIo, path: String| {
            let deciding = this.clone();
            let decide = async move |socket: SocketRef, TryData(auth): TryData<Value>| {
                deciding.decide(&socket, auth.unwrap_or_default()).await
            };
            io.ns(path, Enter(this.clone()).with(decide));
        };
        add(io, "/".to_owned());
        Namespaces::new(io, add)
    }

    /// Refuses all connects from now on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(super) fn deny_if(&self, denies: Denies) {
        self.denies.set(denies).ok();
    }

    /// Runs before the client's CONNECT is answered.
    async fn decide(self: &Arc<Self>, socket: &SocketRef, auth: Value) -> Result<(), ConnectError> {
        let Some(session) = session(socket) else {
            // Every session comes by the service.
            return Err(ConnectError::ServiceUnavailable);
        };
        if let Some(guard) = SocketGuard::new(&session, socket.ns()) {
            // Before the client has its answer, and could send one.
            self.offer_refresh(socket, guard);
        }
        match self.admit(socket, &session, &auth).await {
            Ok(()) => Ok(()),
            Err(refusal) => {
                let query = socket.req_parts().uri.query();
                let tenant = handshake::tenant(socket.ns(), query, &auth);
                let address = session.address();
                self.logged.note(refusal, address, tenant.as_ref());
                self.refused.count(&refusal);
                let mut table = session.protocol.table();
                // A client with that many conversations has shown good tokens.
                table.refuse(socket.ns(), refusal != ConnectError::TooManyConnections);
                if session.is_over_limit() {
                    table.close_when_answered();
                }
                Err(refusal)
            }
        }
    }

    async fn admit(
        &self,
        socket: &SocketRef,
        session: &Session,
        auth: &Value,
    ) -> Result<(), ConnectError> {
        if session.is_over_limit() {
            return Err(ConnectError::TooManyConnections);
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(ConnectError::ServiceUnavailable);
        }
        let query = socket.req_parts().uri.query();
        let admission = handshake::admit(&self.authenticator, socket.ns(), query, auth).await?;
        let Admission { agent, key, .. } = &admission;
        if self.denies.get().is_some_and(|denies| denies(agent, key)) {
            return Err(ConnectError::ServiceUnavailable);
        }
        let admission = Box::new(admission);
        match session.protocol.table().grant(socket.ns(), admission) {
            true => Ok(()),
            false => Err(ConnectError::TooManyConnections),
        }
    }

    /// Runs when the client has been admitted.
    fn enter(&self, socket: &SocketRef) {
        let Some(session) = session(socket) else {
            return;
        };
        // A client that polls gets its answer from the library's channel, like what comes after it.
        let at_once = !session.is_framed();
        let make = |admission: Box<Admission>| {
            Arc::new(SocketOutlet::new(
                *admission,
                socket.clone(),
                session.clone(),
            ))
        };
        let mut table = session.protocol.table();
        let member = table.admitted(socket.ns(), at_once, make);
        drop(table);
        if let Some(outlet) = member {
            self.members.join(outlet);
        }
        if session.is_closed() {
            // The library may have ended its sockets before this one was there.
            socket.clone().disconnect().ok();
        }
        // What the client has sent meanwhile can pass.
        session.wake();
    }

    /// Has the socket take a fresh token, and keep the guard for as long as it lives.
    fn offer_refresh(self: &Arc<Self>, socket: &SocketRef, guard: SocketGuard) {
        let (admissions, guard) = (self.clone(), Arc::new(guard));
        let hear = async move |socket: SocketRef,
                               Event(event): Event,
                               TryData(data): TryData<Value>,
                               ack: AckSender| {
            let _guard = guard;
            if event == "refresh_token" {
                let answer = admissions.refresh(&socket, &data.unwrap_or_default()).await;
                // A client that is gone needs no answer.
                ack.send(&answer).ok();
            }
        };
        // There is one event: a table for handlers by name would take 200 bytes more.
        socket.on_fallback(hear);
    }

    async fn refresh(&self, socket: &SocketRef, data: &Value) -> Refreshed {
        let session = session(socket);
        let table = session.as_ref().map(|session| session.protocol.table());
        let outlet = table.and_then(|table| table.member(socket.ns()).cloned());
        match self.renew(outlet.as_deref(), data).await {
            Ok(expires_at) => Refreshed {
                ok: true,
                expires_at: Some(rfc3339_from_unix(expires_at)),
                error: None,
            },
            Err(refusal) => {
                debug!(
                    %refusal,
                    address = session.map(|session| field::display(session.address())),
                    tenant = outlet.as_ref().map(|outlet| field::display(&outlet.key.tenant)),
                    "refresh refused"
                );
                Refreshed {
                    ok: false,
                    expires_at: None,
                    error: Some(refusal.to_string()),
                }
            }
        }
    }

    /// Checks a fresh token of a member's; with its expiry, in Unix seconds.
    async fn renew(
        &self,
        outlet: Option<&SocketOutlet>,
        data: &Value,
    ) -> Result<i64, ConnectError> {
        let outlet = outlet.ok_or(ConnectError::AuthenticationRequired)?;
        let agent = handshake::authenticate(&self.authenticator, data).await?;
        if agent.id != outlet.participant.agent || !agent.may_follow(&outlet.key) {
            return Err(ConnectError::Forbidden);
        }
        outlet.expiry.renew(agent.expires_at);
        Ok(agent.expires_at)
    }
}

fn session(socket: &SocketRef) -> Option<Arc<Session>> {
    let parts = socket.req_parts();
    parts.extensions.get::<Arc<Session>>().cloned()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refreshed {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}
