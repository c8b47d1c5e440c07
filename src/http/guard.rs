//! The guard of all routes: checks the origins of browsers' requests, and sets the answers' headers.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tower::Service as _;

use super::origins::{OriginVerdict, Origins};
use super::refusals::Refusals;
use super::{Counts, PublicUrls, Settings, assets};
use crate::engineio;
use crate::net::Handler;

/// What an answer allows that is not a page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// What a page may send: what Socket.IO's client does, and what tracing and monitoring libraries add
/// to every request of a page. Nothing of what proxies say belongs here: pages would say it too.
const SENDABLE: &str = "authorization, baggage, content-type, sentry-trace, traceparent, \
    tracestate, x-requested-with";

/// How long a browser may keep what a preflight was answered with, in seconds.
const PREFLIGHT_AGE: &str = "600";

/// What the Engine.IO server answers a denied origin, in the reference implementation.
const FORBIDDEN: &str = r#"{"code":4,"message":"Forbidden"}"#;

/// The routes of a listener, behind the guard.
///
/// Layers of the router would each copy the routes behind it and allocate a future, for every request.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    router: Router,
    /// On the public listener.
    public: Option<Public>,
}

struct Public {
    urls: PublicUrls,
    origins: Origins,
    refusals: Refusals,
    counts: Arc<Counts>,
}

impl Guard {
    /// In front of the public routes, Socket.IO's included: takes the path of [`PublicUrls`] away, and
    /// asks pages for their origin.
    pub fn public(settings: &Settings, counts: Arc<Counts>, router: Router) -> Self {
        let public = Public {
            urls: settings.public_urls.clone(),
            origins: Origins::new(settings),
            refusals: Refusals::default(),
            counts,
        };
        Self(Arc::new(Inner {
            router,
            public: Some(public),
        }))
    }

    /// In front of the internal listener's routes.
    pub fn internal(router: Router) -> Self {
        Self(Arc::new(Inner {
            router,
            public: None,
        }))
    }
}

impl Handler for Guard {
    async fn answer(&self, mut request: Request) -> Response {
        let mut response = match &self.0.public {
            Some(public) => {
                public.urls.strip(&mut request);
                public.answer(&self.0.router, request).await
            }
            None => route(&self.0.router, request).await,
        };
        set_defaults(&mut response);
        response
    }
}

async fn route(router: &Router, request: Request) -> Response {
    match router.clone().call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Sets the headers that an answer does not set itself: it is no page, and not to be stored.
fn set_defaults(response: &mut Response) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
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

impl Public {
    async fn answer(&self, router: &Router, request: Request) -> Response {
        let path = request.uri().path();
        let guarded = engineio::serves(path);
        if !guarded && !is_shared(path) {
            return route(router, request).await;
        }
        let verdict = self.origins.judge(request.headers());
        let mut response = match &verdict {
            OriginVerdict::Refused if guarded => {
                self.counts.origins.count();
                self.refusals.add(&self.origins, request.headers());
                let kind = [(CONTENT_TYPE, "application/json")];
                (StatusCode::FORBIDDEN, kind, FORBIDDEN).into_response()
            }
            OriginVerdict::Allowed(_) if guarded && is_preflight(&request) => preflight(),
            _ => route(router, request).await,
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            share(response.headers_mut(), verdict);
        }
        response
    }
}

/// Whether pages of other origins load this as a module, or with `crossorigin`.
fn is_shared(path: &str) -> bool {
    let name = path.strip_prefix('/').unwrap_or_default();
    name == "client.json" || name.starts_with("v1/") || assets::SHARED.contains(&name)
}

/// Lets the page read the answer, if it may; what is kept of it is kept by origin.
fn share(headers: &mut HeaderMap, verdict: OriginVerdict) {
    let varies = match headers.get(VARY) {
        Some(other) => HeaderValue::from_bytes(&[b"Origin, ", other.as_bytes()].concat()),
        None => Ok(HeaderValue::from_static("Origin")),
    };
    // What was in a header can be in one.
    if let Ok(varies) = varies {
        headers.insert(VARY, varies);
    }
    if let OriginVerdict::Allowed(origin) = verdict {
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
