//! The playground: a page with the widget embedded twice, and the routes that its buttons press.
//!
//! It exists under `dev` alone, which listens on loopback only, and it works on one conversation
//! of one tenant. Whoever can open the page can do all of it, so [`guard`] admits only a browser on
//! this machine, and no other site's page.

mod agent;
mod broker;
mod denied;
mod error;
mod files;
mod guard;
mod stage;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::auth::{Authenticator, NewToken};
use crate::conversation::{ConversationKey, Kind, rfc3339_from_unix};
use crate::journal::Journal;
use crate::socketio::Sockets;
use crate::source::amqp;
use agent::PlaygroundAgent;
use broker::Broker;
use denied::Denied;
pub(super) use error::PlaygroundError;
pub(super) use guard::admit;
use stage::Stage;

/// The longest life of a token that is handed out, in seconds: a working day.
const TOKEN_LIFE: u32 = 12 * 3600;

/// The longest time that an agent can be cut off, in seconds.
const CUT_LIMIT: u32 = 60;

/// The largest body, in bytes. Nobody types more.
const BODY_LIMIT: usize = 64 * 1024;

/// What the playground works with.
pub(super) struct Playground {
    /// Signs the tokens.
    pub(super) tokens: Arc<Authenticator>,
    /// Where the webhook service would publish.
    pub(super) amqp: amqp::Settings,
    /// Where the portal's relay leads.
    pub(super) journal: Arc<Journal>,
    /// How many events the gateway keeps for replay.
    pub(super) window: usize,
    /// The one conversation.
    pub(super) key: ConversationKey,
    /// Whether it is one of several, which can be killed.
    pub(super) is_replica: bool,
}

impl Playground {
    /// The page and its routes.
    pub(super) fn routes(self, sockets: Arc<Sockets>) -> Router {
        let denied = Arc::new(Denied::default());
        let denies = denied.clone();
        sockets.deny_if(move |agent, key| denies.denies(agent, key, Instant::now()));
        let stage = Stage {
            denied,
            broker: Broker::new(&self.amqp),
            playground: self,
            sockets,
        };
        Router::new()
            .route("/playground", get(files::page))
            .route("/playground/{*path}", get(files::file))
            .route("/playground/scene", get(scene))
            .route("/playground/token", post(token))
            .route("/playground/publish", post(publish))
            .route("/playground/webhook", post(webhook))
            .route("/playground/cut", post(cut))
            .route("/playground/outrun", post(outrun))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(from_fn(admit))
            .with_state(Arc::new(stage))
    }
}

type Body<T> = Result<Json<T>, JsonRejection>;
type Answer = Result<Json<Value>, PlaygroundError>;

/// What the page has to know of the gateway.
async fn scene(State(stage): State<Arc<Stage>>) -> Json<Value> {
    let Playground {
        key,
        amqp,
        window,
        is_replica,
        ..
    } = &stage.playground;
    Json(json!({
        "tenantId": key.tenant.as_str(),
        "conversationId": key.conversation.as_str(),
        "exchange": amqp.exchange,
        "window": window,
        "replicas": is_replica,
    }))
}

#[derive(Deserialize)]
struct TokenWanted {
    agent: PlaygroundAgent,
    /// How long it is to be good.
    seconds: u32,
}

/// Signs a token, as the portal's backend would.
async fn token(State(stage): State<Arc<Stage>>, body: Body<TokenWanted>) -> Answer {
    let Json(TokenWanted { agent, seconds }) = body?;
    if !(1..=TOKEN_LIFE).contains(&seconds) {
        return Err(PlaygroundError::invalid(format!(
            "seconds: must be 1 to {TOKEN_LIFE}"
        )));
    }
    let expires_at = OffsetDateTime::now_utc().unix_timestamp() + i64::from(seconds);
    let Playground { tokens, key, .. } = &stage.playground;
    let token = tokens.issue(NewToken {
        agent: agent.id().to_owned(),
        name: Some(agent.name().to_owned()),
        tenant: key.tenant.to_string(),
        conversations: vec![key.conversation.to_string()],
        expires_at,
    });
    match token {
        Ok(Some(token)) => Ok(Json(json!({
            "token": token,
            "expiresAt": rfc3339_from_unix(expires_at),
        }))),
        Ok(None) => Err(PlaygroundError::unavailable("JWT_SECRET is not set")),
        Err(error) => Err(PlaygroundError::unavailable(format!(
            "the token cannot be signed: {error}"
        ))),
    }
}

/// An event to publish.
#[derive(Deserialize)]
struct PublishRequest {
    event: PublishedEvent,
    /// The event's fields, without the ids of the conversation.
    payload: Map<String, Value>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PublishedEvent {
    InboundMessage,
    StatusUpdate,
    OutboundMessage,
}

/// Publishes the customer's side and the ticks through the broker, as the webhook service does, and
/// the agent's side by the relay, as the portal does.
async fn publish(State(stage): State<Arc<Stage>>, body: Body<PublishRequest>) -> Answer {
    let Json(PublishRequest { event, payload }) = body?;
    let begun = Instant::now();
    let message_id = match event {
        PublishedEvent::InboundMessage => stage.deliver(Kind::InboundMessage, payload).await?,
        PublishedEvent::StatusUpdate => stage.deliver(Kind::StatusUpdate, payload).await?,
        PublishedEvent::OutboundMessage => stage.relay(payload).await?,
    };
    let milliseconds = begun.elapsed().as_millis() as u64;
    Ok(Json(
        json!({ "messageId": message_id, "milliseconds": milliseconds }),
    ))
}

/// Publishes a body of another shape as it is: the gateway's mapping makes events of it.
async fn webhook(State(stage): State<Arc<Stage>>, body: Body<Map<String, Value>>) -> Answer {
    let Json(body) = body?;
    let begun = Instant::now();
    let key = &stage.playground.key;
    let body = Value::Object(body).to_string();
    let kind = Kind::InboundMessage;
    stage
        .broker
        .publish_as_is(kind, key, body.as_bytes())
        .await?;
    let milliseconds = begun.elapsed().as_millis() as u64;
    Ok(Json(json!({ "milliseconds": milliseconds })))
}

#[derive(Deserialize)]
struct Cut {
    agents: Vec<PlaygroundAgent>,
    /// How long connects are refused; 0: they may come back at once.
    seconds: u32,
}

/// Closes agents' sessions, and denies their connects for a while.
async fn cut(State(stage): State<Arc<Stage>>, body: Body<Cut>) -> Answer {
    let Json(Cut { agents, seconds }) = body?;
    if seconds > CUT_LIMIT {
        return Err(PlaygroundError::invalid(format!(
            "seconds: must be {CUT_LIMIT} at most"
        )));
    }
    let connections = stage.cut(&agents, Duration::from_secs(seconds.into()));
    Ok(Json(json!({ "connections": connections })))
}

#[derive(Deserialize)]
struct Outrun {
    agents: Vec<PlaygroundAgent>,
}

/// Publishes more than the window holds while the agents cannot read along.
async fn outrun(State(stage): State<Arc<Stage>>, body: Body<Outrun>) -> Answer {
    let Json(Outrun { agents }) = body?;
    // To the end, also when the page is left meanwhile: nobody stays cut off.
    let outrun = tokio::spawn(async move { stage.outrun(&agents).await });
    let ended = |error| PlaygroundError::unavailable(format!("it was not published: {error}"));
    Ok(Json(outrun.await.map_err(ended)??))
}
