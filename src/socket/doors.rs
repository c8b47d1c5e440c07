//! The two doors to a conversation: the root namespace, and one namespace a conversation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use tracing::{debug, warn};

use super::handshake::{self, Admission, Refusal};
use super::kept_out::KeptOut;
use super::members::{self, Members, Seat};
use super::namespaces::Namespaces;
use super::outlet::SocketOutlet;
use super::transport::Transport;
use crate::auth::Authenticator;
use crate::conversation::{ConversationKey, Hub};

const NAMESPACE: &str = "/tenant/{tenantId}/conv/{conversationId}";

pub(super) struct Doors {
    authenticator: Arc<Authenticator>,
    hub: Arc<Hub>,
    namespaces: Arc<Namespaces>,
    members: Arc<Members>,
    kept_out: KeptOut,
    patience: Duration,
    closed: AtomicBool,
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
            members: Arc::default(),
            kept_out: KeptOut::default(),
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
            async move |socket: SocketRef| doors.enter(socket)
        };
        tokio::spawn(members::watch(
            doors.members.clone(),
            doors.hub.clone(),
            io.clone(),
        ));
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

    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    pub(super) fn keep_out(&self, agent: &str, key: &ConversationKey, until: Instant) {
        self.kept_out.until(agent, key, until);
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
        let Admission { agent, key, .. } = &admission;
        if self.kept_out.keeps(agent, key, Instant::now()) {
            return Err(Refusal::ServiceUnavailable);
        }
        socket.extensions.insert(Arc::new(admission));
        Ok(())
    }

    /// Runs when the client has been let in.
    fn enter(&self, socket: SocketRef) {
        let transport = socket.req_parts().extensions.get::<Arc<Transport>>();
        let admission = socket.extensions.get::<Arc<Admission>>();
        let (Some(admission), Some(transport)) = (admission, transport.cloned()) else {
            // A session that did not come by the front door is none that could be ended.
            socket.disconnect().ok();
            return;
        };
        let Admission { agent, key, join } = &*admission;
        debug!(tenant = %key.tenant, conversation = %key.conversation, agent = agent.id, "joined");
        let outlet = Arc::new(SocketOutlet {
            socket: socket.clone(),
            key: key.clone(),
            agent: agent.clone(),
            transport: transport.clone(),
            patience: self.patience,
        });
        let membership = self.hub.join(key, *join, outlet);
        self.members.seat(Seat {
            socket,
            membership,
            transport,
        });
    }
}
