//! `POST /internal/disconnect`: ends what an agent may no longer follow.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::super::App;
use super::{ApiError, Refused, Route};
use crate::conversation::fields::text;
use crate::conversation::{JsonText, Selection};
use crate::http::openapi::DisconnectRequest;
use crate::net::Peer;
use crate::source::relay::{self, RelayError};
use crate::trace::TraceContext;

/// The longest agent id that is looked for, in characters: longer than any that a token could carry,
/// for which clients have 64 KiB.
const AGENT_LIMIT: usize = 64 * 1024;

/// The answer to a disconnect.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Disconnected {
    /// True.
    ok: bool,
    /// How many members of this replica there were.
    disconnected: usize,
    /// `replica` when other replicas come to it later.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
}

/// Disconnects members, whose other conversations stay.
#[utoipa::path(
    post,
    path = "/internal/disconnect",
    operation_id = "disconnect",
    tag = "relay",
    request_body(content = DisconnectRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "They are disconnected.", body = Disconnected),
        (status = 400, description = "`invalid_json`: the body is not JSON.", body = Refused),
        (status = 401, description = "`unauthorized`: no key, or none that counts.", body = Refused),
        (status = 413, description = "`payload_too_large`: more than 256 KiB.", body = Refused),
        (status = 415, description = "`unsupported_media_type`: not JSON, or compressed.", body = Refused),
        (status = 422, description = "`invalid_request`: the field in `error.field` breaks its rule.", body = Refused),
        (status = 503, description = "`unavailable`: the gateway is shutting down.", body = Refused),
    ),
    security(("key" = []), ("bearer" = []))
)]
pub(in crate::http) async fn disconnect(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let call = Route::Disconnect.begin(&headers);
    let trace = call.span.context();
    let answer = disconnected(&app, peer, &headers, body, trace).await;
    app.requests.answer(Route::Disconnect, call, answer)
}

async fn disconnected(
    app: &App,
    peer: Peer,
    headers: &HeaderMap,
    body: Body,
    trace: Option<TraceContext>,
) -> Result<Disconnected, ApiError> {
    let (key, body) = super::taken(app, headers, body).await?;
    let selection = selection(&body)?;
    let disconnected = app.members.disconnect(&selection);
    let is_everywhere = app.journal.disconnect(&selection).await;
    info!(
        caller = %peer.address,
        key,
        tenant = %selection.tenant,
        conversation = selection.conversation.as_ref().map(tracing::field::display),
        agent = selection.agent,
        trace_id = trace.map(|trace| tracing::field::display(trace.trace_id())),
        disconnected,
        is_everywhere,
        "members were disconnected at the portal's request"
    );
    Ok(Disconnected {
        ok: true,
        disconnected,
        scope: (!is_everywhere).then_some("replica"),
    })
}

fn selection(body: &[u8]) -> Result<Selection, RelayError> {
    let text_of_body = JsonText::new(body);
    let fields = relay::fields(&text_of_body)?;
    Ok(Selection {
        tenant: fields.id("tenantId")?,
        conversation: match fields.get("conversationId") {
            Some(_) => Some(fields.id("conversationId")?),
            None => None,
        },
        agent: fields.optional("agentId", |raw| Ok(text(raw, 1, AGENT_LIMIT)?.into_owned()))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_names_a_tenant_at_least() {
        let all = selection(br#"{"tenantId":"acme","conversationId":null}"#).unwrap();
        assert_eq!((all.conversation, all.agent), (None, None));
        let one = br#"{"tenantId":"acme","conversationId":"c-1","agentId":"ada"}"#;
        let one = selection(one).unwrap();
        assert_eq!(one.conversation.unwrap().as_str(), "c-1");
        assert_eq!(one.agent.unwrap(), "ada");
        for (body, field) in [
            (r#"{}"#, "tenantId"),
            (r#"{"tenantId":"a/b"}"#, "tenantId"),
            (r#"{"tenantId":"a","conversationId":7.5}"#, "conversationId"),
            (r#"{"tenantId":"a","agentId":""}"#, "agentId"),
            (r#"{"tenantId":"a","agentId":["x"]}"#, "agentId"),
            ("[]", "body"),
        ] {
            match selection(body.as_bytes()) {
                Err(RelayError::Invalid(invalid)) => assert_eq!(invalid.field, field, "{body}"),
                other => panic!("{other:?} for {body}"),
            }
        }
    }
}
