//! What agents get of a tick.

use serde::Serialize;
use serde_json::value::RawValue;

use super::reader::Reader;
use crate::conversation::event::Status;
use crate::conversation::fields::text;
use crate::conversation::rejection::Invalid;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusUpdate<'a> {
    message_id: &'a str,
    pub(super) status: Status,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

/// Why WhatsApp gave up on a message.
#[derive(Serialize)]
struct Failure {
    /// WhatsApp's codes are numbers; strings pass as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

impl<'a> StatusUpdate<'a> {
    pub(super) fn read(
        fields: &mut Reader<'_>,
        message_id: &'a str,
        timestamp: String,
    ) -> Result<Self, Invalid> {
        let status = fields.required("status", |raw| {
            let name = text(raw, 0, usize::MAX)?;
            Status::from_name(&name).ok_or("must be sent, delivered, read or failed".into())
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

impl Failure {
    fn read(fields: &mut Reader<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            code: fields.optional("code", |raw| match raw.get().as_bytes().first() {
                Some(b'"') => text(raw, 0, usize::MAX).map(|_| raw.to_owned()),
                Some(b'-' | b'0'..=b'9') => Ok(raw.to_owned()),
                _ => Err("must be a number or a string".into()),
            })?,
            title: fields.optional("title", |raw| text(raw, 0, usize::MAX))?,
        })
    }
}
