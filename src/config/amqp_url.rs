//! `AMQP_URL` → where the broker is and who we are there.
//!
//! The library would take much of what is wrong for something else (`amqp://host:5672/` for the
//! vhost without a name, `amqp://user:12#34@host` for port 12 of a host `user`). What is said about
//! it holds nothing of the URL but its scheme and the names of its parameters.

use lapin::uri::AMQPUri;
use url::{Host, Url};

/// The parameters that the library knows (<https://www.rabbitmq.com/docs/uri-query-parameters>).
const PARAMETERS: [&str; 5] = [
    "heartbeat",
    "connection_timeout",
    "channel_max",
    "frame_max",
    "auth_mechanism",
];

const SCHEME: &str = "must begin with amqp:// or amqps://";

pub(super) fn amqp_url(text: &str) -> Result<AMQPUri, String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(SCHEME.to_owned());
    };
    if !["amqp", "amqps"].contains(&&*scheme.to_ascii_lowercase()) {
        return Err(SCHEME.to_owned());
    }
    unencoded(rest)?;
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::InvalidPort => {
            "the port after the host must be a number from 1 to 65535; a : / ? or # in user or \
             password must be written %3A %2F %3F or %23"
                .to_owned()
        }
        error => format!("must be an amqp:// or amqps:// URL ({error})"),
    })?;
    if url.port() == Some(0) {
        return Err("the port must be a number from 1 to 65535".to_owned());
    }
    if url.path() == "/" {
        return Err(
            "names the vhost without a name: write /%2f at its end for the default vhost, or no / \
             at all"
                .to_owned(),
        );
    }
    for (name, value) in url.query_pairs() {
        parameter(&name, &value)?;
    }
    let mut uri = text.parse::<AMQPUri>().map_err(|_| {
        "user, password and vhost must be UTF-8, where they are percent-encoded".to_owned()
    })?;
    // The library takes an IPv6 address for no host at all, and goes to localhost.
    if let Some(Host::Ipv6(address)) = url.host() {
        uri.authority.host = address.to_string();
    } else if let Some(address) = url.host_str().and_then(|host| host.strip_prefix('[')) {
        uri.authority.host = address.trim_end_matches(']').to_owned();
    }
    Ok(uri)
}

/// Characters that would end the password before its end.
fn unencoded(rest: &str) -> Result<(), String> {
    if rest.contains('#') {
        return Err("a # must be written %23, also in user and password".to_owned());
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let behind = &rest[authority.len()..];
    if !authority.contains('@') && behind.contains('@') {
        return Err(match behind.starts_with('/') {
            true => "a / in user or password must be written %2F (and an @ in the vhost %40)",
            false => "a ? in user or password must be written %3F",
        }
        .to_owned());
    }
    if rest.contains(char::is_whitespace) {
        return Err("white space in it must be written %20".to_owned());
    }
    Ok(())
}

fn parameter(name: &str, value: &str) -> Result<(), String> {
    let whole = |most: u64| value.parse().is_ok_and(|number: u64| number <= most);
    match name {
        "heartbeat" if !whole(u16::MAX.into()) => {
            Err("heartbeat must be whole seconds without a unit, such as heartbeat=30".to_owned())
        }
        "connection_timeout" if !whole(u64::MAX) => Err(
            "connection_timeout must be whole milliseconds without a unit, such as \
             connection_timeout=5000"
                .to_owned(),
        ),
        "channel_max" if !whole(u16::MAX.into()) => {
            Err("channel_max must be a whole number from 0 to 65535".to_owned())
        }
        "frame_max" if !whole(u32::MAX.into()) => {
            Err("frame_max must be a whole number of bytes".to_owned())
        }
        "auth_mechanism" if value.parse::<lapin::uri::SASLMechanism>().is_err() => {
            Err("auth_mechanism must be plain, amqplain or external".to_owned())
        }
        name if PARAMETERS.contains(&name) => Ok(()),
        _ => Err(format!(
            "has a parameter that is not known; known are {}",
            PARAMETERS.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let result = amqp_url(text).unwrap_err();
        assert!(!result.contains("hunter"), "{result}");
        result
    }

    #[test]
    fn what_names_a_broker_is_taken_as_it_is_meant() {
        for (text, host, port, vhost) in [
            ("amqp://", "localhost", 5672, "/"),
            ("amqp://b", "b", 5672, "/"),
            ("amqps://b", "b", 5671, "/"),
            ("AMQP://b:5673", "b", 5673, "/"),
            ("amqp://b?heartbeat=30", "b", 5672, "/"),
            ("amqp://b/%2f", "b", 5672, "/"),
            ("amqp://b/%2F?heartbeat=0&frame_max=8192", "b", 5672, "/"),
            ("amqp://b/tenants", "b", 5672, "tenants"),
            ("amqp://u:p@b/a%2Fb", "b", 5672, "a/b"),
            ("amqp://u:p@10.0.0.1:5672/v", "10.0.0.1", 5672, "v"),
            ("amqp://u:p@[::1]:5673/v", "::1", 5673, "v"),
            ("amqps://u:p@b/v?auth_mechanism=external", "b", 5671, "v"),
        ] {
            let uri = amqp_url(text).unwrap();
            let result = (&*uri.authority.host, uri.authority.port, &*uri.vhost);
            assert_eq!(result, (host, port, vhost), "{text}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_and_may_hold_what_cannot_be_mistaken() {
        for (text, user, password) in [
            ("amqp://b", "guest", "guest"),
            ("amqp://u:p%23%2F%40%3A%25@b", "u", "p#/@:%"),
            ("amqp://u:p:q@b", "u", "p:q"),
            ("amqp://u:p@q@b", "u", "p@q"),
        ] {
            let login = amqp_url(text).unwrap().authority.userinfo;
            assert_eq!((&*login.username, &*login.password), (user, password));
        }
    }

    #[test]
    fn an_empty_vhost_is_told_what_to_write() {
        for text in [
            "amqp://u:hunter@b:5672/",
            "amqps://b/",
            "amqp://b/?heartbeat=5",
        ] {
            assert!(refused(text).contains("/%2f"), "{text}");
        }
    }

    #[test]
    fn a_character_that_must_be_encoded_is_told_with_its_code() {
        for (text, code) in [
            ("amqp://u:hunter#2@b/v", "%23"),
            ("amqp://u:1234#hunter@b/v", "%23"),
            ("amqp://u:hunter/2@b/v", "%2F"),
            ("amqp://u:1234/hunter@b/v", "%2F"),
            ("amqp://u:hunter?2@b/v", "%3F"),
            ("amqp://b:hunter", "%3A"),
            ("amqp://u:hunter 2@b/v", "%20"),
        ] {
            let result = refused(text);
            assert!(result.contains(code), "{text}: {result}");
        }
    }

    #[test]
    fn a_parameter_is_told_what_it_wants() {
        for (parameter, wanted) in [
            ("heartbeat=30s", "heartbeat=30"),
            ("heartbeat=", "heartbeat=30"),
            ("heartbeat=70000", "heartbeat=30"),
            ("connection_timeout=5s", "milliseconds"),
            ("channel_max=-1", "channel_max"),
            ("frame_max=8KiB", "frame_max"),
            ("auth_mechanism=kerberos", "auth_mechanism"),
            ("heartbeats=30", "heartbeat"),
            ("verify=verify_none", "not known"),
        ] {
            let result = refused(&format!("amqp://u:hunter@b/v?{parameter}"));
            assert!(result.contains(wanted), "{parameter}: {result}");
        }
    }

    #[test]
    fn another_scheme_or_none_is_told_the_two() {
        for text in [
            "http://x",
            "rabbitmq://u:hunter@b/v",
            "b:5672",
            "hunter",
            "",
        ] {
            assert_eq!(refused(text), SCHEME);
        }
    }
}
