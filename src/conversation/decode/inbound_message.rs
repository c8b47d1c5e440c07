//! What agents get of a customer's message.

use serde::Serialize;
use serde_json::value::RawValue;
use url::Url;

use super::reader::Reader;
use crate::conversation::fields::{Read, text};
use crate::conversation::rejection::Invalid;

const FROM_LIMIT: usize = 128;
const MEDIA_URL_LIMIT: usize = 2048;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InboundMessage<'a> {
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    timestamp: String,
}

impl<'a> InboundMessage<'a> {
    pub(super) fn read(
        fields: &mut Reader<'_>,
        message_id: &'a str,
        timestamp: String,
    ) -> Result<Self, Invalid> {
        let message = Self {
            message_id,
            text: fields.optional("text", |raw| text(raw, 0, usize::MAX))?,
            media_url: fields.optional("mediaUrl", media_url)?,
            media_type: fields.optional("mediaType", media_type)?,
            from: fields.optional("from", |raw| text(raw, 0, FROM_LIMIT))?,
            timestamp,
        };
        if message.text.is_none() && message.media_url.is_none() {
            // There may be one, and it was of no use.
            let unusable = fields.left_out(&["text", "mediaUrl"]).cloned();
            return Err(unusable
                .unwrap_or_else(|| Invalid::new("text", "or mediaUrl must be there, not empty")));
        }
        Ok(message)
    }
}

fn media_url(raw: &RawValue) -> Read<String> {
    const ABSOLUTE: &str = "must be an absolute http or https URL";
    let text = text(raw, 0, MEDIA_URL_LIMIT)?;
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

fn media_type(raw: &RawValue) -> Read<String> {
    let text = text(raw, 0, usize::MAX)?;
    match mediatype::MediaType::parse(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err("must be a MIME type such as image/jpeg".into()),
    }
}
