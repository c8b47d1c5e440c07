//! `/internal/*`: what the portal may call, with a key.

mod conversation;
mod counts;
mod disconnect;
mod emit;

pub(super) use conversation::{__path_conversation, conversation};
pub(super) use counts::RequestCounts;
use counts::Route;
pub(super) use disconnect::{__path_disconnect, disconnect};
pub(super) use emit::{__path_emit, emit};

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use tokio::time::timeout;
use tracing::warn;
use utoipa::ToSchema;

use super::App;
use crate::conversation::{BODY_LIMIT, Invalid};
use crate::source::relay::RelayError;

/// How much of a body that is not needed is read and dropped, and for how long.
const IGNORED_LIMIT: usize = 4 * BODY_LIMIT;
const IGNORED_TIME: Duration = Duration::from_secs(1);

/// What a call that was not taken is answered with.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
}

/// The answer to a call that was not taken.
#[derive(Serialize, ToSchema)]
pub(super) struct Refused {
    /// False.
    ok: bool,
    error: Refusal,
}

/// Why a call was not taken.
#[derive(Serialize, ToSchema)]
pub(super) struct Refusal {
    /// What programs branch on.
    code: &'static str,
    /// A sentence for who reads it.
    message: Cow<'static, str>,
    /// The place in the call that it is about, such as `payload.messageId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<Cow<'static, str>>,
}

/// The body of a call that may be made, and the number of the key that it was made with.
async fn taken(app: &App, headers: &HeaderMap, body: Body) -> Result<(usize, Bytes), ApiError> {
    match admit(app, headers) {
        Ok(key) => Ok((key, read(body).await?)),
        Err(refusal) => Err(refusal.after(body).await),
    }
}

/// The number of the key that the call was made with.
pub(super) fn key(app: &App, headers: &HeaderMap) -> Result<usize, ApiError> {
    app.keys.which(headers).ok_or_else(|| {
        ApiError::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "x-internal-api-key or a bearer token must be one of the configured keys",
        )
    })
}

/// What can be said of a call with a body by its headers.
fn admit(app: &App, headers: &HeaderMap) -> Result<usize, ApiError> {
    let key = key(app, headers)?;
    if app.health.is_draining() {
        return Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the gateway is shutting down",
        ));
    }
    if !is_json(headers) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "content-type must be application/json",
        ));
    }
    if !is_plain(headers) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "content-encoding must be absent or identity: send the body uncompressed",
        ));
    }
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_LIMIT) {
        return Err(ApiError::too_large());
    }
    Ok(key)
}

async fn read(body: Body) -> Result<Bytes, ApiError> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::too_large()),
        Err(error) => {
            warn!(%error, "the body of a request did not arrive");
            Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "invalid_json",
                "the body did not arrive whole",
            ))
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Whether the body is as it says in its content-type (RFC 9110, section 8.4).
fn is_plain(headers: &HeaderMap) -> bool {
    let all = headers.get_all(CONTENT_ENCODING).iter();
    let mut codings = all.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    codings.all(|coding| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    })
}

impl ApiError {
    /// Lets the body go by first: to answer and close while the client still sends can cost it
    /// the answer.
    async fn after(self, body: Body) -> Self {
        let gone_by = async {
            let mut body = Limited::new(body, IGNORED_LIMIT);
            while let Some(Ok(_)) = body.frame().await {}
        };
        // A client that takes longer gets no answer.
        timeout(IGNORED_TIME, gone_by).await.ok();
        self
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
        }
    }

    fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("the body may have {BODY_LIMIT} bytes at most"),
        )
    }
}

impl From<RelayError> for ApiError {
    fn from(error: RelayError) -> Self {
        let message = error.to_string();
        match error {
            RelayError::InvalidJson(_) => {
                Self::new(StatusCode::BAD_REQUEST, "invalid_json", message)
            }
            RelayError::Invalid(invalid) => invalid.into(),
            RelayError::Unavailable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            }
        }
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let message = invalid.to_string();
        Self {
            field: Some(invalid.field),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", message)
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Refused {
            ok: false,
            error: Refusal {
                code: self.code,
                message: self.message,
                field: self.field,
            },
        };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 11.6.1: it names the accepted schemes.
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
