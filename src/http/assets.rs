//! The widget, embedded into the binary.

use std::borrow::Cow;

use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use rust_embed::{Embed, EmbeddedFile};

/// What the front end's build leaves. A build without Node has none of it.
#[derive(Embed)]
#[folder = "static/dist"]
#[allow_missing = true]
struct Dist;

/// Everything comes from here; only pictures, sound and video of a conversation come from where
/// the customer's media are.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' http: https: data:; media-src http: https:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const NOT_BUILT: &str = "The widget is not part of this build. To build it:\n\
    \n    (cd static && npm ci && npm run build) && cargo build\n";

pub(super) async fn home() -> Redirect {
    Redirect::temporary("/widget")
}

// The page names the files of one build, and the module has one name for all builds: neither must
// outlive its build in a cache.
const REVALIDATE: &str = "no-cache";

pub(super) async fn widget(headers: HeaderMap) -> Response {
    serve("widget.html", REVALIDATE, &headers)
}

pub(super) async fn client(headers: HeaderMap) -> Response {
    serve("client.js", REVALIDATE, &headers)
}

pub(super) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // The names hold a hash of the content.
    let cache = "public, max-age=31536000, immutable";
    serve(&format!("assets/{path}"), cache, &headers)
}

fn serve(path: &str, cache: &'static str, headers: &HeaderMap) -> Response {
    let Some(file) = Dist::get(path) else {
        return missing();
    };
    let tag = tag(&file);
    let guards = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, cache),
    ];
    let known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    if known {
        return (StatusCode::NOT_MODIFIED, guards, [(ETAG, tag)]).into_response();
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let body = match file.data {
        Cow::Borrowed(bytes) => bytes::Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let kind = match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    (guards, [(ETAG, tag), (CONTENT_TYPE, kind)], body).into_response()
}

fn missing() -> Response {
    if Dist::get("widget.html").is_some() {
        return StatusCode::NOT_FOUND.into_response();
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(CACHE_CONTROL, "no-store")],
        NOT_BUILT,
    )
        .into_response()
}

fn tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}
