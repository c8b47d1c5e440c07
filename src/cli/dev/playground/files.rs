//! The playground's page and what it shows, embedded into the binary.

use std::borrow::Cow;

use axum::extract::Path;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RANGE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use rust_embed::Embed;

/// What the front end's build leaves for the playground. It lies apart from what `serve` can find.
#[derive(Embed)]
#[folder = "static/dist/playground"]
#[allow_missing = true]
struct PlaygroundDist;

/// The page frames the widget and nobody frames the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; media-src 'self'; frame-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const NOT_BUILT: &str = "The playground is not part of this build. To build it:\n\
    \n    (cd static && npm ci && npm run build) && cargo build\n";

pub(super) async fn page() -> Response {
    if PlaygroundDist::get(PAGE).is_none() {
        return (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response();
    }
    // It names the files of one build, and must not outlive that in a cache.
    serve(PAGE, "no-store", &HeaderMap::new())
}

const PAGE: &str = "playground.html";

pub(super) async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    serve(&path, "private, max-age=300", &headers)
}

fn serve(path: &str, cache: &str, headers: &HeaderMap) -> Response {
    let Some(file) = PlaygroundDist::get(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    // What can run scripts has a policy; a browser's viewer of PDF would obey it, too, and fail.
    let policy = (kind != "application/pdf").then_some([(CONTENT_SECURITY_POLICY, POLICY)]);
    let described = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, cache.to_owned()),
        (ACCEPT_RANGES, "bytes".to_owned()),
    ];
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    match range.and_then(|range| part(range, bytes.len())) {
        None => (policy, described, bytes).into_response(),
        Some((first, last)) => {
            let range = format!("bytes {first}-{last}/{}", bytes.len());
            let part = bytes.slice(first..=last);
            let range = [(CONTENT_RANGE, range)];
            (StatusCode::PARTIAL_CONTENT, policy, described, range, part).into_response()
        }
    }
}

/// The first and the last byte that a Range header asks for (RFC 9110, section 14.1.2). Players of
/// sound and video ask for one part at a time; any other request is answered with everything, as
/// the same section allows.
fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let end = length.checked_sub(1)?;
    let last = match last {
        "" => end,
        last => end.min(last.parse().ok()?),
    };
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_gets_the_part_that_it_asks_for() {
        for (range, expected) in [
            ("bytes=0-", Some((0, 99))),
            ("bytes=0-1", Some((0, 1))),
            ("bytes=40-59", Some((40, 59))),
            ("bytes=99-1000", Some((99, 99))),
            ("bytes=100-", None),
            ("bytes=9-5", None),
            ("bytes=-5", None),
            ("bytes=0-1,5-6", None),
            ("pages=0-1", None),
            ("bytes", None),
        ] {
            assert_eq!(part(range, 100), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), None);
    }
}
