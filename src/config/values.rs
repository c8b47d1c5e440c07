//! What a variable's text means, or why it means nothing.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use lapin::uri::AMQPUri;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::http::Origin;
use crate::source::amqp::QueueType;

/// The longest name of an exchange or a queue, in bytes (AMQP 0-9-1's short string).
const NAME_LIMIT: usize = 255;

/// The shortest key of the relay, in characters.
const MIN_API_KEY: usize = 16;

pub(super) fn number<T>(least: T, most: T) -> impl Fn(&str) -> Result<T, String>
where
    T: FromStr + PartialOrd + fmt::Display,
{
    move |text| match text.trim().parse() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => Err(format!("must be a whole number from {least} to {most}")),
    }
}

pub(super) fn time(text: &str) -> Result<u64, String> {
    number(100, 3_600_000)(text)
}

/// A word that is no level names a target (`loud` all of a crate `loud`), and leaves nothing of the
/// log: who writes one has mistaken a level's name.
pub(super) fn log_filter(text: &str) -> Result<EnvFilter, String> {
    let is_mistaken = |directive: &str| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !directive.is_empty()
            && directive.bytes().all(is_word)
            && LevelFilter::from_str(directive).is_err()
    };
    if !text.contains('[') && text.split(',').any(is_mistaken) {
        return Err(
            "must be off, error, warn, info, debug or trace, or such as agent_gateway=debug".into(),
        );
    }
    EnvFilter::try_new(text).map_err(|error| error.to_string())
}

pub(super) fn ip(text: &str) -> Result<IpAddr, String> {
    text.parse()
        .map_err(|_| "must be an IP address, such as 0.0.0.0 or ::1".to_owned())
}

pub(super) fn api_keys(text: &str) -> Result<Vec<String>, String> {
    let keys: Vec<_> = text.split(',').map(|key| key.trim().to_owned()).collect();
    if keys.iter().any(|key| key.chars().count() < MIN_API_KEY) {
        return Err(format!(
            "every key, between the commas, must have at least {MIN_API_KEY} characters"
        ));
    }
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(
            "keys travel in a header: they may only have printable ASCII characters".into(),
        );
    }
    Ok(keys)
}

pub(super) fn origins(text: &str) -> Result<Vec<Origin>, String> {
    let origin = |entry: &str| match entry.trim() {
        // With credentials, it would be no check at all.
        "*" => Err("must name each origin: * would let any page act for an agent".to_owned()),
        entry => Origin::parse(entry).map_err(|_| {
            "each, between the commas, must be an origin such as https://portal.example.com: \
             http or https, a host, perhaps a port, and no path"
                .to_owned()
        }),
    };
    text.split(',').map(origin).collect()
}

pub(super) fn default_broker() -> AMQPUri {
    let mut uri = AMQPUri::default();
    uri.authority.host = "127.0.0.1".to_owned();
    uri
}

pub(super) fn name(text: &str) -> Result<String, String> {
    if text.len() > NAME_LIMIT {
        return Err(format!("must have at most {NAME_LIMIT} bytes"));
    }
    if text.starts_with("amq.") {
        return Err("must not begin with amq., which the broker keeps for itself".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn queue_type(text: &str) -> Result<QueueType, String> {
    match text {
        "quorum" => Ok(QueueType::Quorum),
        "classic" => Ok(QueueType::Classic),
        _ => Err("must be quorum or classic".to_owned()),
    }
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

pub(super) fn journal(text: &str) -> Result<(), String> {
    match text {
        "memory" => Ok(()),
        "stream" => Err("stream is not supported by this version".to_owned()),
        _ => Err("must be memory or stream".to_owned()),
    }
}

pub(super) fn log_format(text: &str) -> Result<bool, String> {
    match text {
        "text" => Ok(false),
        "json" => Ok(true),
        _ => Err("must be text or json".to_owned()),
    }
}
