//! `GET /internal/conversations/{tenantId}/{conversationId}`: who follows it, how much is kept.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use tracing::debug;

use super::super::App;
use super::{ApiError, Route};
use crate::conversation::{
    ConversationKey, ConversationView, Cursor, Id, Invalid, MemberView, Standing, rfc3339,
};
use crate::net::Peer;
use crate::trace::TraceContext;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Seen {
    members: Vec<MemberAnswer>,
    events: usize,
    oldest_cursor: Option<String>,
    newest_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberAnswer {
    agent_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    connected_at: String,
    state: &'static str,
}

pub(in crate::http) async fn conversation(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let call = Route::Conversation.begin(&headers);
    let trace = call.span.context();
    let answer = seen(&app, peer, path, &headers, trace);
    app.requests.answer(Route::Conversation, call, answer)
}

fn seen(
    app: &App,
    peer: Peer,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: &HeaderMap,
    trace: Option<TraceContext>,
) -> Result<Seen, ApiError> {
    let key = super::key(app, headers)?;
    let Ok(Path((tenant, conversation))) = path else {
        return Err(Invalid::new("path", "must be UTF-8").into());
    };
    let id =
        |name, text: &str| Id::parse(text).map_err(|reason| Invalid::new(name, reason.to_string()));
    let conversation = ConversationKey {
        tenant: id("tenantId", &tenant)?,
        conversation: id("conversationId", &conversation)?,
    };
    let view = app.hub.view(&conversation);
    // A portal that shows presence asks all the time.
    debug!(
        caller = %peer.address,
        key,
        tenant = %conversation.tenant,
        conversation = %conversation.conversation,
        members = view.members.len(),
        trace_id = trace.map(|trace| tracing::field::display(trace.trace_id())),
        "a conversation was looked at"
    );
    Ok(view.into())
}

impl From<ConversationView> for Seen {
    fn from(view: ConversationView) -> Self {
        let text = |cursor: Option<Cursor>| cursor.map(|cursor| cursor.to_string());
        Self {
            members: view.members.into_iter().map(MemberAnswer::from).collect(),
            events: view.events,
            oldest_cursor: text(view.oldest),
            newest_cursor: text(view.newest),
        }
    }
}

impl From<MemberView> for MemberAnswer {
    fn from(member: MemberView) -> Self {
        let MemberView {
            participant,
            standing,
        } = member;
        Self {
            agent_id: participant.agent,
            name: participant.name,
            connected_at: rfc3339(participant.connected_at),
            state: match standing {
                Standing::Live => "live",
                Standing::CatchingUp => "catching_up",
            },
        }
    }
}
