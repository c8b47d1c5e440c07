//! What the front end's build leaves, embedded into the binary: each file as it is, and compressed.

use std::borrow::Cow;

use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::{Embed, EmbeddedFile};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// A build without Node has none of it.
#[derive(Embed)]
#[folder = "static/dist"]
#[allow_missing = true]
struct Dist;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// All files are public, and loaded by pages of other origins: hosts, or the widget in a sandbox.
pub(super) const CROSS_ORIGIN: &str = "cross-origin";

const NOT_BUILT: &str = "The widget is not part of this build. To build it:\n\
    \n    (cd static && npm ci && npm run build) && cargo build\n";

/// How a body is written, the smallest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    const ALL: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Identity];

    /// Its name in headers, and what the build appends to a file's name.
    const fn names(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Brotli => Some(("br", ".br")),
            Self::Gzip => Some(("gzip", ".gz")),
            Self::Identity => None,
        }
    }

    pub(super) fn is_accepted(self, headers: &HeaderMap) -> bool {
        Self::accepted(headers).any(|encoding| encoding == self)
    }

    /// Those that the client takes, the smallest first.
    fn accepted(headers: &HeaderMap) -> impl Iterator<Item = Self> + use<> {
        let lines = headers.get_all(ACCEPT_ENCODING).iter();
        let names: Vec<_> = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .filter_map(accepted)
            .collect();
        Self::ALL.into_iter().filter(move |encoding| {
            let named = encoding.names().map(|(name, _)| name);
            named.is_none_or(|name| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
        })
    }
}

/// The name of an encoding in a list of accepted ones, unless its weight says that it is not.
fn accepted(entry: &str) -> Option<String> {
    let mut parts = entry.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    let refused = weight.is_some_and(|weight| weight.parse() == Ok(0.0_f32));
    (!refused && !name.is_empty()).then(|| name.to_owned())
}

/// One form of a file.
pub(super) struct EncodedFile {
    pub(super) encoding: Encoding,
    pub(super) bytes: Bytes,
    pub(super) tag: String,
}

/// The file in the smallest form that the client takes.
pub(super) fn find(path: &str, headers: &HeaderMap) -> Option<EncodedFile> {
    Encoding::accepted(headers).find_map(|encoding| {
        let ending = encoding.names().map_or("", |(_, ending)| ending);
        let file = Dist::get(&format!("{path}{ending}"))?;
        Some(EncodedFile {
            encoding,
            tag: tag_of(&file),
            bytes: bytes(file),
        })
    })
}

fn bytes(file: EmbeddedFile) -> Bytes {
    match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// The file as it was built.
pub(super) fn built(path: &str) -> Option<Bytes> {
    Dist::get(path).map(bytes)
}

/// Answers a file, or that there is none.
pub(super) fn serve(path: &str, cache: &'static str, headers: &HeaderMap) -> Response {
    let Some(body) = find(path, headers) else {
        return missing();
    };
    let fixed = [(CACHE_CONTROL, cache), (RESOURCE_POLICY, CROSS_ORIGIN)];
    (fixed, answer(body, kind(path), headers)).into_response()
}

/// Answers what is in a form, or that the client has it already.
pub(super) fn answer(body: EncodedFile, kind: String, headers: &HeaderMap) -> Response {
    let known = knows(headers, body.tag.as_bytes());
    let always = [
        (ETAG, body.tag),
        // A cache that has one form must not give it to a client that takes only another.
        (VARY, "Accept-Encoding".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, always).into_response();
    }
    let mut response = (always, [(CONTENT_TYPE, kind)], body.bytes).into_response();
    if let Some((name, _)) = body.encoding.names() {
        let name = HeaderValue::from_static(name);
        response.headers_mut().insert(CONTENT_ENCODING, name);
    }
    response
}

fn kind(path: &str) -> String {
    // What else ends so is video.
    if path.ends_with(".d.ts") {
        return "application/typescript; charset=utf-8".to_owned();
    }
    if path.ends_with(".map") {
        return "application/json".to_owned();
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    }
}

/// That there is no such file, or no front end at all.
pub(super) fn missing() -> Response {
    if Dist::get("widget.html").is_some() {
        return StatusCode::NOT_FOUND.into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response()
}

/// What the build says of itself.
#[derive(Deserialize)]
struct ClientRelease {
    hash: String,
}

/// The hash under which the scripts for other pages stay what they are.
pub(super) fn hash() -> Option<String> {
    let file = built("client.json")?;
    let release: ClientRelease = serde_json::from_slice(&file).ok()?;
    Some(release.hash)
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

pub(super) fn tag(content: &[u8]) -> String {
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

    fn first(accept: &'static str) -> Encoding {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
        Encoding::accepted(&headers).next().unwrap()
    }

    #[test]
    fn the_smallest_form_is_chosen_that_the_client_takes() {
        for (accept, encoding) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip;q=1.0, BR;q=0.5", Encoding::Brotli),
            ("gzip, br;q=0", Encoding::Gzip),
            ("gzip;q=0.000", Encoding::Identity),
            ("brotli, x-gzip", Encoding::Identity),
            ("*", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            assert_eq!(first(accept), encoding, "{accept}");
        }
        let mut none = Encoding::accepted(&HeaderMap::new());
        assert_eq!(none.next(), Some(Encoding::Identity));
    }
}
