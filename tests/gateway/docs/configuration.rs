//! docs/configuration.md is what the program says of its variables.

use std::process::{Command, Output};

use super::read;

fn variables(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .arg("variables")
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn text(output: Output) -> String {
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_page_of_the_variables_is_what_the_program_says() {
    let page = read("docs/configuration.md");
    let (_, rest) = page.split_once("by make docs -->\n").unwrap();
    let (tables, _) = rest.split_once("<!-- variables: to here").unwrap();
    let said = text(variables(&["--markdown"]));
    assert!(said.contains("| `JWT_SECRET`, `JWT_SECRET_FILE` | unset |"));
    assert_eq!(tables.trim(), said.trim(), "run \"make docs\"");
}

#[test]
fn an_operator_finds_a_variable_by_a_part_of_its_name() {
    let all = text(variables(&[]));
    assert!(
        all.starts_with("Addresses\n  HOST [0.0.0.0]\n      Where HTTP"),
        "{all}"
    );
    assert!(
        all.contains("\n\nRabbitMQ\n  AMQP_URL, AMQP_URL_FILE [amqp://"),
        "{all}"
    );
    assert!(!all.contains("]("), "{all}");
    let some = text(variables(&["per_ip"]));
    let names: Vec<_> = some
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .collect();
    let expected = [
        "  MAX_CONNECTIONS_PER_IP [0]",
        "  CONNECTION_RATE_PER_IP [0]",
    ];
    assert_eq!(names, expected);

    let none = variables(&["nothing"]);
    assert_eq!(none.status.code(), Some(64));
    let told = String::from_utf8(none.stderr).unwrap();
    assert_eq!(
        told,
        "agent-gateway: NAME: no variable has NOTHING in its name\n"
    );
}
