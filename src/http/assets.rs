//! The widget, embedded into the binary.

use std::borrow::Cow;

use axum::extract::{Path, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest as _, Sha256};

use super::ancestors::Ancestors;
use super::{App, Settings};

/// What the front end's build leaves. A build without Node has none of it.
#[derive(Embed)]
#[folder = "static/dist"]
#[allow_missing = true]
struct Dist;

/// Everything comes from here; only pictures, sound and video of a conversation come from where
/// the customer's media are.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' http: https: data:; media-src http: https:; \
    base-uri 'none'; form-action 'none'; frame-ancestors";

/// What the widget has no use for, in whatever page it is embedded.
const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), \
    payment=(), usb=()";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const EMBEDDER_POLICY: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

/// A page that is isolated (`require-corp` or `credentialless`) frames only pages that are so too.
/// This kind of it still shows pictures of hosts that say nothing of who may have them; they are
/// asked for without cookies.
const CREDENTIALLESS: &str = "credentialless";

const NOT_BUILT: &str = "The widget is not part of this build. To build it:\n\
    \n    (cd static && npm ci && npm run build) && cargo build\n";

// The page names the files of one build, and the scripts have one name for all builds: neither must
// outlive its build in a cache.
const REVALIDATE: &str = "no-cache";

/// The name under which the page finds out who may have it in a frame.
const ANCESTORS: &str = "name=\"agent-gateway:ancestors\"";

/// The widget's page as it is served: who may have it in a frame stands in its policy for the
/// browser, and in the page for its script, which takes tokens from nobody else.
pub(super) struct Page {
    html: Option<Bytes>,
    headers: HeaderMap,
    /// Where it is, for whoever comes without a path.
    address: String,
}

impl Page {
    pub(super) fn new(settings: &Settings) -> Self {
        let ancestors = &settings.ancestors;
        let html = Dist::get("widget.html").map(|file| tell(&file.data, ancestors));
        let mut headers = HeaderMap::new();
        let policy = format!("{POLICY} {ancestors}");
        let options = ancestors.frame_options().map(str::to_owned);
        for (name, value) in [
            (CONTENT_SECURITY_POLICY, Some(policy)),
            (X_FRAME_OPTIONS, options),
            (REFERRER_POLICY, Some("no-referrer".to_owned())),
            (PERMISSIONS_POLICY, Some(PERMISSIONS.to_owned())),
            (EMBEDDER_POLICY, Some(CREDENTIALLESS.to_owned())),
            (RESOURCE_POLICY, Some(CROSS_ORIGIN.to_owned())),
            (ETAG, html.as_deref().map(tag)),
        ] {
            // All of them have been checked, or are constants.
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                headers.insert(name, value);
            }
        }
        let address = match (settings.public_urls.prefix(), settings.proxies) {
            // A proxy may have taken away a path that is not known here.
            ("", 1..) => "widget".to_owned(),
            (prefix, _) => format!("{prefix}/widget"),
        };
        Self {
            html,
            headers,
            address,
        }
    }
}

/// Writes the ancestors into the page, which has a place for them.
fn tell(html: &[u8], ancestors: &Ancestors) -> Bytes {
    let text = String::from_utf8_lossy(html);
    let place = text.find(ANCESTORS).and_then(|name| {
        let begin = text[..name].rfind('<')?;
        let end = name + text[name..].find('>')?;
        Some(begin..=end)
    });
    let Some(place) = place else {
        return Bytes::copy_from_slice(html);
    };
    let sources = ancestors.to_string();
    // The sources have none of these; whether that stays so is nothing that a page is to rest on.
    let sources = sources
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;");
    let mut told = text.into_owned();
    told.replace_range(place, &format!("<meta {ANCESTORS} content=\"{sources}\">"));
    told.into()
}

pub(super) async fn home(State(app): State<App>) -> Response {
    let location = [(LOCATION, app.page.address.clone())];
    (StatusCode::TEMPORARY_REDIRECT, location).into_response()
}

pub(super) async fn widget(State(app): State<App>, headers: HeaderMap) -> Response {
    let Some(html) = &app.page.html else {
        return missing();
    };
    let fixed = (app.page.headers.clone(), [(CACHE_CONTROL, REVALIDATE)]);
    let tag = app.page.headers.get(ETAG);
    if tag.is_some_and(|tag| knows(&headers, tag.as_bytes())) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    let kind = [(CONTENT_TYPE, "text/html; charset=utf-8")];
    (fixed, kind, html.clone()).into_response()
}

pub(super) async fn client(headers: HeaderMap) -> Response {
    serve("client.js", REVALIDATE, &headers)
}

pub(super) async fn client_types(headers: HeaderMap) -> Response {
    serve("client.d.ts", REVALIDATE, &headers)
}

pub(super) async fn embed(headers: HeaderMap) -> Response {
    serve("embed.js", REVALIDATE, &headers)
}

pub(super) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // The names hold a hash of the content.
    let cache = "public, max-age=31536000, immutable";
    let mut response = serve(&format!("assets/{path}"), cache, &headers);
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

/// All files are public, and loaded by pages of other origins: hosts, or the widget in a sandbox.
const CROSS_ORIGIN: &str = "cross-origin";

fn serve(path: &str, cache: &'static str, headers: &HeaderMap) -> Response {
    let Some(file) = Dist::get(path) else {
        return missing();
    };
    let fixed = [(CACHE_CONTROL, cache), (RESOURCE_POLICY, CROSS_ORIGIN)];
    let tag = tag_of(&file);
    if knows(headers, tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, fixed, [(ETAG, tag)]).into_response();
    }
    let body = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    (fixed, [(ETAG, tag), (CONTENT_TYPE, kind(path))], body).into_response()
}

fn kind(path: &str) -> String {
    // What else ends so is video.
    if path.ends_with(".d.ts") {
        return "application/typescript; charset=utf-8".to_owned();
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    }
}

fn missing() -> Response {
    if Dist::get("widget.html").is_some() {
        return StatusCode::NOT_FOUND.into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response()
}

/// Whether the client has what has this tag. Proxies that compress make it a weak one.
fn knows(headers: &HeaderMap, tag: &[u8]) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).iter();
    let mut known = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    known.any(|known| {
        let known = known.trim_ascii();
        known.strip_prefix(b"W/").unwrap_or(known) == tag
    })
}

fn tag(content: &[u8]) -> String {
    quoted(&Sha256::digest(content))
}

fn tag_of(file: &EmbeddedFile) -> String {
    quoted(&file.metadata.sha256_hash())
}

fn quoted(hash: &[u8]) -> String {
    let hex: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(html: &str, ancestors: &str) -> String {
        let ancestors = Ancestors::parse(ancestors).unwrap();
        String::from_utf8(tell(html.as_bytes(), &ancestors).into()).unwrap()
    }

    #[test]
    fn the_page_says_who_may_have_it_in_a_frame_and_is_otherwise_as_it_was() {
        let page = |tag| format!("<html><head>\n<meta charset=\"utf-8\">{tag}</head></html>");
        let built = page(r#"<meta name="agent-gateway:ancestors" content="'self'">"#);
        let other = page(r#"<meta content="'self'" name="agent-gateway:ancestors" />"#);
        let sources = "'self' https://a.example";
        let told_page =
            page(r#"<meta name="agent-gateway:ancestors" content="'self' https://a.example">"#);
        assert_eq!(told(&built, sources), told_page);
        assert_eq!(told(&other, sources), told_page);
        assert_eq!(told(&page(""), sources), page(""));
        assert_ne!(tag(told(&built, sources).as_bytes()), tag(built.as_bytes()));
    }
}
