//! `GET /metrics`: what an operator watches, for Prometheus.
//!
//! What is counted is counted where it happens; this makes samples of it when somebody asks. Every
//! label's values are known when this is compiled: none holds a tenant, a conversation, an agent or a
//! message.

mod broker;
mod clients;
mod events;
mod journal;
mod process;
mod sheet;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use prometheus::TEXT_FORMAT;
use tracing::error;

use super::App;
use super::internal::{self, ApiError};
use sheet::Sheet;

/// Gives the metrics, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "operation",
    responses((status = 200, description = "The text format.", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let mut sheet = Sheet::default();
    events::write(&app, &mut sheet);
    clients::write(&app, &mut sheet);
    broker::write(&app, &mut sheet);
    journal::write(&app, &mut sheet);
    process::write(app.since, &mut sheet);
    match sheet.text() {
        Ok(page) => ([(CONTENT_TYPE, TEXT_FORMAT)], page).into_response(),
        Err(error) => {
            error!(%error, "no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// On the public one: with a key of its own, or one of the relay's.
pub(super) async fn guarded(
    app: State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !app.metrics_keys.open(&headers) {
        internal::key(&app, &headers)?;
    }
    Ok(metrics(app).await)
}
