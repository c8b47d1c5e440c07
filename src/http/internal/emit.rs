//! `POST /internal/emit`: the portal's guarded fallback.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use super::super::App;
use super::{ApiError, Route};
use crate::journal::Published;
use crate::source::relay;
use crate::trace::Span;

/// What a call that was taken is answered with.
#[derive(Serialize)]
pub(in crate::http) struct Emitted {
    ok: bool,
    cursor: String,
    duplicate: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stale: bool,
    /// `replica` when only members of this replica have got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
}

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
