//! What has become of a delivery: log lines, and dead letters.

use std::future::pending;
use std::time::Instant;

use futures_util::FutureExt as _;
use lapin::message::Delivery;
use tracing::{debug, warn};

use super::super::consumer::Consumer;
use super::super::submissions::{Last, Submission};
use super::DeliveryLoop;
use crate::conversation::{About, Invalid, Published, Rejection};
use crate::journal::Submitted;
use crate::source::description::describe;
use crate::trace::{Span, TraceContext};

/// Logs what names a delivery and its event, and what there is to say about them.
macro_rules! log_delivery {
    ($level:ident, ($queue:expr, $tag:expr, $event:expr, $about:expr, $trace:expr), $($said:tt)+) => {
        $level!(
            queue = $queue.name,
            delivery_tag = $tag,
            event = $event,
            tenant = $about.tenant.as_ref().map(tracing::field::display),
            conversation = $about.conversation.as_ref().map(tracing::field::display),
            message_id = $about.message_id.as_deref(),
            trace_id = $trace.map(|trace| tracing::field::display(trace.trace_id())),
            $($said)+
        )
    };
}

impl<'a> DeliveryLoop<'a> {
    /// Counts and logs what has become of an event; with its delivery's tag, if it was the last.
    pub(super) fn count(&self, submission: Submission, published: Published) -> Option<u64> {
        let Submission {
            tag,
            name,
            arrived_at,
            about,
            trace,
            last,
            ..
        } = submission;
        let counts = self.consumer.status.counts().queue(self.consumer.kind);
        counts.count(&name, published, arrived_at);
        self.log(tag, name.as_str(), &about, trace, published.as_str());
        let Last { best, mut span } = last?;
        counts.outcomes.count(&best.max(published.into()));
        describe(&mut span, &about, published.as_str());
        Some(tag)
    }

    /// Logs what has become of an event.
    pub(in super::super) fn log(
        &self,
        tag: u64,
        event: &str,
        about: &About,
        trace: Option<TraceContext>,
        outcome: &str,
    ) {
        log_delivery!(
            debug,
            (self.consumer.queue, tag, event, about, trace),
            outcome,
            "delivery"
        );
    }

    /// Dead-letters a delivery; it is done, and its span ends, when the dead letter queue has it.
    pub(in super::super) fn dead_letter(
        &mut self,
        delivery: Delivery,
        rejection: Rejection,
        span: Span,
    ) -> Option<u64> {
        self.dead_letter_after(None, delivery, rejection, span)
    }

    /// The same, once an event of the delivery has its place.
    pub(in super::super) fn dead_letter_after(
        &mut self,
        event: Option<Submitted>,
        delivery: Delivery,
        rejection: Rejection,
        mut span: Span,
    ) -> Option<u64> {
        let Consumer {
            kind,
            queue,
            dead_letters,
            status,
            ..
        } = self.consumer;
        let tag = delivery.delivery_tag;
        let trace = span.context();
        let about = &rejection.about;
        describe(&mut span, about, "dead_lettered");
        span.fail(rejection.reason.as_str());
        log_delivery!(
            warn,
            (queue, tag, kind.as_str(), about, trace),
            reason = rejection.reason.as_str(),
            detail = rejection.detail,
            dead_letter_queue = dead_letters.queue(),
            "dead letter"
        );
        let reason = rejection.reason;
        let publish = dead_letters.publish(delivery, rejection, &queue.name);
        let publish = publish.inspect(move |_| {
            status.dead_lettered(*kind, reason);
            drop(span);
        });
        let publish = async {
            if let Some(event) = event
                && event.await.is_err()
            {
                // Neither is acknowledged: the delivery comes again.
                pending::<()>().await;
            }
            publish.await
        };
        self.dead_letters.push(publish.boxed());
        None
    }

    /// Counts a field that was left out of an event, and logs it: at `debug`, and as a warning once a
    /// minute.
    pub(in super::super) fn leave_out(
        &self,
        tag: u64,
        about: &About,
        trace: Option<TraceContext>,
        invalid: &Invalid,
    ) {
        let Consumer {
            kind,
            queue,
            status,
            ..
        } = self.consumer;
        let (field, reason) = (&*invalid.field, &*invalid.reason);
        macro_rules! log {
            ($level:ident, $suppressed:expr) => {
                log_delivery!(
                    $level,
                    (queue, tag, kind.as_str(), about, trace),
                    field,
                    reason,
                    more_since_last_warning = $suppressed,
                    "an optional field cannot be used: the event goes without it"
                )
            };
        }
        match status.left_out().count(field, Instant::now()) {
            Some(suppressed) => log!(warn, Some(suppressed)),
            None => log!(debug, None::<u64>),
        }
    }
}
