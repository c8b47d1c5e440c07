//! What agents get of a message: a customer's, or, as `outbound_message`, their own side's.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::media::{self, media_type, media_url};
use super::parts::{Contact, Location, Quote};
use super::reader::Reader;
use crate::conversation::fields::{Read, identifier, message_id, text};
use crate::conversation::id::ConversationKey;
use crate::conversation::rejection::Invalid;
use crate::conversation::url_template::UrlTemplate;

/// The longest WhatsApp id, in characters.
pub(super) const FROM_LIMIT: usize = 128;

/// The longest name of a person, in characters.
const FROM_NAME_LIMIT: usize = 256;

/// The longest name of a file, in characters: as long as file systems take.
const FILE_NAME_LIMIT: usize = 255;

/// The longest name of a type, in characters.
const TYPE_LIMIT: usize = 32;

/// The largest whole number that JavaScript can hold.
const LARGEST_NUMBER: u64 = (1 << 53) - 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InboundMessage<'a> {
    message_id: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_url: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Quote<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    forwarded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<Vec<Contact<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<Cow<'a, str>>,
    timestamp: String,
}

impl<'a> InboundMessage<'a> {
    pub(super) fn read(
        fields: &mut Reader<'_, 'a>,
        message_id: Cow<'a, str>,
        timestamp: String,
        key: &ConversationKey,
        media_urls: Option<&UrlTemplate>,
    ) -> Result<Self, Invalid> {
        let given = fields.optional("type", kind)?;
        let mut message = Self {
            message_id,
            text: fields.optional("text", |raw| text(raw, 0, usize::MAX))?,
            media_url: fields.optional("mediaUrl", media_url)?,
            media_id: fields.optional("mediaId", |raw| identifier(raw, 0, usize::MAX))?,
            media_type: fields.optional("mediaType", media_type)?,
            file_name: fields.optional("fileName", |raw| text(raw, 0, FILE_NAME_LIMIT))?,
            file_size: fields.optional("fileSize", size)?,
            from: fields.optional("from", |raw| text(raw, 0, FROM_LIMIT))?,
            from_name: fields.optional("fromName", |raw| text(raw, 0, FROM_NAME_LIMIT))?,
            reply_to: fields.object("replyTo", Quote::read)?,
            forwarded: fields.optional("forwarded", flag)?.unwrap_or_default(),
            location: fields.object("location", Location::read)?,
            contacts: fields.list("contacts", Contact::MOST, Contact::read)?,
            target: fields.optional("target", self::message_id)?,
            emoji: fields.optional("emoji", |raw| text(raw, 0, usize::MAX))?,
            kind: Cow::Borrowed(""),
            timestamp,
        };
        if let (None, Some(id), Some(template)) =
            (&message.media_url, &message.media_id, media_urls)
        {
            match template.fill(key, id) {
                Some(url) => message.media_url = Some(Cow::Owned(url)),
                None => {
                    message.media_id = None;
                    fields.unusable("mediaId", "makes no URL of at most 2048 characters")?;
                }
            }
        }
        message.kind = match given.or_else(|| message.told().map(Cow::Borrowed)) {
            Some(kind) => kind,
            None => return Err(message.nothing(fields)),
        };
        let needed: &[_] = match &*message.kind {
            "reaction" | "delete" => &[("target", message.target.is_some())],
            "edit" => &[
                ("target", message.target.is_some()),
                ("text", message.text.is_some()),
            ],
            _ => &[],
        };
        match needed.iter().find(|(_, there)| !there) {
            None => Ok(message),
            Some((name, _)) => Err(fields.needed(name)),
        }
    }

    /// The type that the rest tells, if there is anything to show.
    fn told(&self) -> Option<&'static str> {
        if self.media_url.is_some() || self.media_id.is_some() {
            return Some(media::told(
                self.media_type.as_deref(),
                self.file_name.as_deref(),
                self.media_url.as_deref(),
            ));
        }
        let others = [
            (self.location.is_some(), "location"),
            (self.contacts.is_some(), "contacts"),
            (self.target.is_some() && self.emoji.is_some(), "reaction"),
            (self.text.is_some(), "text"),
        ];
        let told = others.into_iter().find(|(there, _)| *there);
        told.map(|(_, name)| name)
    }

    /// Why it is no message: there may be something to show, and it was of no use.
    fn nothing(&self, fields: &Reader<'_, '_>) -> Invalid {
        let shown = [
            "text", "mediaUrl", "mediaId", "location", "contacts", "type",
        ];
        fields.left_out(&shown).cloned().unwrap_or_else(|| {
            let missing =
                "or mediaUrl, mediaId, location, contacts or type must be there, not empty";
            Invalid::new("text", missing)
        })
    }
}

/// Any word will do: what the gateway does not know is shown as best the front end can.
fn kind(raw: &RawValue) -> Read<Cow<'_, str>> {
    let name = text(raw, 0, usize::MAX)?;
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let well_formed = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(is_word)
        && name.len() <= TYPE_LIMIT;
    match well_formed {
        true => Ok(name),
        false => Err("must be a-z, then up to 31 of a-z 0-9 _".into()),
    }
}

fn size(raw: &RawValue) -> Read<u64> {
    match raw.get().parse() {
        Ok(bytes) if bytes <= LARGEST_NUMBER => Ok(bytes),
        _ => Err("must be a number of bytes, from 0 to 2^53 - 1".into()),
    }
}

fn flag(raw: &RawValue) -> Read<bool> {
    match raw.get() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".into()),
    }
}
