//! What the gateway is called outside, and the path in front of its own.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

use super::origin::{InvalidOrigin, Origin};

/// The addresses by which browsers reach the gateway, all with the same path in front of its own.
/// Usually one; none, if that is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicUrls {
    origins: Vec<Origin>,
    /// Such as `/realtime`; nothing if the gateway's paths begin at the host.
    prefix: String,
}

/// The first segments of the gateway's own paths. With one of these in front of them, nobody
/// could know whether a proxy has taken it away.
const OWN: [&str; 14] = [
    "assets",
    "client.d.ts",
    "client.js",
    "client.json",
    "embed.js",
    "healthz",
    "internal",
    "metrics",
    "playground",
    "readyz",
    "socket.io",
    "v1",
    "widget",
    "widget.html",
];

impl PublicUrls {
    /// Reads URLs with commas between them: http or https, a host, perhaps a port and a path, which
    /// may end with a slash.
    ///
    /// # Errors
    /// What is wrong with the first that is, or that their paths differ.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut origins = Vec::new();
        let mut prefix: Option<&str> = None;
        for (number, url) in (1..).zip(text.split(',').map(str::trim)) {
            let (origin, path) = read(url)?;
            let first = *prefix.get_or_insert(path);
            if path != first {
                return Err(format!(
                    "all must have the same path, and number {number} has not that of the first"
                ));
            }
            origins.push(origin);
        }
        let prefix = prefix.unwrap_or_default().to_owned();
        Ok(Self { origins, prefix })
    }

    /// Whether there is any.
    pub(super) fn are_known(&self) -> bool {
        !self.origins.is_empty()
    }

    /// Whether this is the origin of one of them.
    pub(super) fn contain(&self, origin: &Origin) -> bool {
        self.origins.contains(origin)
    }

    /// The path in front of the gateway's own, without a slash at its end.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Has requests find their routes with and without the prefix, since some proxies take it away.
    /// That has to happen before anything looks at their path.
    pub(super) fn strip(&self, request: &mut Request) {
        if !self.prefix.is_empty()
            && let Some(uri) = without(&self.prefix, request.uri())
        {
            *request.uri_mut() = uri;
        }
    }
}

/// An origin, and a path without a slash at its end.
fn read(url: &str) -> Result<(Origin, &str), String> {
    let host = url.find("://").map_or(0, |scheme| scheme + "://".len());
    let end = url[host..].find('/').map_or(url.len(), |path| host + path);
    let (origin, path) = url.split_at(end);
    let scheme = url[..host].to_ascii_lowercase();
    let origin = match scheme.as_str() {
        "http://" | "https://" => Origin::parse(origin),
        _ => Err(InvalidOrigin::Form),
    };
    let origin = origin.map_err(|_| {
        "each, between the commas, must be a URL such as https://portal.example.com or \
         https://portal.example.com/realtime: http or https, a host, perhaps a port and a path"
            .to_owned()
    })?;
    let path = path.strip_suffix('/').unwrap_or(path);
    for segment in path.split('/').skip(1) {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if matches!(segment, "" | "." | "..") || !segment.bytes().all(is_plain) {
            return Err(
                "a path may have letters, digits and - . _ ~ between its slashes, and there is \
                 no query and no fragment"
                    .to_owned(),
            );
        }
    }
    let first = path.split('/').nth(1).unwrap_or_default();
    if OWN.contains(&first) {
        return Err(format!(
            "the path must not begin with /{first}, which is one of the gateway's own"
        ));
    }
    Ok((origin, path))
}

/// What is asked for behind the prefix; nothing if it is not there.
fn without(prefix: &str, uri: &Uri) -> Option<Uri> {
    let asked = uri.path_and_query()?.as_str();
    let rest = asked.strip_prefix(prefix)?;
    let rest = match rest.as_bytes().first() {
        Some(b'/') => rest.to_owned(),
        None | Some(b'?') => format!("/{rest}"),
        // Only the beginning of a segment.
        Some(_) => return None,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_origins_with_one_path_for_all() {
        for (text, origins, prefix) in [
            ("https://a.example", &["https://a.example"][..], ""),
            ("https://a.example/", &["https://a.example"], ""),
            ("HTTPS://A.example:443", &["https://a.example"], ""),
            (
                "https://a.example:8443/realtime",
                &["https://a.example:8443"],
                "/realtime",
            ),
            (
                "https://a.example/x/y-1/ , http://[::1]:80/x/y-1",
                &["https://a.example", "http://[::1]"],
                "/x/y-1",
            ),
        ] {
            let urls = PublicUrls::parse(text).unwrap();
            let written: Vec<_> = urls.origins.iter().map(ToString::to_string).collect();
            assert_eq!(written, origins, "{text}");
            assert_eq!(urls.prefix(), prefix, "{text}");
            assert!(urls.are_known());
        }
        assert!(!PublicUrls::default().are_known());
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told() {
        for (text, reason) in [
            ("a.example", "must be a URL"),
            ("/realtime", "must be a URL"),
            ("wss://a.example", "must be a URL"),
            ("app://a", "must be a URL"),
            ("*", "must be a URL"),
            ("https://a.example,", "must be a URL"),
            ("https://user@a.example", "must be a URL"),
            ("https://a.example?x", "must be a URL"),
            ("https://a.example#x", "must be a URL"),
            ("https://*.a.example", "must be a URL"),
            ("https:///x", "must be a URL"),
            ("https://a.example/x?y", "letters, digits"),
            ("https://a.example/x#y", "letters, digits"),
            ("https://a.example/x y", "letters, digits"),
            ("https://a.example//x", "letters, digits"),
            ("https://a.example/x//", "letters, digits"),
            ("https://a.example/x/../y", "letters, digits"),
            ("https://a.example/%78", "letters, digits"),
            ("https://a.example/x, https://b.example", "the same path"),
            ("https://a.example/x, https://b.example/X", "the same path"),
            ("https://a.example/socket.io", "one of the gateway's own"),
            ("https://a.example/widget/x", "one of the gateway's own"),
        ] {
            let message = PublicUrls::parse(text).unwrap_err();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn the_prefix_is_taken_away_where_it_is_a_whole_path() {
        for (asked, rest) in [
            ("/realtime", Some("/")),
            ("/realtime/", Some("/")),
            ("/realtime?x=/realtime", Some("/?x=/realtime")),
            ("/realtime/socket.io/?EIO=4", Some("/socket.io/?EIO=4")),
            ("/realtime/realtime/x", Some("/realtime/x")),
            ("/realtime//x", Some("//x")),
            ("http://h/realtime/x", Some("http://h/x")),
            ("/realtimeX/socket.io/", None),
            ("/realtime.x", None),
            ("/Realtime/x", None),
            ("/x/realtime/x", None),
            ("/", None),
            ("/?/realtime/x", None),
        ] {
            let uri = without("/realtime", &asked.parse().unwrap());
            assert_eq!(uri.map(|uri| uri.to_string()).as_deref(), rest, "{asked}");
        }
        assert_eq!(without("/realtime", &Uri::from_static("*")), None);
    }
}
