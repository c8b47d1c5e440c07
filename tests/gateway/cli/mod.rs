//! The command line.

mod alarm;
mod check;
mod check_permissions;
mod check_tls;
mod commands;
mod dead_letters;
mod dead_letters_interrupted;
mod doctor;
mod help;
mod mapping_commands;
mod service_manager;
mod version;

use std::process::Output;

use tokio::process::Command;

use crate::harness::{Broker, SECRET};

/// The program with these arguments, and with nothing in its environment but these variables.
fn program(variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent-gateway"));
    command
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied());
    command
}

/// Runs it to its end.
async fn run(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    program(variables, arguments).output().await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The variables of a gateway at this broker, for [`run`].
fn environment(broker: &Broker) -> Vec<(&str, &str)> {
    let names = &broker.names;
    vec![
        ("AMQP_URL", broker.url()),
        ("AMQP_EXCHANGE", &names.exchange),
        ("AMQP_INBOUND_QUEUE", &names.inbound),
        ("AMQP_STATUS_QUEUE", &names.status),
        ("AMQP_DEAD_LETTER_QUEUE", &names.dead_letters),
        ("AMQP_JOURNAL_STREAM", &names.journal),
        ("JWT_SECRET", SECRET),
    ]
}
