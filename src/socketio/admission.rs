//! Admission: by the root namespace, or by a conversation's own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use serde::Serialize;
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use time::OffsetDateTime;
use tracing::{debug, field};

use super::client::{Session, SocketGuard};
use super::counts::ConnectErrorCounts;
use super::handshake::{self, Admission, ConnectError};
use super::members::Members;
use super::namespaces::Namespaces;
use super::outlet::{Progress, SocketOutlet};
use super::refused::RefusedConnects;
use super::token_expiry::TokenExpiry;
use crate::auth::{Agent, Authenticator};
use crate::conversation::{ConversationKey, Id, Participant, rfc3339_from_unix};

/// Whether an agent's connects to a conversation are refused.
pub(super) type Denies = Box<dyn Fn(&Agent, &ConversationKey) -> bool + Send + Sync>;

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
            let (deciding, entering, refreshing) = (this.clone(), this.clone(), this.clone());
            let decide = async move |socket: SocketRef, TryData(auth): TryData<Value>| {
                let refreshing = refreshing.clone();
                let decision = deciding.decide(&socket, auth.unwrap_or_default()).await;
                if decision.is_ok() {
                    // Before the client has its answer, and could send one.
                    refreshing.offer_refresh(&socket);
                }
                decision
            };
            let enter = async move |socket: SocketRef| entering.enter(socket);
            io.ns(path, enter.with(decide));
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
    async fn decide(&self, socket: &SocketRef, auth: Value) -> Result<(), ConnectError> {
        let Some(session) = session(socket) else {
            // Every session comes by the service.
            return Err(ConnectError::ServiceUnavailable);
        };
        if let Some(guard) = SocketGuard::new(&session, socket.ns()) {
            socket.extensions.insert(Arc::new(guard));
        }
        match self.admission(socket, &session, &auth).await {
            Ok(admission) => {
                socket.extensions.insert(Arc::new(admission));
                Ok(())
            }
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

    async fn admission(
        &self,
        socket: &SocketRef,
        session: &Session,
        auth: &Value,
    ) -> Result<Admission, ConnectError> {
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
        if !session.protocol.table().grant(socket.ns()) {
            return Err(ConnectError::TooManyConnections);
        }
        Ok(admission)
    }

    /// Runs when the client has been admitted.
    fn enter(&self, socket: SocketRef) {
        let admission = socket.extensions.remove::<Arc<Admission>>();
        let (Some(admission), Some(session)) = (admission, session(&socket)) else {
            // A session that did not come by the service is none that could be closed.
            socket.disconnect().ok();
            return;
        };
        let Admission {
            agent,
            key,
            join,
            since,
        } = &*admission;
        debug!(tenant = %key.tenant, conversation = %key.conversation, agent = agent.id, "joined");
        let outlet = Arc::new(SocketOutlet {
            key: key.clone(),
            participant: Participant {
                agent: agent.id.clone(),
                name: agent.name.clone(),
                connected_at: OffsetDateTime::now_utc(),
            },
            join: *join,
            asked_at: *since,
            expiry: TokenExpiry::at(agent.expires_at),
            progress: Progress::default(),
            session: session.clone(),
            socket: socket.clone(),
        });
        // Weakly: the outlet holds the socket.
        socket.extensions.insert(Arc::downgrade(&outlet));
        // A client that polls gets its answer from the library's channel, like what comes after it.
        let at_once = !session.is_framed();
        let path = socket.ns();
        if session
            .protocol
            .table()
            .admitted(path, outlet.clone(), at_once)
        {
            self.members.join(outlet);
        }
        // What the client has sent meanwhile can pass.
        session.wake();
    }

    /// Has the socket take a fresh token.
    fn offer_refresh(self: &Arc<Self>, socket: &SocketRef) {
        let admissions = self.clone();
        let refresh =
            async move |socket: SocketRef, TryData(data): TryData<Value>, ack: AckSender| {
                let answer = match admissions.refresh(&socket, &data.unwrap_or_default()).await {
                    Ok(expires_at) => Refreshed {
                        ok: true,
                        expires_at: Some(rfc3339_from_unix(expires_at)),
                        error: None,
                    },
                    Err(refusal) => {
                        let address = session(&socket).map(|session| session.address());
                        let tenant = tenant_of(&socket);
                        debug!(
                            %refusal,
                            address = address.map(field::display),
                            tenant = tenant.as_ref().map(Id::as_str),
                            "refresh refused"
                        );
                        Refreshed {
                            ok: false,
                            expires_at: None,
                            error: Some(refusal.to_string()),
                        }
                    }
                };
                // A client that is gone needs no answer.
                ack.send(&answer).ok();
            };
        socket.on("refresh_token", refresh);
    }

    async fn refresh(&self, socket: &SocketRef, data: &Value) -> Result<i64, ConnectError> {
        let outlet = socket.extensions.get::<Weak<SocketOutlet>>();
        let outlet = outlet
            .and_then(|outlet| outlet.upgrade())
            .ok_or(ConnectError::AuthenticationRequired)?;
        let agent = handshake::authenticate(&self.authenticator, data).await?;
        if agent.id != outlet.participant.agent || !agent.may_follow(&outlet.key) {
            return Err(ConnectError::Forbidden);
        }
        outlet.expiry.renew(agent.expires_at);
        Ok(agent.expires_at)
    }
}

/// The tenant whose conversation the socket follows.
fn tenant_of(socket: &SocketRef) -> Option<Id> {
    let outlet = socket.extensions.get::<Weak<SocketOutlet>>()?.upgrade()?;
    Some(outlet.key.tenant.clone())
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
