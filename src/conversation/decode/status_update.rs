//! What agents get of a tick.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::reader::Reader;
use crate::conversation::event::Status;
use crate::conversation::fields::text;
use crate::conversation::rejection::Invalid;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusUpdate<'a> {
    message_id: Cow<'a, str>,
    pub(super) status: Status,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure<'a>>,
}

/// Why WhatsApp gave up on a message.
#[derive(Serialize)]
struct Failure<'a> {
    /// WhatsApp's codes are numbers; strings pass as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
}

impl<'a> StatusUpdate<'a> {
    pub(super) fn read(
        fields: &mut Reader<'_, 'a>,
        message_id: Cow<'a, str>,
        timestamp: String,
    ) -> Result<Self, Invalid> {
        let status = fields.required("status", |raw| {
            let name = text(raw, 0, usize::MAX)?;
            Status::from_name(&name).ok_or("must be sent, delivered, read, played or failed".into())
        })?;
        // Only a failure has an error; beside another status it is one of the ignored fields.
        let error = match status {
            Status::Failed => fields.object("error", Failure::read)?,
            _ => None,
        };
        Ok(Self {
            message_id,
            status,
            timestamp,
            error,
        })
    }
}

impl<'a> Failure<'a> {
    fn read(fields: &mut Reader<'_, 'a>) -> Result<Self, Invalid> {
        Ok(Self {
            code: fields.optional("code", |raw| match raw.get().as_bytes().first() {
                Some(b'"') => text(raw, 0, usize::MAX).map(|_| raw),
                Some(b'-' | b'0'..=b'9') => Ok(raw),
                _ => Err("must be a number or a string".into()),
            })?,
            title: fields.optional("title", |raw| text(raw, 0, usize::MAX))?,
        })
    }
}
