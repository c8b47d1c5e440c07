//! The playground's errors, in the relay's form.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::broker::PublishError;
use crate::source::relay::RelayError;

#[derive(Debug)]
pub(in super::super) struct PlaygroundError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl PlaygroundError {
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(in super::super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }
}

impl From<PublishError> for PlaygroundError {
    fn from(error: PublishError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<RelayError> for PlaygroundError {
    fn from(error: RelayError) -> Self {
        match error {
            RelayError::Unavailable => Self::unavailable(error.to_string()),
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<JsonRejection> for PlaygroundError {
    fn from(rejection: JsonRejection) -> Self {
        let status = rejection.status();
        let code = match status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
            StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
            StatusCode::UNPROCESSABLE_ENTITY => "invalid_request",
            _ => "invalid_json",
        };
        Self::new(status, code, rejection.body_text())
    }
}

impl IntoResponse for PlaygroundError {
    fn into_response(self) -> Response {
        let Self {
            status,
            code,
            message,
        } = self;
        let error = json!({ "code": code, "message": message });
        (status, Json(json!({ "ok": false, "error": error }))).into_response()
    }
}
