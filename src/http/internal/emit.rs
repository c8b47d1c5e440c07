//! `POST /internal/emit`: the portal's guarded fallback.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::App;
use super::{ApiError, Refused, Route};
use crate::http::openapi::EmitRequest;
use crate::journal::Published;
use crate::source::relay;
use crate::trace::Span;

/// The answer to an event that was taken.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Emitted {
    /// True.
    ok: bool,
    /// Where the event stands, or the one that it repeats.
    cursor: String,
    /// Whether it repeats one.
    duplicate: bool,
    /// There and true when a newer status is known: the cursor is then the newest.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stale: bool,
    /// `replica` when only members of this replica have got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
}

/// Emits an event to the members of a conversation, whether the broker is there or not.
#[utoipa::path(
    post,
    path = "/internal/emit",
    operation_id = "emit",
    tag = "relay",
    request_body(content = EmitRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The event is taken.", body = Emitted),
        (status = 400, description = "`invalid_json`: the body is not JSON.", body = Refused),
        (status = 401, description = "`unauthorized`: no key, or none that counts.", body = Refused),
        (status = 413, description = "`payload_too_large`: more than 256 KiB.", body = Refused),
        (status = 415, description = "`unsupported_media_type`: not JSON, or compressed.", body = Refused),
        (status = 422, description = "`invalid_request`: the field in `error.field` breaks its rule.", body = Refused),
        (status = 503, description = "`unavailable`: the gateway is shutting down, or too much waits for the broker.", body = Refused),
    ),
    security(("key" = []), ("bearer" = []))
)]
pub(in crate::http) async fn emit(State(app): State<Arc<App>>, request: Request) -> Response {
    let mut call = Route::Emit.begin(request.headers());
    let answer = emitted(&app, request, &mut call.span).await;
    app.requests.answer(Route::Emit, call, answer)
}

async fn emitted(app: &App, request: Request, span: &mut Span) -> Result<Emitted, ApiError> {
    let (parts, body) = request.into_parts();
    let (_, body) = super::taken(app, &parts.headers, body).await?;
    let published = relay::emit(&app.journal, &app.decoder, &app.relayed, &body, span).await?;
    Ok(Emitted::from(published))
}

impl From<Published> for Emitted {
    fn from(published: Published) -> Self {
        let (Published::New(cursor)
        | Published::Duplicate(cursor)
        | Published::Stale(cursor)
        | Published::Early(cursor)) = published;
        Self {
            ok: true,
            cursor: cursor.to_string(),
            duplicate: matches!(published, Published::Duplicate(_)),
            stale: matches!(published, Published::Stale(_)),
            scope: matches!(published, Published::Early(_)).then_some("replica"),
        }
    }
}
