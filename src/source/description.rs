//! What a span says of the event that it is about.

use crate::conversation::About;
use crate::trace::Span;

/// Says which event it was, and what has become of it.
pub(super) fn describe(span: &mut Span, about: &About, outcome: &str) {
    if !span.is_recorded() {
        return;
    }
    span.set("gateway.outcome", outcome);
    if let Some(tenant) = &about.tenant {
        span.set("gateway.tenant", tenant);
    }
    if let Some(conversation) = &about.conversation {
        span.set("gateway.conversation", conversation);
    }
    if let Some(message_id) = &about.message_id {
        span.set("gateway.message_id", message_id);
    }
}
