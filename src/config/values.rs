//! What a variable's text means, or why it means nothing.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use lapin::uri::AMQPUri;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::conversation::Kind;
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

/// A number of bytes, perhaps with a unit. `MiB` is 2^20 and `MB` is 10^6, as IEC and SI have them.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let too_many = || format!("must be {} bytes at most", usize::MAX);
    match parse_size::parse_size(text) {
        Ok(bytes) => usize::try_from(bytes).map_err(|_| too_many()),
        Err(parse_size::Error::PosOverflow) => Err(too_many()),
        Err(_) => Err("must be a number of bytes, such as 8388608, 8MiB or 8MB".to_owned()),
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

/// Keys with commas or line breaks between them, as lists in files have them.
pub(super) fn api_keys(text: &str) -> Result<Vec<String>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys = lines.flat_map(|line| line.strip_suffix(',').unwrap_or(line).split(','));
    let keys: Vec<_> = keys.map(|key| key.trim().to_owned()).collect();
    if keys.iter().any(|key| key.chars().count() < MIN_API_KEY) {
        return Err(format!(
            "every key, between the commas, must have at least {MIN_API_KEY} characters"
        ));
    }
    if !keys
        .iter()
        .all(|key| key.bytes().all(|byte| matches!(byte, b' '..=b'~')))
    {
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
        entry => Origin::parse(entry).map_err(|reason| {
            format!(
                "each, between the commas, must be an origin such as https://portal.example.com \
                 or capacitor://localhost: {reason}"
            )
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

/// Routing keys, or patterns of them.
pub(super) fn bindings(text: &str) -> Result<Vec<String>, String> {
    let keys = text.split(',').map(str::trim);
    let all: Vec<_> = keys.map(str::to_owned).collect();
    if all.iter().any(String::is_empty) {
        return Err("must have a routing key between the commas".to_owned());
    }
    if all.iter().any(|key| key.len() > NAME_LIMIT) {
        return Err(format!("each must have at most {NAME_LIMIT} bytes"));
    }
    Ok(all)
}

pub(super) fn default_bindings(kind: Kind) -> Vec<String> {
    vec![format!("{}.#", kind.as_str())]
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

/// Whether replicas share the journal.
pub(super) fn is_shared(text: &str) -> Result<bool, String> {
    match text {
        "memory" => Ok(false),
        "stream" => Ok(true),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_both_kinds() {
        for (text, bytes) in [
            ("0", 0),
            ("8388608", 8 << 20),
            ("8MiB", 8 << 20),
            ("8 MiB", 8 << 20),
            ("8mib", 8 << 20),
            ("8Mi", 8 << 20),
            ("512KiB", 512 << 10),
            ("1GiB", 1 << 30),
            ("8MB", 8_000_000),
            ("8M", 8_000_000),
            ("1.5GiB", 3 << 29),
            ("100B", 100),
            ("18446744073709551615", usize::MAX),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn a_size_that_is_none_or_too_large_has_its_reason() {
        for text in [
            "",
            "-1",
            "MiB",
            "8 mebibytes",
            "8MiBB",
            "0x8",
            "8MiB/s",
            "many",
            "NaN",
            "inf",
        ] {
            let reason = size(text).unwrap_err();
            assert!(
                reason.contains("such as 8388608, 8MiB or 8MB"),
                "{text}: {reason}"
            );
        }
        for text in ["18446744073709551616", "16EiB", "1e99", "99999999999GiB"] {
            let reason = size(text).unwrap_err();
            assert!(reason.contains("bytes at most"), "{text}: {reason}");
        }
    }

    #[test]
    fn keys_stand_on_lines_or_between_commas() {
        let keys = [
            "the first key, 16".replace(',', ""),
            "the second key 16".to_owned(),
        ];
        for between in [",", ", ", "\n", "\r\n", ",\n", "\n\n"] {
            let text = keys.join(between);
            assert_eq!(api_keys(&text).unwrap(), keys, "{between:?}");
        }
        for text in [
            "the first key 16,,the second key 16",
            "short",
            "the first key 16\nshort",
        ] {
            assert!(api_keys(text).is_err(), "{text}");
        }
        assert!(api_keys("the first key \u{e9} 16").is_err());
    }
}
