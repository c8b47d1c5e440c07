//! The real program against a real RabbitMQ: what publishers, the portal, agents and operators
//! see of it.
//!
//! `scripts/broker up` prints the URL that `AMQP_URL` has to hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what cannot be is a failure"
)]

mod abuse;
mod amqp;
mod auth;
mod cli;
mod config;
mod conformance;
mod docs;
mod faults;
#[path = "../harness/mod.rs"]
mod harness;
mod http;
mod licence;
mod replicas;
mod socket;
mod tracing;
