//! The JSON of a record.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::InvalidRecord;
use crate::conversation::{ConversationKey, Event, EventName, Id, Identity, Selection, Status};
use crate::journal::stream::greeting::Greeting;
use crate::trace::TraceContext;

#[derive(Serialize, Deserialize)]
pub(super) struct Wire<'a> {
    pub(super) id: String,
    pub(super) kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) epoch: Option<String>,
    /// Milliseconds since 1970.
    pub(super) time: i64,
    /// Milliseconds before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) published: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<WireEvent<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) disconnect: Option<WireSelection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replica: Option<Greeting>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEvent<'a> {
    #[serde(borrow)]
    tenant_id: Cow<'a, str>,
    #[serde(borrow)]
    conversation_id: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    /// Of a message or a status: what it repeats, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<Cow<'a, str>>,
    /// The trace that the event belongs to, as `traceparent` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSelection {
    tenant_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
}

impl<'a> WireEvent<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        let status = match event.identity {
            Some(Identity::Status(_, status)) => Some(status),
            _ => None,
        };
        let message_id = event.identity.as_ref().map(Identity::message_id);
        Self {
            tenant_id: event.key.tenant.as_str().into(),
            conversation_id: event.key.conversation.as_str().into(),
            event: event.name.as_str().into(),
            message_id: message_id.map(|id| Cow::Borrowed(&**id)),
            status,
            event_id: event.event_id.as_deref().map(Cow::Borrowed),
            trace: event.trace.map(|trace| trace.to_string()),
            payload: &event.payload,
        }
    }

    pub(super) fn event(self) -> Result<Event, InvalidRecord> {
        let name = match &*self.event {
            "inbound_message" => EventName::InboundMessage,
            "status_update" => EventName::StatusUpdate,
            other => EventName::Other(other.into()),
        };
        let message_id = self.message_id.map(|id| (*id).into());
        let identity = match (&name, message_id, self.status) {
            (_, None, _) => None,
            (_, Some(id), Some(status)) => Some(Identity::Status(id, status)),
            (EventName::InboundMessage, Some(id), None) => Some(Identity::Inbound(id)),
            (_, Some(id), None) => Some(Identity::Outbound(id)),
        };
        Ok(Event {
            key: ConversationKey {
                tenant: id(&self.tenant_id, "event.tenantId")?,
                conversation: id(&self.conversation_id, "event.conversationId")?,
            },
            name,
            payload: self.payload.to_owned(),
            identity,
            event_id: self.event_id.map(|id| (*id).into()),
            trace: self
                .trace
                .and_then(|trace| TraceContext::parse(trace.as_bytes())),
        })
    }
}

impl From<&Selection> for WireSelection {
    fn from(selection: &Selection) -> Self {
        Self {
            tenant_id: selection.tenant.to_string(),
            conversation_id: selection.conversation.as_ref().map(Id::to_string),
            agent_id: selection.agent.clone(),
        }
    }
}

impl WireSelection {
    pub(super) fn selection(self) -> Result<Selection, InvalidRecord> {
        let conversation = self.conversation_id.as_deref();
        let conversation = conversation.map(|text| id(text, "disconnect.conversationId"));
        Ok(Selection {
            tenant: id(&self.tenant_id, "disconnect.tenantId")?,
            conversation: conversation.transpose()?,
            agent: self.agent_id,
        })
    }
}

fn id(text: &str, field: &'static str) -> Result<Id, InvalidRecord> {
    Id::parse(text).map_err(|_| InvalidRecord::Field(field))
}
