//! A medium: where it is, and what.

use std::borrow::Cow;

use serde_json::value::RawValue;
use url::Url;

use crate::conversation::fields::{Read, text};
use crate::conversation::url_template::UrlTemplate;

pub(super) fn media_url(raw: &RawValue) -> Read<Cow<'_, str>> {
    const ABSOLUTE: &str = "must be an absolute http or https URL";
    let text = text(raw, 0, UrlTemplate::LONGEST)?;
    // `Url` repairs what browsers repair: spaces around, tabs within, a missing slash. A
    // publisher is told instead, because what is passed on is the text as it came.
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    let written_out = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !written_out {
        return Err(ABSOLUTE.into());
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must be an absolute http or https URL, with spaces written as %20".into());
    }
    match Url::parse(&text) {
        Ok(url) if url.has_host() => Ok(text),
        _ => Err(ABSOLUTE.into()),
    }
}

pub(super) fn media_type(raw: &RawValue) -> Read<Cow<'_, str>> {
    let text = text(raw, 0, usize::MAX)?;
    match mediatype::MediaType::parse(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err("must be a MIME type such as image/jpeg".into()),
    }
}

/// What kind of medium it is: by its MIME type, else by what its name or its address ends in.
pub(super) fn told(
    media_type: Option<&str>,
    file_name: Option<&str>,
    media_url: Option<&str>,
) -> &'static str {
    let guessed = || {
        let path = media_url.map(|url| url.split(['?', '#']).next().unwrap_or_default());
        let names = [file_name, path].into_iter().flatten();
        let mut types = names.filter_map(|name| mime_guess::from_path(name).first_raw());
        types.next()
    };
    let kind = media_type.or_else(guessed).unwrap_or_default();
    match kind.split('/').next().unwrap_or_default() {
        top if top.eq_ignore_ascii_case("image") => "image",
        top if top.eq_ignore_ascii_case("video") => "video",
        top if top.eq_ignore_ascii_case("audio") => "audio",
        _ => "document",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_medium_is_what_its_type_says_and_else_what_its_name_ends_in() {
        for (media_type, file_name, media_url, kind) in [
            (Some("image/jpeg"), None, None, "image"),
            (Some("Audio/ogg; codecs=opus"), None, None, "audio"),
            (Some("video/mp4"), Some("a.jpg"), None, "video"),
            (Some("application/pdf"), Some("a.jpg"), None, "document"),
            (None, Some("A.JPG"), Some("https://m.test/a.mp4"), "image"),
            (
                None,
                None,
                Some("https://m.test/a.mp4?x=b.jpg#.png"),
                "video",
            ),
            (None, Some("voice"), Some("https://m.test/a.ogg"), "audio"),
            (None, None, Some("https://m.test/a"), "document"),
            (None, None, None, "document"),
        ] {
            assert_eq!(
                told(media_type, file_name, media_url),
                kind,
                "{media_url:?}"
            );
        }
    }
}
