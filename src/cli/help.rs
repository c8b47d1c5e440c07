//! What `--help` says besides the options: the commands by what they are for, and an example of each.

use clap::Command;

/// The commands by what they are for. clap knows one list only.
const GROUPS: &[(&str, &[&str])] = &[
    ("Run", &["serve", "dev"]),
    ("Try", &["token", "publish", "map"]),
    ("Look after", &["check", "doctor", "dead-letters"]),
    ("Set up", &["variables", "completions", "help"]),
];

const PROGRAM: &str = "\
Examples:
  agent-gateway serve
  agent-gateway dev --demo
  agent-gateway publish inbound --tenant acme --conversation c-1 --text 'Hello'

'agent-gateway help COMMAND' has more on each. Exit codes: 0 done, 1 failed, 64 a mistake in a
variable or an argument, which is named.";

pub(super) const SERVE: &str = "\
Environment:
  JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL or AUTH_INTROSPECTION_URL says who vouches for tokens;
  AMQP_URL is the broker, HOST and PORT the address. 'agent-gateway variables' has all.

Signals:
  SIGTERM, SIGINT  finish what is in hand and end, within SHUTDOWN_GRACE_SECONDS
  SIGHUP           read secrets and keys again that are in files

Examples:
  agent-gateway serve
  agent-gateway";

pub(super) const DEV: &str = "\
The exchange and the queues are those of the environment. Nothing of it is for production: whoever
has the link is an agent.

Examples:
  agent-gateway dev
  agent-gateway dev --demo
  agent-gateway dev --replicas";

pub(super) const TOKEN: &str = "\
Examples:
  agent-gateway token --tenant acme --conversation c-1 --agent ada --name 'Ada L.'
  agent-gateway token --tenant acme --expires-in 8h";

pub(super) const MAP: &str = "\
Nothing is published, and no broker is asked. What is left out of an event, and why a body would be
a dead letter, is on standard error; the exit code is then 1.

Examples:
  agent-gateway map --mapping cloud_api < webhook.json
  agent-gateway map --mapping ours.jq --routing-key status_update.acme < body.json";

pub(super) const PUBLISH: &str = "\
Environment:
  AMQP_URL and AMQP_EXCHANGE say where to. The messageId is printed when the broker has confirmed.

Examples:
  agent-gateway publish inbound --tenant acme --conversation c-1 --text 'Hello'
  agent-gateway publish status --tenant acme --conversation c-1 --message-id m-1 --status read";

pub(super) const INBOUND: &str = "\
Examples:
  agent-gateway publish inbound --tenant acme --conversation c-1 --text 'Hello'
  agent-gateway publish inbound --tenant acme --conversation c-1 --media-url https://files.example.com/a.jpg --media-type image/jpeg";

pub(super) const STATUS: &str = "\
Examples:
  agent-gateway publish status --tenant acme --conversation c-1 --message-id m-1 --status read";

pub(super) const CHECK: &str = "\
A mistake in a variable ends it with 64, as it does 'serve'. Then each step is a line: ok, warning,
failed with what to do about it, not reached behind one that failed, or not looked at. What is missing
at the broker and will be declared by the gateway as it starts is ok. The exit code is 1 if a step
has failed. Nothing is declared or bound, no queue gets a message, and none is consumed.

Examples:
  agent-gateway check
  agent-gateway check --json > check.json";

pub(super) const DEAD_LETTERS: &str = "\
Environment:
  AMQP_URL and AMQP_DEAD_LETTER_QUEUE say where they are; the user needs the right to read the queue.

Examples:
  agent-gateway dead-letters list
  agent-gateway dead-letters retry --message-id wamid.4711
  agent-gateway dead-letters drop --all --reason invalid_json --dry-run";

pub(super) const DEAD_LETTERS_LIST: &str = "\
The letters stay where they are, in their order. While they are looked at, nobody else gets them.

Examples:
  agent-gateway dead-letters list --limit 20
  agent-gateway dead-letters list --reason invalid_event --json";

pub(super) const DEAD_LETTERS_RETRY: &str = "\
A letter leaves the dead letters when the broker has confirmed it in the queue it came from, so that
nothing is lost if this is interrupted. A letter that was in both then is sent back once more; agents do
not see it twice, as the gateway knows its messageId. A letter that cannot go back is kept, and the exit
code is 1.

Examples:
  agent-gateway dead-letters retry --all
  agent-gateway dead-letters retry --all --reason mapping_failed --dry-run
  agent-gateway dead-letters retry --message-id wamid.4711";

pub(super) const DEAD_LETTERS_DROP: &str = "\
What is dropped is gone.

Examples:
  agent-gateway dead-letters drop --all --reason invalid_json --dry-run
  agent-gateway dead-letters drop --message-id wamid.4711";

pub(super) const DOCTOR: &str = "\
The probes go to the conversation agent-gateway.doctor of the tenant agent-gateway.doctor, which no
portal should use. Those are events like others: the gateway keeps them for REPLAY_WINDOW_SECONDS, and
nothing else does. Nothing is published before the gateway has let an agent in and consumes.

Environment:
  As that of the gateway: AMQP_URL and AMQP_EXCHANGE say where the probes go, and JWT_SECRET signs the
  token. Where agents' tokens come from elsewhere, --token and --tenant.

Examples:
  agent-gateway doctor --url http://127.0.0.1:3012
  agent-gateway doctor --url https://gateway.example.com --samples 100 --json";

pub(super) const VARIABLES: &str = "\
A default is in brackets. Of a secret, NAME_FILE may name the file that holds it.

Examples:
  agent-gateway variables
  agent-gateway variables replay";

pub(super) const COMPLETIONS: &str = "\
Examples:
  agent-gateway completions bash > /usr/share/bash-completion/completions/agent-gateway
  agent-gateway completions zsh > ~/.zfunc/_agent-gateway
  agent-gateway completions fish > ~/.config/fish/completions/agent-gateway.fish";

/// Puts the commands in groups where clap would list them.
pub(super) fn grouped(program: Command) -> Command {
    let mut list = String::new();
    let width = program
        .get_subcommands()
        .map(|command| command.get_name().len())
        .max()
        .unwrap_or_default();
    for (heading, names) in GROUPS {
        list += &format!("{heading}:\n");
        for name in *names {
            let about = program
                .find_subcommand(name)
                .and_then(Command::get_about)
                .map_or_else(|| "Say more of a command".to_owned(), ToString::to_string);
            list += &format!("  {name:width$}  {about}\n");
        }
        list.push('\n');
    }
    program
        .help_template(format!(
            "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}Options:\n{{options}}{{after-help}}"
        ))
        .after_help(PROGRAM)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, command};

    /// The words of a command line, of which quotes make one.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        for (index, part) in line.split('\'').enumerate() {
            if index % 2 == 1 {
                words.last_mut().unwrap().push_str(part);
                continue;
            }
            for (index, word) in part.split(' ').enumerate() {
                if index > 0 {
                    words.push(String::new());
                }
                words.last_mut().unwrap().push_str(word);
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    fn with_commands<'a>(command: &'a Command, all: &mut Vec<&'a Command>) {
        all.push(command);
        for command in command.get_subcommands() {
            with_commands(command, all);
        }
    }

    #[test]
    fn every_command_is_in_one_group() {
        let program = command();
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| *names).collect();
        let mut there: Vec<_> = program.get_subcommands().map(Command::get_name).collect();
        // clap adds it when it parses.
        there.push("help");
        grouped.sort();
        there.sort_unstable();
        assert_eq!(grouped.iter().map(|name| **name).collect::<Vec<_>>(), there);
    }

    #[test]
    fn every_command_has_examples_and_they_can_be_parsed() {
        let program = command();
        let mut all = Vec::new();
        with_commands(&program, &mut all);
        assert!(all.len() > 7);
        for command in all {
            let name = command.get_name();
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("{name} has no examples"));
            let (_, examples) = help.split_once("Examples:\n").unwrap();
            let examples: Vec<_> = examples
                .lines()
                .take_while(|line| line.starts_with("  "))
                .collect();
            assert!(!examples.is_empty(), "{name}");
            for example in examples {
                let line = example.split(['<', '>']).next().unwrap();
                let words = words(line);
                assert_eq!(words[0], "agent-gateway", "{name}");
                let parsed = Cli::try_parse_from(words);
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }
}
