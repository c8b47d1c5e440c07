//! The widget, the scripts for other pages, and what they load.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::App;
use super::dist::{self, serve};

/// What other pages load, under its own name and under that of its content's hash.
pub(super) const SHARED: [&str; 6] = [
    "client.js",
    "client.js.map",
    "client.d.ts",
    "embed.js",
    "embed.js.map",
    "embed.d.ts",
];

// The page names the files of one build, and the scripts have one name for all builds: neither must
// outlive its build in a cache.
const REVALIDATE: &str = "no-cache";

/// For what has a hash of its content in its address.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

pub(super) async fn home(State(app): State<Arc<App>>) -> Response {
    let location = [(LOCATION, app.page.address.clone())];
    (StatusCode::TEMPORARY_REDIRECT, location).into_response()
}

pub(super) async fn widget(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.page.answer(&headers)
}

/// One of [`SHARED`], or what says where they are kept.
pub(super) async fn shared(uri: Uri, headers: HeaderMap) -> Response {
    serve(uri.path().trim_start_matches('/'), REVALIDATE, &headers)
}

/// One of [`SHARED`] as it is in this build, and in no other.
pub(super) async fn kept(
    State(app): State<Arc<App>>,
    Path((hash, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if app.hash.as_deref() == Some(&*hash) && SHARED.contains(&&*name) {
        return serve(&name, IMMUTABLE, &headers);
    }
    dist::missing()
}

pub(super) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // The names hold a hash of the content.
    let mut response = serve(&format!("assets/{path}"), IMMUTABLE, &headers);
    // In a sandbox without `allow-same-origin` the widget's own page has no origin, and its own
    // scripts are another's to it. They are to run, and say so.
    if matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED) {
        let everybody = HeaderValue::from_static("*");
        response
            .headers_mut()
            .insert(ACCESS_CONTROL_ALLOW_ORIGIN, everybody);
    }
    response
}
