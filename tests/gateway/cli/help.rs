//! `--help` and `completions`.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn help(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}");
    assert!(output.stderr.is_empty(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_lists_the_commands_by_what_they_are_for() {
    let text = help(&["--help"]);
    let headings: Vec<_> = text
        .lines()
        .filter(|line| line.ends_with(':') && !line.starts_with(' '))
        .collect();
    let expected = [
        "Run:",
        "Try:",
        "Look after:",
        "Set up:",
        "Options:",
        "Examples:",
    ];
    assert_eq!(headings, expected, "{text}");
    for line in [
        "  serve         Run the gateway",
        "  completions   Print the script by which a shell completes commands and options",
        "  help          Say more of a command",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert_eq!(text, help(&["help"]));
    assert_eq!(text, help(&["-h"]));
}

#[test]
fn every_command_says_how_it_is_used() {
    for (command, told) in [
        (&["serve"][..], "SIGHUP"),
        (&["dev"], "agent-gateway dev --demo"),
        (&["token"], "--expires-in 8h"),
        (&["map"], "< webhook.json"),
        (&["check"], "check --json"),
        (&["doctor"], "--samples 100"),
        (&["dead-letters"], "AMQP_DEAD_LETTER_QUEUE"),
        (&["dead-letters", "list"], "--limit 20"),
        (&["dead-letters", "retry"], "--dry-run"),
        (&["dead-letters", "drop"], "--reason invalid_json"),
        (&["publish"], "AMQP_EXCHANGE"),
        (&["publish", "inbound"], "Conversation:\n"),
        (&["publish", "status"], "--status read"),
        (&["variables"], "variables replay"),
        (&["completions"], "/usr/share/bash-completion"),
    ] {
        let text = help(&[command, &["--help"]].concat());
        let usage = format!("Usage: agent-gateway {}", command.join(" "));
        assert!(text.contains(&usage), "{text}");
        assert!(text.contains(told), "{told}\n{text}");
        assert!(text.contains("Examples:\n  agent-gateway"), "{text}");
        assert_eq!(text, help(&[&["help"], command].concat()));
    }
}

#[test]
fn a_mistyped_command_names_the_nearest() {
    let output = run(&["tokn"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("'token'"), "{told}");
}

#[test]
fn bash_completes_commands_and_options() {
    let script = help(&["completions", "bash"]);
    let complete = |words: &[&str]| {
        let output = Command::new("bash")
            .args(["--norc", "-c"])
            .arg(
                "eval \"$0\"; COMP_WORDS=(agent-gateway \"$@\"); COMP_CWORD=$#
                 function=$(complete -p agent-gateway); function=${function##*-F }
                 ${function%% *} agent-gateway \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"
                 echo \"${COMPREPLY[@]}\"",
            )
            .arg(&script)
            .args(words)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete(&["to"]), "token");
    assert_eq!(complete(&["publish", "in"]), "inbound");
    assert_eq!(complete(&["dead-letters", "re"]), "retry");
    assert_eq!(complete(&["dead-letters", "drop", "--dry"]), "--dry-run");
    assert_eq!(complete(&["doctor", "--sam"]), "--samples");
    assert_eq!(complete(&["token", "--ten"]), "--tenant");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = help(&["completions", shell]);
        assert!(script.contains("completions"), "{shell}");
    }
    let output = run(&["completions", "tcsh"]);
    assert_eq!(output.status.code(), Some(2));
}
