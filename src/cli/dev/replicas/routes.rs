//! What the playground asks the supervisor: which replicas there are, and who is where; and its kills.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::playground::{PlaygroundError, admit};
use super::super::{CONVERSATION, TENANT};
use super::replica::Replica;

/// How long a replica may take to say how it is. One that was just killed says nothing.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The largest body, in bytes.
const BODY_LIMIT: usize = 1024;

/// The replicas, and a client that may ask them.
#[derive(Clone)]
pub(super) struct Watch {
    replicas: Arc<[Arc<Replica>]>,
    http: reqwest::Client,
    key: Arc<str>,
}

/// What a replica says of the conversation.
#[derive(Deserialize)]
struct View {
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    agent_id: String,
}

impl Watch {
    pub(super) fn new(replicas: Vec<Arc<Replica>>, key: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT);
        Ok(Self {
            replicas: replicas.into(),
            http: http.build().context("no HTTP client")?,
            key: key.into(),
        })
    }

    /// Those routes that nginx leads here.
    pub(super) fn routes(self) -> Router {
        Router::new()
            .route("/playground/replicas", get(replicas))
            .route("/playground/replicas/kill", post(kill))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(from_fn(admit))
            .with_state(self)
    }

    /// Whether each of them serves.
    pub(super) async fn all_answer(&self) -> bool {
        let serving = self.replicas.iter().map(|replica| self.serves(replica));
        join_all(serving).await.into_iter().all(|serves| serves)
    }

    async fn serves(&self, replica: &Replica) -> bool {
        let asked = self.http.get(url(replica, "/readyz")).send();
        asked.await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Who of the conversation's agents is there.
    async fn agents(&self, replica: &Replica) -> anyhow::Result<Vec<String>> {
        let path = format!("/internal/conversations/{TENANT}/{CONVERSATION}");
        let request = self.http.get(url(replica, &path)).bearer_auth(&self.key);
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        let view: View = serde_json::from_slice(&answer)?;
        let mut agents: Vec<_> = view.members.into_iter().map(|one| one.agent_id).collect();
        agents.sort();
        agents.dedup();
        Ok(agents)
    }

    async fn state(&self, replica: &Replica) -> Value {
        let number = replica.number();
        if let Some(left) = replica.away_for() {
            let seconds = left.as_secs_f64().ceil();
            return json!({"number": number, "state": "away", "agents": [], "seconds": seconds});
        }
        let (serves, agents) = tokio::join!(self.serves(replica), self.agents(replica));
        let state = if serves { "ready" } else { "starting" };
        json!({"number": number, "state": state, "agents": agents.unwrap_or_default()})
    }
}

fn url(replica: &Replica, path: &str) -> String {
    format!("http://{}{path}", replica.address())
}

async fn replicas(State(watch): State<Watch>) -> Json<Value> {
    let states = watch.replicas.iter().map(|replica| watch.state(replica));
    Json(json!({ "replicas": join_all(states).await }))
}

#[derive(Deserialize)]
struct Kill {
    replica: usize,
}

/// Kills a replica, which is started again some seconds later.
async fn kill(
    State(watch): State<Watch>,
    body: Result<Json<Kill>, JsonRejection>,
) -> Result<Json<Value>, PlaygroundError> {
    let Json(Kill { replica: number }) = body?;
    let replica = watch
        .replicas
        .iter()
        .find(|replica| replica.number() == number)
        .ok_or_else(|| PlaygroundError::invalid(format!("replica: there is no {number}")))?;
    let agents = watch.agents(replica).await.unwrap_or_default();
    if !replica.kill() {
        let message = format!("replica: {number} does not run");
        return Err(PlaygroundError::invalid(message));
    }
    Ok(Json(json!({ "agents": agents })))
}
