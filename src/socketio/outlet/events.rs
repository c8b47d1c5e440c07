//! The events that a member is sent, as frames or through the library.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tracing::error;

use super::SocketOutlet;
use crate::conversation::{Entry, Offer};
use crate::engineio::{OutboundEvent, Pushed};
use crate::frame;

/// An entry on its way to a member.
pub(super) struct EntryEvent<'a> {
    pub(super) outlet: &'a SocketOutlet,
    pub(super) entry: &'a Entry,
    pub(super) replayed: bool,
}

impl OutboundEvent for EntryEvent<'_> {
    fn frame(&self) -> Bytes {
        self.entry.frame(self.outlet.namespace(), self.replayed)
    }

    fn emit(&self) -> Result<usize, Pushed> {
        let (payload, meta) = (self.entry.payload(), self.entry.meta(self.replayed));
        let (name, length) = (self.entry.name.as_str(), payload.len() + meta.len());
        let arguments = serde_json::from_str::<&RawValue>(payload)
            .and_then(|payload| Ok((payload, serde_json::from_str::<&RawValue>(&meta)?)));
        match arguments {
            // A tuple becomes two arguments.
            Ok(arguments) => self.outlet.emit(name, &arguments, length),
            Err(error) => {
                broken(name, &error);
                Err(Pushed::Closed)
            }
        }
    }
}

/// A notice to one member.
pub(super) struct NoticeEvent<'a> {
    pub(super) outlet: &'a SocketOutlet,
    pub(super) event: &'a str,
    pub(super) payload: Box<RawValue>,
}

impl OutboundEvent for NoticeEvent<'_> {
    fn frame(&self) -> Bytes {
        let path = self.outlet.namespace();
        let prefix = path.map(|path| format!("{path},")).unwrap_or_default();
        let (event, payload) = (self.event.as_bytes(), self.payload.get().as_bytes());
        frame::text(&[
            b"42",
            prefix.as_bytes(),
            b"[\"",
            event,
            b"\",",
            payload,
            b"]",
        ])
    }

    fn emit(&self) -> Result<usize, Pushed> {
        let payload = &*self.payload;
        self.outlet.emit(self.event, payload, payload.get().len())
    }
}

/// What cannot be encoded although it is rendered JSON: the member starts again.
pub(super) fn broken(event: &str, error: &impl std::fmt::Display) -> Offer {
    error!(event, %error, "an event cannot be encoded");
    Offer::Gone
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JoinedPayload<'a> {
    pub(super) tenant_id: &'a str,
    pub(super) conversation_id: &'a str,
    pub(super) cursor: String,
    pub(super) resume: &'static str,
    pub(super) replaying: usize,
    pub(super) agent: AgentPayload<'a>,
    pub(super) expires_at: String,
}

#[derive(Serialize)]
pub(super) struct AgentPayload<'a> {
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExpiringPayload {
    pub(super) expires_at: String,
}

#[derive(Serialize)]
pub(super) struct ResetPayload {
    pub(super) cursor: String,
    pub(super) reason: &'static str,
}
