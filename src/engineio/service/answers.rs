//! Answers that the library does not give.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::{CLOSE, TEXT, read};
use crate::engineio::open::Open;
use crate::engineio::protocol::Protocol;
use crate::net::LimitExceeded;

/// Answers a post, as the library does.
pub(super) fn taken() -> Response {
    ([(CONTENT_TYPE, TEXT)], "ok").into_response()
}

pub(super) fn too_much() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, "too much at once").into_response()
}

/// When to try again, in seconds: by then the clients that got the notice have left.
const AGAIN_IN: &str = "10";

/// Answers a client over a limit, in the form of the library's own errors; their code of a
/// request that is forbidden is the nearest.
pub(super) fn limit_exceeded(limit: LimitExceeded) -> Response {
    let status = match limit {
        LimitExceeded::All => StatusCode::SERVICE_UNAVAILABLE,
        LimitExceeded::Address | LimitExceeded::Rate => StatusCode::TOO_MANY_REQUESTS,
    };
    let headers = [(CONTENT_TYPE, "application/json"), (RETRY_AFTER, AGAIN_IN)];
    let body = r#"{"code":4,"message":"Too many connections"}"#;
    (status, headers, body).into_response()
}

/// Answers a request of an unknown session, as the library does.
pub(super) fn unknown() -> Response {
    EngineError {
        code: 1,
        message: "Session ID unknown".into(),
    }
    .into_response()
}

/// Answers a post that came before the one before it was answered.
pub(super) fn overlap() -> Response {
    EngineError {
        code: 3,
        message: "Bad request".into(),
    }
    .into_response()
}

/// What Engine.IO answers to a request that it cannot serve. Clients of the reference server know
/// the code as a number.
#[derive(Serialize, Deserialize)]
struct EngineError {
    #[serde(deserialize_with = "written_as_text")]
    code: u8,
    message: Cow<'static, str>,
}

impl IntoResponse for EngineError {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(self)).into_response()
    }
}

/// The library writes the code of its errors as text.
fn written_as_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let code = Cow::<str>::deserialize(deserializer)?;
    code.parse().map_err(D::Error::custom)
}

/// The library's answer, with its code as a number if it is an error.
pub(super) async fn numbered(response: Response) -> Response {
    let content_type = response.headers().get(CONTENT_TYPE);
    let is_json = content_type.is_some_and(|value| value == "application/json");
    if response.status() != StatusCode::BAD_REQUEST || !is_json {
        return response;
    }
    let (response, body) = read(response).await;
    match serde_json::from_slice::<EngineError>(&body) {
        Ok(error) => error.into_response(),
        Err(_) => response,
    }
}

/// Answers a client of before Engine.IO 4 that polls, in the payload of version 3: each packet with
/// its length before it. There is no session.
pub(super) fn old_client<P: Protocol>(open: Open) -> Response {
    let [error, disconnect] = P::OLD_CLIENT;
    let packets = [
        open.packet().unwrap_or_default(),
        error.into(),
        disconnect.into(),
        CLOSE.into(),
    ];
    // All of it is ASCII, in which a character is a byte.
    let payload: String = packets
        .iter()
        .map(|packet| format!("{}:{packet}", packet.len()))
        .collect();
    ([(CONTENT_TYPE, TEXT)], payload).into_response()
}
