//! HTTP: the relay, the probes, the widget; and Socket.IO on the same port.

mod assets;
mod health;
mod internal;
mod keys;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::journal::Journal;
use crate::socket::Members;
use crate::source::amqp;
pub use health::{Health, Phase};
use keys::ApiKeys;

/// The HTTP listeners.
#[derive(Clone)]
pub struct Settings {
    /// Where agents and the portal connect.
    pub public: SocketAddr,
    /// Where `/internal/*` is served instead, if anywhere.
    pub internal: Option<SocketAddr>,
    /// The relay's keys; none: every call is refused.
    pub api_keys: Vec<String>,
}

impl std::fmt::Debug for Settings {
    // Keys appear in no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("public", &self.public)
            .field("internal", &self.internal)
            .field("api_keys", &self.api_keys.len())
            .finish()
    }
}

/// What handlers work with.
#[derive(Clone)]
struct App {
    journal: Arc<Journal>,
    members: Arc<Members>,
    health: Arc<Health>,
    broker: Arc<amqp::Status>,
    keys: Arc<ApiKeys>,
}

/// The routes of the public listener and, if there is one, of the internal one.
pub fn routers(
    settings: &Settings,
    journal: Arc<Journal>,
    members: Arc<Members>,
    health: Arc<Health>,
    broker: Arc<amqp::Status>,
) -> (Router, Option<Router>) {
    let app = App {
        journal,
        members,
        health,
        broker,
        keys: Arc::new(ApiKeys::new(&settings.api_keys)),
    };
    let probes = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz));
    let internal = Router::new()
        .route("/internal/emit", post(internal::emit))
        .route("/internal/disconnect", post(internal::disconnect))
        .route(
            "/internal/conversations/{tenantId}/{conversationId}",
            get(internal::conversation),
        );
    let widget = Router::new()
        .route("/", get(assets::home))
        .route("/widget", get(assets::widget))
        .route("/widget.html", get(assets::widget))
        .route("/client.js", get(assets::client))
        .route("/assets/{*path}", get(assets::asset));
    let public = probes.clone().merge(widget);
    match settings.internal {
        None => (public.merge(internal).with_state(app), None),
        Some(_) => (
            public.with_state(app.clone()),
            Some(probes.merge(internal).with_state(app)),
        ),
    }
}
