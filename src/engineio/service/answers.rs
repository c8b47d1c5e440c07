//! Answers that the library does not give.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};

use super::TEXT;
use crate::net::Full;

/// Answers a post, as the library does.
pub(super) fn taken() -> Response {
    ([(CONTENT_TYPE, TEXT)], "ok").into_response()
}

pub(super) fn too_much() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, "too much at once").into_response()
}

/// When to try again, in seconds: by then those who were told have left.
const AGAIN_IN: &str = "10";

/// Answers whom there is no room for, in the form of the library's own errors; their code of a
/// request that is forbidden is the nearest.
pub(super) fn limit_exceeded(full: Full) -> Response {
    let status = match full {
        Full::All => StatusCode::SERVICE_UNAVAILABLE,
        Full::Address | Full::Rate => StatusCode::TOO_MANY_REQUESTS,
    };
    let headers = [(CONTENT_TYPE, "application/json"), (RETRY_AFTER, AGAIN_IN)];
    let body = r#"{"code":4,"message":"Too many connections"}"#;
    (status, headers, body).into_response()
}

/// Answers who speaks of a session that there is not, as the library does.
pub(super) fn unknown() -> Response {
    let body = r#"{"code":"1","message":"Session ID unknown"}"#;
    let headers = [(CONTENT_TYPE, "application/json")];
    (StatusCode::BAD_REQUEST, headers, body).into_response()
}
