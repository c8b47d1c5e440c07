//! What stands in front of all routes: who may ask from a browser, and what every answer says to
//! one.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::origins::{Origins, Verdict};
use super::refusals::Refusals;
use super::{Settings, assets, counts::Counts};
use crate::engineio;

/// What an answer allows that is not a page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// What a page may send: what Socket.IO's client does, and what tracing and monitoring libraries add
/// to every request of a page. Nothing of what proxies say belongs here: pages would say it too.
const SENDABLE: &str = "authorization, baggage, content-type, sentry-trace, traceparent, \
    tracestate, x-requested-with";

/// How long a browser may keep what a preflight was answered with, in seconds.
const PREFLIGHT_AGE: &str = "600";

/// What the Engine.IO server answers an origin that it does not let in, in the reference
/// implementation.
const FORBIDDEN: &str = r#"{"code":4,"message":"Forbidden"}"#;

/// Puts the guards in front of the public routes, Socket.IO's included, and takes the path of
/// [`PublicUrls`](super::PublicUrls) away in front of all.
pub fn guard(settings: &Settings, counts: Arc<Counts>, router: Router) -> Router {
    let door = Arc::new(Door {
        origins: Origins::new(settings),
        refusals: Refusals::default(),
        counts,
    });
    let guarded = with_defaults(router.layer(from_fn_with_state(door, check)));
    settings.public_urls.strip(guarded)
}

/// Has every answer say what it does not say otherwise: that it is no page, and nobody's to keep.
pub(super) fn with_defaults(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| {
        let mut response = next.run(request).await;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let headers = response.headers_mut();
            for (name, value) in [
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (CONTENT_SECURITY_POLICY, NOTHING),
                (CACHE_CONTROL, "no-store"),
            ] {
                let value = HeaderValue::from_static(value);
                headers.entry(name).or_insert(value);
            }
        }
        response
    }))
}

struct Door {
    origins: Origins,
    refusals: Refusals,
    counts: Arc<Counts>,
}

async fn check(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let guarded = engineio::serves(path);
    if !guarded && !is_shared(path) {
        return next.run(request).await;
    }
    let verdict = door.origins.judge(request.headers());
    let mut response = match &verdict {
        Verdict::Refused if guarded => {
            door.counts.origins.count();
            door.refusals.add(&door.origins, request.headers());
            let kind = [(CONTENT_TYPE, "application/json")];
            (StatusCode::FORBIDDEN, kind, FORBIDDEN).into_response()
        }
        Verdict::Allowed(_) if guarded && is_preflight(&request) => preflight(),
        _ => next.run(request).await,
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        share(response.headers_mut(), verdict);
    }
    response
}

/// Whether pages of other origins load this as a module, or with `crossorigin`.
fn is_shared(path: &str) -> bool {
    let name = path.strip_prefix('/').unwrap_or_default();
    name == "client.json" || name.starts_with("v1/") || assets::SHARED.contains(&name)
}

/// Lets the page read the answer, if it may; what is kept of it is kept by origin.
fn share(headers: &mut HeaderMap, verdict: Verdict) {
    let varies = match headers.get(VARY) {
        Some(other) => HeaderValue::from_bytes(&[b"Origin, ", other.as_bytes()].concat()),
        None => Ok(HeaderValue::from_static("Origin")),
    };
    // What was in a header can be in one.
    if let Ok(varies) = varies {
        headers.insert(VARY, varies);
    }
    if let Verdict::Allowed(origin) = verdict {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let credentials = HeaderValue::from_static("true");
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
    }
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, SENDABLE),
        (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
