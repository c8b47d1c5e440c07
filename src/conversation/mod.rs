//! The domain: conversations, their recent events, and who follows them.
//!
//! ```text
//! Event ── Hub::apply ── Conversation { Window, members } ── Outlet (one a member)
//! ```
//!
//! Invariants that this module keeps:
//!
//! 1. Append, dedupe and offer happen under one lock per conversation, so that members see
//!    entries in journal order.
//! 2. Joining takes the same lock: there is neither a gap nor a duplicate between what is
//!    replayed and what is live.
//! 3. Nothing is awaited under that lock.
//! 5. A member that cannot be served completely gets `reset`; nothing is skipped silently.
//! 6. A [`Position`] never means two different entries; a [`Cursor`] names the epoch and the
//!    conversation that it belongs to, and any other is answered with `reset`.
//! 7. What is kept is bounded by [`WindowLimits`]; a conversation without members and without entries
//!    costs nothing.
//!
//! (Invariant 4, "acknowledged only after the journal has it", is kept by [`crate::source`].)
//!
//! Nothing in here knows HTTP, AMQP or Socket.IO.

mod apply;
mod batch;
mod beginning;
mod catch_up;
#[allow(
    clippy::module_inception,
    reason = "a file is named after its main type"
)]
mod conversation;
mod counters;
mod cursor;
mod decode;
mod early;
mod entry;
mod event;
mod eviction_floor;
mod expiry_queue;
pub(crate) mod fields;
mod hub;
mod id;
mod json_text;
mod marks;
mod member;
mod notified;
mod recent;
mod rejection;
mod selection;
mod timestamp;
mod url_template;
mod view;
mod window;

pub use batch::{Arrival, Batch};
pub use beginning::{Asked, Beginning};
#[cfg(test)]
pub(crate) use conversation::alone::Alone;
pub use counters::{Counters, Latencies, ResetReason};
pub use cursor::{Cursor, CursorKey, Epoch, Mark, Position};
pub(crate) use decode::not_json;
pub use decode::{BODY_LIMIT, Decoded, Decoder, Delivered, Kind, OPTIONAL_FIELDS};
pub use entry::Entry;
pub use event::{Event, EventName, Identity, Status};
pub use hub::{Accepted, Hub, Membership, Published};
pub use id::{ConversationKey, Id, InvalidId};
pub(crate) use json_text::{JsonText, NoObject};
pub use member::{Join, Joined, MemberId, Offer, Outlet, Participant, ResetNotice, Resume};
pub use recent::Deduplication;
pub use rejection::{About, Invalid, Reason, Rejection};
pub use selection::Selection;
pub(crate) use timestamp::from_amqp;
pub use timestamp::{rfc3339, rfc3339_from_amqp, rfc3339_from_unix};
pub use url_template::{Gap, UrlTemplate};
pub use view::{ConversationView, MemberView, Standing};
pub use window::{Window, WindowLimits};
