//! The real program against a real RabbitMQ: what publishers, the portal, agents and operators
//! see of it.
//!
//! `scripts/broker up` prints the URL that `AMQP_URL` has to hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what cannot be is a failure"
)]

mod auth_introspection;
mod auth_key_set;
mod auth_public_key;
mod auth_server;
mod auth_signer;
mod auth_tls;
mod bad_moments;
mod bindings;
mod bounds;
mod broker_errors;
mod broker_faults;
mod broker_tls;
mod bursts;
mod commands;
mod configuration;
mod conformance;
mod connects;
mod dead_letters;
mod decoder;
mod deploy;
mod embedding;
mod examples;
mod faults;
mod flood;
mod harness;
mod headers;
mod hostile;
mod intake;
mod isolation;
mod left_out;
mod licence;
mod limits;
mod mapping;
mod mapping_commands;
mod mapping_faults;
mod message_types;
mod metrics;
mod origins;
mod permissions;
mod portal;
mod probes;
mod process;
mod public_url;
mod refusals;
mod relay;
mod reload;
mod resume;
mod secrets;
mod slow_readers;
mod slow_requests;
mod stand_by;
mod tokens;
mod topology;
mod trail;
mod unheard;
mod waiting_letters;
