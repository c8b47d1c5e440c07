//! A delivery of another shape, of which the mapping has made any number of events.
//!
//! All of them are in the journal before it is acknowledged. Where one is bad, the delivery also
//! goes to the dead letters, with a header that says which were good: a retry does not emit those
//! again, however long after.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tracing::debug;

use super::counts::Outcome;
use super::delivery_loop::DeliveryLoop;
use super::mapping::{Circumstances, Mapped};
use super::submissions::{Last, Submission};
use crate::broker::Queue;
use crate::conversation::{About, Event, Identity, Rejection};
use crate::source::description::describe;
use crate::trace::Span;

/// The header of a dead letter that names the events that were delivered.
const DELIVERED: &str = "x-gateway-delivered";

/// How many hexadecimal digits name an event: enough that no two of a thousand have the same.
const DIGITS: usize = 16;

/// What a program may know of a delivery.
pub(super) fn circumstances<'a>(delivery: &'a Delivery, queue: &'a Queue) -> Circumstances<'a> {
    let properties = &delivery.properties;
    Circumstances {
        exchange: delivery.exchange.as_str(),
        routing_key: delivery.routing_key.as_str(),
        queue: &queue.name,
        headers: properties.headers().as_ref(),
        message_id: properties.message_id().as_ref().map(ShortString::as_str),
        sent_at: *properties.timestamp(),
    }
}

impl DeliveryLoop<'_> {
    /// Takes what the mapping has made of a delivery; with its tag, unless it has to be
    /// dead-lettered before it is done.
    pub(super) fn take_mapped(
        &mut self,
        delivery: Delivery,
        mapped: Result<Mapped, Rejection>,
        arrived_at: OffsetDateTime,
        mut span: Span,
    ) -> Option<u64> {
        let tag = delivery.delivery_tag;
        let counts = self.consumer.status.counts().queue(self.consumer.kind);
        let mapped = match mapped {
            Ok(mapped) => mapped,
            Err(rejection) => return self.dead_letter(delivery, rejection, span),
        };
        if mapped.outputs == 0 && mapped.rejection.is_none() {
            let queue = &self.consumer.queue.name;
            self.consumer.status.ignored().count();
            counts.outcomes.count(&Outcome::Ignored);
            describe(&mut span, &About::default(), "ignored");
            debug!(
                queue,
                delivery_tag = tag,
                "ignored: the mapping makes no event of it"
            );
            return Some(tag);
        }
        let journal = &self.consumer.journal;
        let trace = span.context();
        let before = delivered_before(&delivery);
        let mut delivered = before.clone();
        // Of a delivery with several events, the best outcome counts.
        let mut best = Outcome::Ignored;
        let mut last: Option<Submission> = None;
        for mut decoded in mapped.events {
            decoded.event.trace = trace;
            let about = About::of(&decoded.event);
            let name = decoded.event.name.clone();
            let digest = digest(&decoded.event);
            for invalid in &decoded.left_out {
                self.leave_out(tag, &about, trace, invalid);
            }
            if before.contains(&digest) {
                self.consumer.hub.counters().duplicates.count();
                best = best.max(Outcome::Duplicate);
                describe(&mut span, &about, "delivered before");
                self.log(tag, name.as_str(), &about, trace, "delivered before");
                continue;
            }
            delivered.insert(digest);
            if let Some(earlier) = last.take() {
                self.submitted(earlier);
            }
            let submitted = journal.submit(decoded.event, &mut self.batch);
            if let Some(published) = submitted.placed() {
                best = best.max(published.into());
            }
            last = Some(Submission {
                tag,
                name,
                submitted,
                arrived_at,
                about,
                trace,
                last: None,
            });
        }
        let Some(rejection) = mapped.rejection else {
            let Some(last) = last else {
                counts.outcomes.count(&best);
                return Some(tag);
            };
            return self.submitted(Submission {
                last: Some(Last { best, span }),
                ..last
            });
        };
        // Its other events are submitted: that is before the dead letter, or it comes again.
        let last = last.and_then(|last| match last.submitted.placed() {
            Some(_) => {
                self.submitted(last);
                None
            }
            None => Some(last.submitted),
        });
        self.dead_letter_after(last, marked(delivery, &delivered), rejection, span)
    }
}

/// The events of a dead letter that comes again.
fn delivered_before(delivery: &Delivery) -> BTreeSet<String> {
    let headers = delivery.properties.headers().as_ref();
    match headers.and_then(|headers| headers.inner().get(DELIVERED)) {
        Some(AMQPValue::LongString(text)) => {
            let digests = text.as_bytes().chunks(DIGITS);
            let digests = digests.map(|digest| String::from_utf8_lossy(digest).into_owned());
            digests.collect()
        }
        _ => BTreeSet::new(),
    }
}

/// The delivery, with a header that names what was delivered of it.
fn marked(mut delivery: Delivery, delivered: &BTreeSet<String>) -> Delivery {
    if delivered.is_empty() {
        return delivery;
    }
    let digests: String = delivered.iter().map(String::as_str).collect();
    let mut headers: FieldTable = delivery.properties.headers().clone().unwrap_or_default();
    headers.insert(DELIVERED.into(), AMQPValue::LongString(digests.into()));
    delivery.properties = delivery.properties.with_headers(headers);
    delivery
}

/// What an event is known by: the same for every event that repeats it.
fn digest(event: &Event) -> String {
    let mut hash = Sha256::new();
    // None of these has a zero byte, the last one excepted.
    for part in [
        event.name.as_str(),
        event.key.tenant.as_str(),
        event.key.conversation.as_str(),
    ] {
        hash.update(part);
        hash.update([0]);
    }
    if let Some(identity) = &event.identity {
        if let Identity::Status(_, status) = identity {
            hash.update([*status as u8]);
        }
        hash.update(identity.message_id().as_bytes());
    }
    let mut text = String::with_capacity(DIGITS);
    for byte in &hash.finalize()[..DIGITS / 2] {
        // A string takes whatever is written to it.
        write!(text, "{byte:02x}").ok();
    }
    text
}
