//! The settings of the broker.

use std::sync::Arc;

use super::reader::VariableReader;
use super::values::{bindings, default_bindings, name, number, queue_type, yes_or_no};
use super::variables::Variables;
use crate::conversation::Kind;
use crate::source::amqp::{self, Mapping, QueueType};

impl VariableReader {
    /// The name of the journal's stream.
    pub(super) fn journal_stream(&mut self, vars: &Variables, amqp: &amqp::Settings) -> String {
        let stream = self.value(
            "AMQP_JOURNAL_STREAM",
            &vars.amqp_journal_stream,
            || "gateway.journal".to_owned(),
            name,
        );
        let queues = [
            &amqp.inbound_queue,
            &amqp.status_queue,
            &amqp.dead_letter_queue,
        ];
        if queues.contains(&&stream) {
            self.mistake("AMQP_JOURNAL_STREAM", "must not be a queue's");
        }
        stream
    }

    pub(super) fn amqp(&mut self, vars: &Variables) -> amqp::Settings {
        let mut named = |variable, value, default: &str| {
            self.value(variable, value, || default.to_owned(), name)
        };
        let exchange = named("AMQP_EXCHANGE", &vars.amqp_exchange, "whatsapp.events");
        let inbound_queue = named(
            "AMQP_INBOUND_QUEUE",
            &vars.amqp_inbound_queue,
            "gateway.inbound_message",
        );
        let status_queue = named(
            "AMQP_STATUS_QUEUE",
            &vars.amqp_status_queue,
            "gateway.status_update",
        );
        let dead_letter_queue = named(
            "AMQP_DEAD_LETTER_QUEUE",
            &vars.amqp_dead_letter_queue,
            "gateway.dead_letters",
        );
        if status_queue == inbound_queue {
            self.mistake("AMQP_STATUS_QUEUE", "must not be the inbound queue");
        }
        if [&inbound_queue, &status_queue].contains(&&dead_letter_queue) {
            self.mistake(
                "AMQP_DEAD_LETTER_QUEUE",
                "must not be a queue that is consumed",
            );
        }
        amqp::Settings {
            uri: self.broker(vars),
            exchange,
            inbound_queue,
            status_queue,
            dead_letter_queue,
            queue_type: self.value(
                "AMQP_QUEUE_TYPE",
                &vars.amqp_queue_type,
                || QueueType::Quorum,
                queue_type,
            ),
            declare: self.value("AMQP_DECLARE", &vars.amqp_declare, || true, yes_or_no),
            inbound_bindings: self.value(
                "AMQP_INBOUND_BINDINGS",
                &vars.amqp_inbound_bindings,
                || default_bindings(Kind::InboundMessage),
                bindings,
            ),
            status_bindings: self.value(
                "AMQP_STATUS_BINDINGS",
                &vars.amqp_status_bindings,
                || default_bindings(Kind::StatusUpdate),
                bindings,
            ),
            prefetch: self.value(
                "AMQP_PREFETCH",
                &vars.amqp_prefetch,
                || 256,
                number(1, u16::MAX),
            ),
            mapping: self
                .optional("AMQP_MAPPING", &vars.amqp_mapping, Mapping::load)
                .map(Arc::new),
        }
    }
}
