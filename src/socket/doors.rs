//! The two doors to a conversation: the root namespace, and one namespace a conversation.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::socket::DisconnectReason;
use tracing::{debug, warn};

use super::handshake::{self, Admission, Refusal};
use super::namespaces::Namespaces;
use super::outlet::SocketOutlet;
use super::transport::Transport;
use crate::auth::Authenticator;
use crate::conversation::{Hub, Membership};

const NAMESPACE: &str = "/tenant/{tenantId}/conv/{conversationId}";

/// After this time a namespace that was made twice at once has settled.
const SETTLED: Duration = Duration::from_secs(1);

pub(super) struct Doors {
    authenticator: Arc<Authenticator>,
    hub: Arc<Hub>,
    namespaces: Arc<Namespaces>,
    patience: Duration,
    closed: AtomicBool,
}

/// What a socket carries between the steps of its life.
#[derive(Clone)]
struct Pass {
    admission: Arc<Admission>,
    membership: Arc<OnceLock<Membership>>,
}

impl Doors {
    pub(super) fn open(
        io: &SocketIo,
        authenticator: Arc<Authenticator>,
        hub: Arc<Hub>,
        patience: Duration,
    ) -> Arc<Self> {
        let doors = Arc::new(Self {
            authenticator,
            hub,
            namespaces: Namespaces::new(io),
            patience,
            closed: AtomicBool::new(false),
        });
        let admit = {
            let doors = doors.clone();
            async move |socket: SocketRef, TryData(auth): TryData<Value>| {
                // What cannot be read as JSON holds no token.
                doors.admit(&socket, auth.unwrap_or_default()).await
            }
        };
        let enter = {
            let doors = doors.clone();
            async move |socket: SocketRef, io: SocketIo| doors.enter(socket, &io)
        };
        io.ns("/", enter.clone().with(admit.clone()));
        if let Err(error) = io.dyn_ns(NAMESPACE, enter.with(admit)) {
            // The pattern is a constant, which the tests connect to.
            warn!(%error, "conversations have no namespaces of their own");
        }
        doors
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Runs before the client's CONNECT is answered.
    async fn admit(&self, socket: &SocketRef, auth: Value) -> Result<(), Refusal> {
        if socket.ns() != "/" {
            socket
                .extensions
                .insert(Arc::new(self.namespaces.enter(socket.ns())));
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(Refusal::ServiceUnavailable);
        }
        let query = socket.req_parts().uri.query();
        let admission = handshake::admit(&self.authenticator, socket.ns(), query, &auth)
            .await
            .inspect_err(|refusal| debug!(%refusal, "connect refused"))?;
        let pass = Pass {
            admission: Arc::new(admission),
            membership: Arc::default(),
        };
        // Registered before the socket is in its namespace: a connection that is lost right after
        // it came must not leave its member behind.
        let hub = self.hub.clone();
        let membership = pass.membership.clone();
        socket.on_disconnect(async move |reason: DisconnectReason| {
            if let Some(membership) = membership.get() {
                leave(&hub, membership, &reason);
            }
        });
        socket.extensions.insert(pass);
        Ok(())
    }

    /// Runs when the client has been let in.
    fn enter(&self, socket: SocketRef, io: &SocketIo) {
        let transport = socket.req_parts().extensions.get::<Arc<Transport>>();
        let (Some(pass), Some(transport)) = (socket.extensions.get::<Pass>(), transport.cloned())
        else {
            return;
        };
        let Admission { agent, key, join } = &*pass.admission;
        debug!(tenant = %key.tenant, conversation = %key.conversation, agent = agent.id, "joined");
        let outlet = Arc::new(SocketOutlet {
            socket: socket.clone(),
            key: key.clone(),
            agent: agent.clone(),
            transport: transport.clone(),
            patience: self.patience,
        });
        let membership = self.hub.join(key, *join, outlet);
        let membership = pass.membership.get_or_init(|| membership).clone();
        if !is_registered(io, &socket) {
            // The connection was lost, or the namespace removed, while the socket was on its way.
            self.hub.leave(&membership);
            transport.end();
        } else if socket.ns() != "/" {
            // Two first connects at the same instant make a namespace twice, and the later one
            // replaces the earlier: a socket in that would neither be heard nor missed.
            let hub = self.hub.clone();
            let io = io.clone();
            tokio::spawn(async move {
                tokio::time::sleep(SETTLED).await;
                if socket.connected() && !is_registered(&io, &socket) {
                    hub.leave(&membership);
                    transport.end();
                }
            });
        }
    }
}

fn is_registered(io: &SocketIo, socket: &SocketRef) -> bool {
    io.of(socket.ns())
        .is_some_and(|namespace| namespace.get_socket(socket.id).is_some())
}

fn leave(hub: &Hub, membership: &Membership, reason: &DisconnectReason) {
    let key = membership.key();
    debug!(tenant = %key.tenant, conversation = %key.conversation, %reason, "left");
    hub.leave(membership);
}
