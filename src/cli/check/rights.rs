//! The rights that the configuration takes, and the command that gives them.

use std::collections::BTreeSet;

use crate::broker::{DEFAULT_EXCHANGE, Topology};
use crate::journal;

/// The names that the user configures, writes to and reads.
#[derive(Debug, Default)]
pub(super) struct Rights {
    configure: BTreeSet<String>,
    write: BTreeSet<String>,
    read: BTreeSet<String>,
}

impl Rights {
    /// Those of a gateway with this configuration.
    pub(super) fn needed(topology: &Topology, journal: &journal::Settings) -> Self {
        let mut rights = Self::default();
        rights.write.insert(DEFAULT_EXCHANGE.to_owned());
        for queue in [&topology.inbound, &topology.status] {
            rights.read.insert(queue.name.clone());
            if topology.declare {
                rights.configure.insert(queue.name.clone());
                rights.write.insert(queue.name.clone());
            }
        }
        if topology.declare {
            let dead_letters = &topology.dead_letters.name;
            rights.configure.insert(dead_letters.clone());
            rights.configure.insert(topology.exchange.clone());
            rights.read.insert(topology.exchange.clone());
        }
        if let journal::Settings::Stream(stream) = journal {
            rights.read.insert(stream.stream.clone());
            if stream.declare {
                rights.configure.insert(stream.stream.clone());
            }
        }
        rights
    }

    /// The command that gives these, and takes all others.
    pub(super) fn command(&self, user: &str, vhost: &str) -> String {
        let [configure, write, read] =
            [&self.configure, &self.write, &self.read].map(|names| quoted(&pattern(names)));
        let (vhost, user) = (quoted(vhost), quoted(user));
        format!("rabbitmqctl set_permissions -p {vhost} {user} {configure} {write} {read}")
    }
}

/// A regular expression of these names alone.
fn pattern(names: &BTreeSet<String>) -> String {
    let escaped = |name: &String| {
        let escape = |c: char| match c {
            c if c.is_ascii_punctuation() && !matches!(c, '_' | '-' | ':') => format!("\\{c}"),
            c => c.to_string(),
        };
        name.chars().map(escape).collect::<String>()
    };
    match names.len() {
        0 => "^$".to_owned(),
        _ => {
            let names: Vec<_> = names.iter().map(escaped).collect();
            format!("^({})$", names.join("|"))
        }
    }
}

/// As a word of a shell's command.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Needs};

    fn command(variables: &[(&str, &str)]) -> String {
        let variables = variables
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        let config = Config::from_vars(variables, Needs::Nothing).unwrap();
        let rights = Rights::needed(&config.amqp.topology(), &config.journal);
        rights.command("gateway", "/")
    }

    #[test]
    fn the_command_names_what_this_configuration_takes() {
        assert_eq!(
            command(&[]),
            r"rabbitmqctl set_permissions -p / gateway '^(gateway\.dead_letters|gateway\.inbound_message|gateway\.status_update|whatsapp\.events)$' '^(amq\.default|gateway\.inbound_message|gateway\.status_update)$' '^(gateway\.inbound_message|gateway\.status_update|whatsapp\.events)$'"
        );
        assert_eq!(
            command(&[("AMQP_DECLARE", "false")]),
            r"rabbitmqctl set_permissions -p / gateway '^$' '^(amq\.default)$' '^(gateway\.inbound_message|gateway\.status_update)$'"
        );
    }

    #[test]
    fn a_name_is_one_word_of_the_command() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        let command = command(&[("AMQP_INBOUND_QUEUE", "a+b c")]);
        assert!(command.contains(r"a\+b c"), "{command}");
    }
}
