//! HTTP: the relay, the probes, the metrics, the widget; and Socket.IO on the same port.

mod ancestors;
mod assets;
mod counts;
mod dist;
mod forwarded;
mod guard;
mod health;
mod internal;
mod keys;
mod metrics;
pub mod openapi;
mod origin;
mod origins;
mod page;
mod public_urls;
mod refusals;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::routing::{get, post};

use crate::auth::counts::AuthCounts;
use crate::conversation::{Decoder, Hub, UrlTemplate};
use crate::journal::Journal;
use crate::socketio::{Members, Statistics};
use crate::source::amqp;
use crate::source::counts::EventCounts;
pub use ancestors::Ancestors;
pub use counts::Counts;
pub use guard::Guard;
pub use health::{Health, ProcessPhase};
use internal::RequestCounts;
pub use keys::ApiKeys;
pub use origin::{InvalidOrigin, Origin};
use page::Page;
pub use public_urls::PublicUrls;

/// The HTTP listeners.
#[derive(Clone)]
pub struct Settings {
    /// Where agents and the portal connect.
    pub public: SocketAddr,
    /// Where `/internal/*` and `/metrics` are served instead, if anywhere.
    pub internal: Option<SocketAddr>,
    /// The relay's keys; none: every call is refused.
    pub api_keys: ApiKeys,
    /// Keys that open `/metrics` on the public listener, as the relay's do, and nothing else.
    pub metrics_keys: ApiKeys,
    /// The origins whose pages may talk to the gateway, its own aside.
    pub origins: Vec<Origin>,
    /// What the gateway is called outside, as far as it is known.
    pub public_urls: PublicUrls,
    /// How many proxies there are in front, which say what host was asked for.
    pub proxies: usize,
    /// The pages that may have the widget in a frame.
    pub ancestors: Ancestors,
    /// Where a standalone widget asks for older messages, if anywhere.
    pub history: Option<UrlTemplate>,
}

impl std::fmt::Debug for Settings {
    // Keys appear in no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("public", &self.public)
            .field("internal", &self.internal)
            .field("api_keys", &self.api_keys)
            .field("metrics_keys", &self.metrics_keys)
            .field("origins", &self.origins)
            .field("public_urls", &self.public_urls)
            .field("proxies", &self.proxies)
            .field("ancestors", &self.ancestors)
            .field("history", &self.history)
            .finish()
    }
}

/// What handlers work with.
struct App {
    hub: Arc<Hub>,
    journal: Arc<Journal>,
    members: Arc<Members>,
    health: Arc<Health>,
    broker: Arc<amqp::BrokerStatus>,
    keys: ApiKeys,
    metrics_keys: ApiKeys,
    page: Arc<Page>,
    /// Under which the scripts of this build can be kept.
    hash: Option<Arc<str>>,
    sockets: Statistics,
    refused: Arc<Counts>,
    decoder: Decoder,
    relayed: EventCounts,
    requests: RequestCounts,
    auth: Arc<AuthCounts>,
    /// When the process began.
    since: SystemTime,
}

/// What the routes are about.
pub struct Parts {
    /// The conversations.
    pub hub: Arc<Hub>,
    /// Where the relay's events go.
    pub journal: Arc<Journal>,
    /// Who follows what.
    pub members: Arc<Members>,
    /// What the probes say of the process.
    pub health: Arc<Health>,
    /// What they say of the broker.
    pub broker: Arc<amqp::BrokerStatus>,
    /// What the metrics say of clients.
    pub sockets: Statistics,
    /// Who was refused by its origin.
    pub refused: Arc<Counts>,
    /// What reads the relay's events.
    pub decoder: Decoder,
    /// What the metrics say of tokens.
    pub auth: Arc<AuthCounts>,
}

/// The routes of each listener.
pub struct Routers {
    /// Those of the public listener, to be put behind [`Guard::public`] with whatever else is served
    /// there.
    pub public: Router,
    /// Those of the internal listener, if there is one.
    pub internal: Option<Router>,
}

/// The routes that `settings` ask for.
pub fn routers(settings: &Settings, parts: Parts) -> Routers {
    let Parts {
        hub,
        journal,
        members,
        health,
        broker,
        sockets,
        refused,
        decoder,
        auth,
    } = parts;
    let app = Arc::new(App {
        hub,
        journal,
        members,
        health,
        broker,
        keys: settings.api_keys.clone(),
        metrics_keys: settings.metrics_keys.clone(),
        page: Arc::new(Page::new(settings)),
        hash: dist::hash().map(Arc::from),
        sockets,
        refused,
        decoder,
        relayed: EventCounts::default(),
        requests: RequestCounts::default(),
        auth,
        since: SystemTime::now(),
    });
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
        .route("/client.json", get(assets::shared))
        .route("/v1/{hash}/{name}", get(assets::kept))
        .route("/assets/{*path}", get(assets::asset));
    let widget = assets::SHARED.iter().fold(widget, |widget, name| {
        widget.route(&format!("/{name}"), get(assets::shared))
    });
    let public = probes.clone().merge(widget);
    match settings.internal {
        None => {
            let metrics = Router::new().route("/metrics", get(metrics::guarded));
            let public = public.merge(internal).merge(metrics);
            Routers {
                public: public.with_state(app),
                internal: None,
            }
        }
        Some(_) => {
            let metrics = Router::new()
                .route("/metrics", get(metrics::metrics))
                .route("/openapi.json", get(openapi::document));
            let internal = probes.merge(internal).merge(metrics);
            Routers {
                public: public.with_state(app.clone()),
                internal: Some(internal.with_state(app)),
            }
        }
    }
}
