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
use tracing::debug;

use super::delivery_loop::DeliveryLoop;
use super::mapping::{Circumstances, Mapped};
use crate::broker::Queue;
use crate::conversation::{About, Event, Identity, Published, Rejection};

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
    ) -> Option<u64> {
        let tag = delivery.delivery_tag;
        let mapped = match mapped {
            Ok(mapped) => mapped,
            Err(rejection) => return self.dead_letter(delivery, rejection),
        };
        if mapped.outputs == 0 && mapped.rejection.is_none() {
            let queue = &self.consumer.queue.name;
            self.consumer.status.ignored().count();
            debug!(
                queue,
                delivery_tag = tag,
                "ignored: the mapping makes no event of it"
            );
            return Some(tag);
        }
        let journal = &self.consumer.journal;
        let before = delivered_before(&delivery);
        let mut delivered = before.clone();
        let mut last = None;
        for decoded in mapped.events {
            let about = About::of(&decoded.event);
            let name = decoded.event.name.clone();
            let digest = digest(&decoded.event);
            for invalid in &decoded.left_out {
                self.leave_out(tag, &about, invalid);
            }
            if before.contains(&digest) {
                self.consumer.hub.counters().duplicates.count();
                self.log(tag, name.as_str(), &about, "delivered before");
                continue;
            }
            delivered.insert(digest);
            let submitted = journal.submit(decoded.event, &mut self.batch);
            let outcome = submitted.placed().map_or("submitted", Published::as_str);
            self.log(tag, name.as_str(), &about, outcome);
            last = Some(submitted);
        }
        match (mapped.rejection, last) {
            (None, None) => Some(tag),
            (None, Some(last)) => self.submitted(tag, last, None),
            // Its other events are submitted: that is before the dead letter, or it comes again.
            (Some(rejection), last) => {
                self.dead_letter_after(last, marked(delivery, &delivered), rejection)
            }
        }
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
