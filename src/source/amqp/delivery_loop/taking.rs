//! A delivery is read, and its event submitted to the journal.

use std::time::Instant;

use lapin::message::Delivery;
use lapin::types::{AMQPValue, ShortString};
use time::OffsetDateTime;
use tracing::{Level, enabled};

use super::super::attempts::attempt;
use super::super::consumer::Consumer;
use super::super::counts::Outcome;
use super::super::mapped::circumstances;
use super::super::submissions::{Last, Submission};
use super::DeliveryLoop;
use crate::broker::Queue;
use crate::conversation::{About, Arrival, Delivered, from_amqp};
use crate::trace::{self, Span, TraceContext};

impl DeliveryLoop<'_> {
    /// Takes a delivery; with its tag, unless it has to be dead-lettered before it is done.
    pub(super) fn take(&mut self, delivery: Delivery, now: Instant) -> Option<u64> {
        let Consumer {
            kind,
            queue,
            decoder,
            journal,
            ..
        } = self.consumer;
        let tag = delivery.delivery_tag;
        let span = span(&delivery, queue);
        let trace = span.context();
        let encoding = delivery.properties.content_encoding().as_ref();
        let delivered = Delivered {
            kind: *kind,
            body: &delivery.data,
            encoding: encoding.map(ShortString::as_str),
            sent_at: *delivery.properties.timestamp(),
            arrived_at: OffsetDateTime::now_utc(),
        };
        let arrived_at = delivered.arrived_at;
        let published = delivered.sent_at.and_then(from_amqp);
        self.batch.arrived(Arrival {
            at: now,
            // A publisher whose clock is ahead has published now.
            published_before: published.map(|at| (arrived_at - at).try_into().unwrap_or_default()),
        });
        if let Some(mapping) = &self.consumer.mapping {
            let mapped =
                attempt(|| mapping.apply(decoder, &delivered, &circumstances(&delivery, queue)));
            return self.take_mapped(delivery, mapped, arrived_at, span);
        }
        let is_recorded = span.is_recorded();
        let taken = attempt(|| {
            let mut decoded = decoder.decode(&delivered)?;
            decoded.event.trace = trace;
            // Mostly it is not needed.
            let is_needed = enabled!(Level::DEBUG) || !decoded.left_out.is_empty() || is_recorded;
            let about = is_needed.then(|| About::of(&decoded.event));
            Ok((about.unwrap_or_default(), decoded))
        });
        match taken {
            Ok((about, decoded)) => {
                for invalid in &decoded.left_out {
                    self.leave_out(tag, &about, trace, invalid);
                }
                let name = decoded.event.name.clone();
                let submitted = journal.submit(decoded.event, &mut self.batch);
                self.submitted(Submission {
                    tag,
                    name,
                    submitted,
                    arrived_at,
                    about,
                    trace,
                    last: Some(Last {
                        best: Outcome::Ignored,
                        span,
                    }),
                })
            }
            Err(rejection) => self.dead_letter(delivery, rejection, span),
        }
    }
}

/// The span of a delivery, caused by what its headers say.
fn span(delivery: &Delivery, queue: &Queue) -> Span {
    let headers = delivery.properties.headers().as_ref();
    let cause = match headers.and_then(|headers| headers.inner().get(trace::HEADER)) {
        Some(AMQPValue::LongString(text)) => TraceContext::parse(text.as_bytes()),
        _ => None,
    };
    let mut span = Span::of_delivery(&queue.name, cause);
    if span.is_recorded() {
        let routing_key = delivery.routing_key.as_str();
        span.set("messaging.rabbitmq.destination.routing_key", routing_key);
        let tag = delivery.delivery_tag;
        span.set_number("messaging.rabbitmq.message.delivery_tag", tag);
    }
    span
}
