//! One thing that happened in a conversation, on its way to the journal.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::id::ConversationKey;
use crate::trace::TraceContext;

/// An accepted event, not yet in the journal's order.
#[derive(Debug, Clone)]
pub struct Event {
    /// The conversation that it happened in.
    pub key: ConversationKey,
    /// The Socket.IO event that agents receive.
    pub name: EventName,
    /// The payload, rendered once here and copied to every member.
    pub payload: Box<RawValue>,
    /// What makes it a repeat of an earlier event, if anything does.
    pub identity: Option<Identity>,
    /// The relay's idempotency key (`eventId`).
    pub event_id: Option<Arc<str>>,
    /// What it was caused by, where its publisher or the portal says so.
    pub trace: Option<TraceContext>,
}

/// The name of a Socket.IO event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventName {
    /// A customer's message.
    InboundMessage,
    /// A tick.
    StatusUpdate,
    /// A name that the relay was given.
    Other(Arc<str>),
}

impl EventName {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InboundMessage => "inbound_message",
            Self::StatusUpdate => "status_update",
            Self::Other(name) => name,
        }
    }
}

/// What an event is about. Two events of one conversation with the same identity are duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A customer's message, by its messageId.
    Inbound(Arc<str>),
    /// A message of the agent's side, by its messageId. Should one of the customer's have the same,
    /// neither is a repeat of the other.
    Outbound(Arc<str>),
    /// A status of a message, by the messageId and the status.
    Status(Arc<str>, Status),
}

impl Identity {
    /// The messageId of the message that it is about.
    pub fn message_id(&self) -> &Arc<str> {
        match self {
            Self::Inbound(id) | Self::Outbound(id) | Self::Status(id, _) => id,
        }
    }
}

/// A WhatsApp message status. The order is that of staleness: a status is stale once a greater
/// one is known for the same message.
///
/// `failed` stands between `sent` and `delivered`: it is stale after `delivered` or `read`,
/// while either of these still counts after a `failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// WhatsApp took the message.
    Sent,
    /// WhatsApp gave up on the message.
    Failed,
    /// The message is on the customer's phone.
    Delivered,
    /// The customer opened it.
    Read,
}

impl Status {
    /// All statuses, in their order.
    pub const ALL: [Self; 4] = [Self::Sent, Self::Failed, Self::Delivered, Self::Read];

    /// The status named `name`, as WhatsApp spells it. A voice message that was `played` has been read.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "sent" => Self::Sent,
            "failed" => Self::Failed,
            "delivered" => Self::Delivered,
            "read" | "played" => Self::Read,
            _ => return None,
        })
    }
}
