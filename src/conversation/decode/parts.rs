//! The parts of a message that have fields of their own.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::inbound_message::FROM_LIMIT;
use super::media::media_url;
use super::reader::Reader;
use crate::conversation::fields::{Read, message_id, text};
use crate::conversation::rejection::Invalid;

/// What a message answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Quote<'a> {
    message_id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Cow<'a, str>>,
}

impl<'a> Quote<'a> {
    pub(super) fn read(fields: &mut Reader<'_, 'a>) -> Result<Self, Invalid> {
        Ok(Self {
            message_id: fields.required("messageId", message_id)?,
            text: fields.optional("text", |raw| text(raw, 0, usize::MAX))?,
            from: fields.optional("from", |raw| text(raw, 0, FROM_LIMIT))?,
        })
    }
}

/// A place.
#[derive(Serialize)]
pub(super) struct Location<'a> {
    /// Degrees, with the digits that they came with.
    latitude: &'a RawValue,
    longitude: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
}

impl<'a> Location<'a> {
    pub(super) fn read(fields: &mut Reader<'_, 'a>) -> Result<Self, Invalid> {
        let any = |raw| text(raw, 0, usize::MAX);
        Ok(Self {
            latitude: fields.required("latitude", |raw| degrees(raw, 90))?,
            longitude: fields.required("longitude", |raw| degrees(raw, 180))?,
            name: fields.optional("name", any)?,
            address: fields.optional("address", any)?,
            url: fields.optional("url", media_url)?,
        })
    }
}

fn degrees(raw: &RawValue, most: u8) -> Read<&RawValue> {
    let bounds = -f64::from(most)..=f64::from(most);
    match serde_json::from_str(raw.get()) {
        Ok(degrees) if bounds.contains(&degrees) => Ok(raw),
        _ => Err(format!("must be a number from -{most} to {most}").into()),
    }
}

/// Somebody's card.
#[derive(Serialize)]
pub(super) struct Contact<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phones: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emails: Vec<Cow<'a, str>>,
}

impl<'a> Contact<'a> {
    /// How many there may be in a message.
    pub(super) const MOST: usize = 20;

    pub(super) fn read(fields: &mut Reader<'_, 'a>) -> Result<Self, Invalid> {
        Ok(Self {
            name: fields.required("name", |raw| text(raw, 1, usize::MAX))?,
            phones: fields.optional("phones", texts)?.unwrap_or_default(),
            emails: fields.optional("emails", texts)?.unwrap_or_default(),
        })
    }
}

/// A list of strings; empty ones are nothing.
fn texts(raw: &RawValue) -> Read<Vec<Cow<'_, str>>> {
    const STRINGS: &str = "must be a list of strings";
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| STRINGS)?;
    let texts = list.into_iter().map(|one| text(one, 0, usize::MAX));
    let texts = texts.filter(|text| !text.as_ref().is_ok_and(|text| text.is_empty()));
    texts.collect::<Read<_>>().map_err(|_| STRINGS.into())
}
