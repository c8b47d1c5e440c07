//! Why something from outside is not an event.

use std::borrow::Cow;
use std::sync::Arc;

use super::event::Event;
use super::fields::{Fields, message_id};
use super::id::Id;

/// A field that breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// Where: the field's name, dotted when nested; `body` for the whole.
    pub field: Cow<'static, str>,
    /// What is wrong with it, to be read after the field's name.
    pub reason: Cow<'static, str>,
}

impl Invalid {
    /// `field` breaks the rule that `reason` states.
    pub fn new(field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// The same, for a field that lies within `parent`.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        Self {
            field: format!("{parent}.{}", self.field).into(),
            reason: self.reason,
        }
    }
}

/// Why a delivery can never succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The class of the mistake.
    pub reason: Reason,
    /// The field that is wrong, where one is.
    pub field: Option<Cow<'static, str>>,
    /// A sentence that names the field.
    pub detail: String,
    /// What the delivery is about, as far as that could be read.
    pub about: About,
}

/// The classes of mistakes, as the dead letter's `x-gateway-reason` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The body is not JSON, or what it was packed with is damaged.
    InvalidJson,
    /// The body is JSON, but not an event.
    InvalidEvent,
    /// The body is larger than [`BODY_LIMIT`](super::BODY_LIMIT).
    TooLarge,
    /// The body is packed with something that the gateway cannot unpack.
    UnsupportedEncoding,
    /// The program that maps bodies cannot make events of it.
    MappingFailed,
    /// The gateway itself fails on it, again and again.
    InternalError,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::InvalidJson,
        Self::InvalidEvent,
        Self::TooLarge,
        Self::UnsupportedEncoding,
        Self::MappingFailed,
        Self::InternalError,
    ];

    /// The reason on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidEvent => "invalid_event",
            Self::TooLarge => "too_large",
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::MappingFailed => "mapping_failed",
            Self::InternalError => "internal_error",
        }
    }
}

impl Rejection {
    /// A mistake that no field of the body has.
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            field: None,
            detail: detail.into(),
            about: About::default(),
        }
    }
}

impl From<Invalid> for Rejection {
    fn from(invalid: Invalid) -> Self {
        Self {
            detail: invalid.to_string(),
            field: Some(invalid.field),
            ..Self::new(Reason::InvalidEvent, "")
        }
    }
}

/// The conversation and the message that something is about, for the log. What breaks the rules of
/// its field is left out: nothing says that it is an id and not a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The tenant.
    pub tenant: Option<Id>,
    /// The conversation.
    pub conversation: Option<Id>,
    /// The messageId.
    pub message_id: Option<Arc<str>>,
}

impl About {
    /// What an event is about.
    pub fn of(event: &Event) -> Self {
        Self {
            tenant: Some(event.key.tenant.clone()),
            conversation: Some(event.key.conversation.clone()),
            message_id: event.identity.as_ref().map(|id| id.message_id().clone()),
        }
    }

    /// What can be read of it, whatever else is wrong. `message` are the fields that have the
    /// messageId.
    pub(crate) fn read(fields: &Fields<'_>, message: &Fields<'_>) -> Self {
        let id = message.get("messageId").map(message_id);
        Self {
            tenant: fields.id("tenantId").ok(),
            conversation: fields.id("conversationId").ok(),
            message_id: id.and_then(Result::ok).map(Arc::from),
        }
    }
}
