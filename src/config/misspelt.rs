//! Names that are set and known to nobody, but look as if they were meant for the gateway.

use std::ffi::OsStr;
use std::fmt;

use strsim::osa_distance;

use super::environment::Variable;

/// How the gateway's variables begin, where hardly anybody else's do. `AUTH_`, `LOG_`, `MAX_` and
/// `RUST_` are everybody's.
const FAMILIES: &[&str] = &[
    "ALLOWED_",
    "AMQP_",
    "AUTH_INTROSPECTION_",
    "CONNECTION_RATE_",
    "CURSOR_",
    "FRAME_",
    "INTERNAL_",
    "JWT_",
    "MAX_CONNECTION",
    "MAX_LAG",
    "HISTORY_URL_",
    "MEDIA_URL_",
    "PING_",
    "REPLAY_",
    "SHUTDOWN_",
    "TRUSTED_",
];

/// Other programs' names that are only a letter away.
const FOREIGN: &[&str] = &["RUSTC_LOG"];

/// The longest name that is looked at, in bytes.
const NAME_LIMIT: usize = 64;

/// A name that looks like a variable's and is none. What it is set to is not kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// As it is set.
    pub name: String,
    /// The known name that is most like it.
    pub nearest: &'static str,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, nearest } = self;
        write!(
            f,
            "{name}: is not known and not used; the nearest name that is known is {nearest}"
        )
    }
}

/// Whether an operator has probably meant another name.
pub(super) fn unknown(name: &str, value: &OsStr, known: &[Variable]) -> Option<Unknown> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.len() > NAME_LIMIT || !name.bytes().all(is_name) || FOREIGN.contains(&name) {
        return None;
    }
    let written = name.to_ascii_uppercase();
    if written != name && !name.contains('_') || is_service(&written, value) {
        return None;
    }
    let names = known
        .iter()
        .flat_map(|variable| [Some(variable.name), variable.file])
        .flatten();
    let (distance, nearest) = names
        .map(|name| (osa_distance(&written, name), name))
        .min()?;
    // Of a short name, everything short is near.
    let near = match nearest.len() {
        0..7 => false,
        7..10 => distance <= 1,
        _ => distance <= 2,
    };
    let of_family = || FAMILIES.iter().any(|family| written.starts_with(family));
    (near || of_family()).then(|| Unknown {
        name: name.to_owned(),
        nearest,
    })
}

/// Whether it is one of those that Kubernetes sets for each service, by the service's name
/// (<https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>).
fn is_service(name: &str, value: &OsStr) -> bool {
    let of_port = name
        .split_once("_PORT_")
        .is_some_and(|(_, port)| port.starts_with(|letter: char| letter.is_ascii_digit()));
    let is_address = || value.to_str().is_some_and(|value| value.contains("://"));
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || of_port
        || name.ends_with("_PORT") && is_address()
}

#[cfg(test)]
mod tests {
    use super::super::variables::Variables;
    use super::*;

    fn nearest(name: &str, value: &str) -> Option<&'static str> {
        unknown(name, OsStr::new(value), Variables::NAMES).map(|unknown| unknown.nearest)
    }

    #[test]
    fn a_misspelt_name_is_told_with_the_one_that_was_meant() {
        for (name, meant) in [
            ("AMQP_INBOUND_QUEU", "AMQP_INBOUND_QUEUE"),
            ("AMQP_URI", "AMQP_URL"),
            ("AMPQ_URL", "AMQP_URL"),
            ("ALOWED_ORIGINS", "ALLOWED_ORIGINS"),
            ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
            ("FRAME_ANCESTOR", "FRAME_ANCESTORS"),
            ("JWT_SECRETS", "JWT_SECRET"),
            ("JWT_SECRET_PREVIOUS", "JWT_SECRET_FILE"),
            ("JWT_SECRT_FILE", "JWT_SECRET_FILE"),
            ("JWT_JWKS_URL_FILE", "JWT_JWKS_URL"),
            ("INTERNAL_API_KEY", "INTERNAL_API_KEYS"),
            ("MAX_CONNECTION", "MAX_CONNECTIONS"),
            ("MAX_CONNECTIONS_PER_ADDRESS", "MAX_CONNECTIONS_PER_IP"),
            ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
            ("PING_INTERVAL", "PING_INTERVAL_MS"),
            ("SHUTDOWN_GRACE", "SHUTDOWN_GRACE_SECONDS"),
            ("REPLAY_WINDOW", "REPLAY_WINDOW_SECONDS"),
            ("RUSTLOG", "RUST_LOG"),
            ("LOGFORMAT", "LOG_FORMAT"),
            ("JOURNALS", "JOURNAL"),
            ("jwt_secret", "JWT_SECRET"),
        ] {
            assert_eq!(nearest(name, "x"), Some(meant), "{name}");
        }
    }

    #[test]
    fn what_other_programs_are_told_is_nobodys_mistake() {
        for name in [
            "HOSTNAME",
            "HOSTS",
            "HOST_IP",
            "PORTS",
            "PORT_",
            "POST",
            "PATH",
            "HOME",
            "LOG_LEVEL",
            "JOURNAL_STREAM",
            "INVOCATION_ID",
            "RUST_BACKTRACE",
            "RUSTC_LOG",
            "RUSTFLAGS",
            "MAX_MEMORY",
            "AUTH_URL",
            "HTTPS_PROXY",
            "NO_PROXY",
            "no_proxy",
            "SSL_CERT_FILE",
            "RABBITMQ_PORT",
            "GATEWAY_PORT",
            "port",
            "host",
            "AMQP_URL\nfoo",
            "AMQP_É",
        ] {
            assert_eq!(nearest(name, "x"), None, "{name}");
        }
        assert_eq!(nearest(&format!("AMQP_{}", "X".repeat(100)), "x"), None);
        for (name, value) in [
            ("AGENT_GATEWAY_PORT", "tcp://10.0.0.7:3012"),
            ("AGENT_GATEWAY_SERVICE_HOST", "10.0.0.7"),
            ("AMQP_SERVICE_HOST", "10.0.0.8"),
            ("AMQP_SERVICE_PORT", "5672"),
            ("AMQP_SERVICE_PORT_AMQPS", "5671"),
            ("AMQP_PORT", "tcp://10.0.0.8:5672"),
            ("AMQP_PORT_5672_TCP", "tcp://10.0.0.8:5672"),
            ("AMQP_PORT_5672_TCP_ADDR", "10.0.0.8"),
            ("INTERNAL_API_PORT_80_TCP_PROTO", "tcp"),
        ] {
            assert_eq!(nearest(name, value), None, "{name}");
        }
        assert!(nearest("AMQP_PORT", "5672").is_some());
    }
}
