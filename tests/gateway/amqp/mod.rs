//! RabbitMQ: what is consumed, declared and dead-lettered.

pub(crate) mod authority;
mod bindings;
mod connection_errors;
mod dead_letter_failures;
pub(crate) mod dead_letters;
mod decoder;
mod deliveries;
mod event_log;
mod examples;
mod invalid_optional_fields;
mod mapping;
mod mapping_faults;
mod message_types;
mod permissions;
mod single_active_consumer;
pub(crate) mod tls;
mod tls_client;
mod topology;
