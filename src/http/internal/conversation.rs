//! `GET /internal/conversations/{tenantId}/{conversationId}`: who follows it, how much is kept.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use tracing::debug;
use utoipa::ToSchema;

use super::super::App;
use super::{ApiError, Refused, Route};
use crate::conversation::{
    ConversationKey, ConversationView, Cursor, Id, Invalid, MemberView, Standing, rfc3339,
};
use crate::net::Peer;
use crate::trace::TraceContext;

/// A conversation as this replica has it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Seen {
    members: Vec<MemberAnswer>,
    /// How many events the window has.
    events: usize,
    /// Null while it has none.
    #[schema(required = true)]
    oldest_cursor: Option<String>,
    /// The same.
    #[schema(required = true)]
    newest_cursor: Option<String>,
}

/// Who follows it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct MemberAnswer {
    agent_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    #[schema(format = DateTime)]
    connected_at: String,
    /// `live`, or `catching_up`.
    #[schema(pattern = "^(live|catching_up)$")]
    state: &'static str,
}

/// Says who follows a conversation, and how much of it is kept for replay.
#[utoipa::path(
    get,
    path = "/internal/conversations/{tenantId}/{conversationId}",
    operation_id = "conversation",
    tag = "relay",
    params(
        ("tenantId" = String, Path, description = "The customer account.", pattern = "^[A-Za-z0-9._~:@+=-]{1,128}$"),
        ("conversationId" = String, Path, description = "The conversation in it.", pattern = "^[A-Za-z0-9._~:@+=-]{1,128}$"),
    ),
    responses(
        (status = 200, description = "The conversation; an empty one if nobody follows it and nothing is kept.", body = Seen),
        (status = 401, description = "`unauthorized`: no key, or none that counts.", body = Refused),
        (status = 422, description = "`invalid_request`: an id that is none.", body = Refused),
    ),
    security(("key" = []), ("bearer" = []))
)]
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
