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
mod bounds;
mod broker_faults;
mod bursts;
mod commands;
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
mod limits;
mod metrics;
mod origins;
mod portal;
mod probes;
mod process;
mod public_url;
mod relay;
mod resume;
mod secrets;
mod slow_readers;
mod slow_requests;
mod tokens;
mod topology;
mod unheard;
