//! The two doors to a conversation: the root namespace, and one namespace a conversation.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use time::OffsetDateTime;
use tracing::{debug, field};

use super::connects::{Connects, Heard};
use super::counts::Counts;
use super::handshake::{self, Admission, Refusal};
use super::kept_out::KeptOut;
use super::members::{Members, Seat};
use super::namespaces::Namespaces;
use super::outlet::{Progress, SocketOutlet, way};
use super::refused::RefusedConnects;
use super::term::Term;
use super::transport::Transport;
use crate::auth::Authenticator;
use crate::conversation::{ConversationKey, Hub, Id, Participant, rfc3339_from_unix};

pub(super) struct Doors {
    authenticator: Arc<Authenticator>,
    hub: Arc<Hub>,
    members: Arc<Members>,
    kept_out: KeptOut,
    patience: Duration,
    counts: Arc<Counts>,
    refused: RefusedConnects,
    closed: AtomicBool,
}

impl Doors {
    pub(super) fn new(
        authenticator: Arc<Authenticator>,
        hub: Arc<Hub>,
        members: Arc<Members>,
        patience: Duration,
        counts: Arc<Counts>,
    ) -> Arc<Self> {
        Arc::new(Self {
            authenticator,
            hub,
            members,
            kept_out: KeptOut::default(),
            patience,
            counts,
            refused: RefusedConnects::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// Opens the root namespace, and makes conversations' namespaces from now on.
    pub(super) fn open(self: &Arc<Self>, io: &SocketIo) -> Arc<Namespaces> {
        let doors = self.clone();
        let add = move |io: &SocketIo, path: String| {
            let (admitting, entering, refreshing) = (doors.clone(), doors.clone(), doors.clone());
            let admit = async move |socket: SocketRef, TryData(auth): TryData<Value>| {
                let refreshing = refreshing.clone();
                let admission = admitting.admit(&socket, auth.unwrap_or_default()).await;
                if admission.is_ok() {
                    // Before the client hears that it is in, and could ask.
                    refreshing.offer_refresh(&socket);
                }
                admission
            };
            let enter = async move |socket: SocketRef| entering.enter(socket);
            io.ns(path, enter.with(admit));
        };
        add(io, "/".to_owned());
        Namespaces::new(io, add)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(super) fn keep_out(&self, agent: &str, key: &ConversationKey, until: Instant) {
        self.kept_out.until(agent, key, until);
    }

    /// Runs before the client's CONNECT is answered.
    async fn admit(&self, socket: &SocketRef, auth: Value) -> Result<(), Refusal> {
        let Some(transport) = transport(socket) else {
            // Nobody gets here but by the front.
            return Err(Refusal::ServiceUnavailable);
        };
        if let Some(visit) = Connects::visit(&transport, socket.ns()) {
            socket.extensions.insert(Arc::new(visit));
        }
        let (answer, length) = match self.admission(socket, &transport, &auth).await {
            Ok(admission) => {
                socket.extensions.insert(Arc::new(admission));
                (Ok(()), r#"{"sid":""}"#.len() + socket.id.as_str().len())
            }
            Err(refusal) => {
                let query = socket.req_parts().uri.query();
                let tenant = handshake::tenant(socket.ns(), query, &auth);
                let address = transport.address();
                self.refused.note(refusal, address, tenant.as_ref());
                self.counts.refused.of(refusal).count();
                self.refused(refusal, socket, &transport);
                let text = refusal.to_string();
                (Err(refusal), r#"{"message":""}"#.len() + text.len())
            }
        };
        // The answer has its place among what waits for the client.
        let header = "40,".len() + socket.ns().len();
        let way = way(socket, &transport);
        transport.backlog.emitted(way, header + length);
        answer
    }

    async fn admission(
        &self,
        socket: &SocketRef,
        transport: &Arc<Transport>,
        auth: &Value,
    ) -> Result<Admission, Refusal> {
        if transport.over_limit() {
            transport.end_soon();
            return Err(Refusal::TooManyConnections);
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(Refusal::ServiceUnavailable);
        }
        let query = socket.req_parts().uri.query();
        let admission = handshake::admit(&self.authenticator, socket.ns(), query, auth).await?;
        let Admission { agent, key, .. } = &admission;
        if self.kept_out.keeps(agent, key, Instant::now()) {
            return Err(Refusal::ServiceUnavailable);
        }
        if !transport.connects.grant(socket.ns()) {
            return Err(Refusal::TooManyConnections);
        }
        Ok(admission)
    }

    fn refused(&self, refusal: Refusal, socket: &SocketRef, transport: &Arc<Transport>) {
        match refusal {
            // Whoever has been let in so often is no stranger.
            Refusal::TooManyConnections => transport.connects.turned_away(socket.ns()),
            _ => {
                if transport.connects.refused(socket.ns()) == Heard::Last {
                    transport.end_soon();
                }
            }
        }
    }

    /// Runs when the client has been let in.
    fn enter(&self, socket: SocketRef) {
        let admission = socket.extensions.remove::<Arc<Admission>>();
        let (Some(admission), Some(transport)) = (admission, transport(&socket)) else {
            // A session that did not come by the front is none that could be ended.
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
        transport.connects.opened(socket.ns());
        let outlet = Arc::new(SocketOutlet {
            key: key.clone(),
            participant: Participant {
                agent: agent.id.clone(),
                name: agent.name.clone(),
                connected_at: OffsetDateTime::now_utc(),
            },
            term: Term::until(agent.expires_at),
            transport,
            patience: self.patience,
            progress: Progress::default(),
            socket: socket.clone(),
        });
        // Weakly: the outlet holds the socket.
        socket.extensions.insert(Arc::downgrade(&outlet));
        let membership = self.hub.join(key, *join, outlet.clone());
        self.members.seat(Seat { outlet, membership }, *since);
    }

    /// Has the socket take a fresh token.
    fn offer_refresh(self: &Arc<Self>, socket: &SocketRef) {
        let doors = self.clone();
        let refresh =
            async move |socket: SocketRef, TryData(data): TryData<Value>, ack: AckSender| {
                let answer = match doors.refresh(&socket, &data.unwrap_or_default()).await {
                    Ok(expires_at) => Refreshed {
                        ok: true,
                        expires_at: Some(rfc3339_from_unix(expires_at)),
                        error: None,
                    },
                    Err(refusal) => {
                        let address = transport(&socket).map(|transport| transport.address());
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
                // Whoever is gone needs no answer.
                ack.send(&answer).ok();
            };
        socket.on("refresh_token", refresh);
    }

    async fn refresh(&self, socket: &SocketRef, data: &Value) -> Result<i64, Refusal> {
        let outlet = socket.extensions.get::<Weak<SocketOutlet>>();
        let outlet = outlet
            .and_then(|outlet| outlet.upgrade())
            .ok_or(Refusal::AuthenticationRequired)?;
        let agent = handshake::authenticate(&self.authenticator, data).await?;
        if agent.id != outlet.participant.agent || !agent.may_follow(&outlet.key) {
            return Err(Refusal::Forbidden);
        }
        outlet.term.renew(agent.expires_at);
        Ok(agent.expires_at)
    }
}

/// The tenant whose conversation the socket follows.
fn tenant_of(socket: &SocketRef) -> Option<Id> {
    let outlet = socket.extensions.get::<Weak<SocketOutlet>>()?.upgrade()?;
    Some(outlet.key.tenant.clone())
}

fn transport(socket: &SocketRef) -> Option<Arc<Transport>> {
    let parts = socket.req_parts();
    parts.extensions.get::<Arc<Transport>>().cloned()
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
