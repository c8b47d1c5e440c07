//! OpenTelemetry's variables, as far as the library would not say what is wrong with them.

use std::time::Duration;

use url::Url;

use crate::trace::TraceMistake;

/// Where traces are to be exported to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The variable that says so.
    pub(super) variable: &'static str,
    /// The collector's address.
    pub(super) endpoint: Url,
    /// How long it may take to answer.
    pub(super) timeout: Duration,
}

/// How long that is if nothing else is wanted.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The collector that the variables name, unless they turn the export off.
pub(super) fn wanted(get: impl Fn(&str) -> Option<String>) -> Result<Option<Wanted>, TraceMistake> {
    let set = |name: &'static str| {
        let text = get(name).filter(|text| !text.trim().is_empty());
        text.map(|text| (name, text.trim().to_owned()))
    };
    let is = |name, word: &str| set(name).is_some_and(|(_, text)| text.eq_ignore_ascii_case(word));
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return Ok(None);
    }
    let named =
        set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT"));
    let Some((variable, text)) = named else {
        return Ok(None);
    };
    let mistake = |variable, reason: &str| {
        let reason = reason.to_owned();
        Err(TraceMistake { variable, reason })
    };
    let endpoint = match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => return mistake(variable, "must be an http:// or https:// URL"),
    };
    let protocol =
        set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| set("OTEL_EXPORTER_OTLP_PROTOCOL"));
    if let Some((variable, protocol)) = protocol
        && protocol != "http/protobuf"
    {
        return mistake(variable, "must be http/protobuf: there is no other export");
    }
    let compression = set("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION")
        .or_else(|| set("OTEL_EXPORTER_OTLP_COMPRESSION"));
    if let Some((variable, compression)) = compression
        && compression != "none"
    {
        return mistake(variable, "must be none: what is exported is not compressed");
    }
    if let Some((variable, exporter)) = set("OTEL_TRACES_EXPORTER")
        && exporter != "otlp"
    {
        return mistake(variable, "must be otlp or none");
    }
    let limit =
        set("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| set("OTEL_EXPORTER_OTLP_TIMEOUT"));
    let timeout = match limit {
        None => TIMEOUT,
        Some((variable, text)) => match text.parse() {
            Ok(milliseconds) => Duration::from_millis(milliseconds),
            Err(_) => return mistake(variable, "must be a number of milliseconds"),
        },
    };
    Ok(Some(Wanted {
        variable,
        endpoint,
        timeout,
    }))
}

/// Whether the variables say what this service is called.
pub(super) fn names_service(get: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| get(name).is_some_and(|text| !text.is_empty());
    let attributes = get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let mut attributes = attributes.split(',');
    is_set("OTEL_SERVICE_NAME")
        || attributes.any(|attribute| attribute.trim_start().starts_with("service.name="))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

    fn read(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let wanted = wanted(get).map_err(|mistake| mistake.to_string())?;
        Ok(wanted.map(|wanted| wanted.endpoint.to_string()))
    }

    #[test]
    fn traces_are_exported_where_the_standard_variables_say() {
        let collector = Ok(Some("http://collector:4318/".to_owned()));
        assert_eq!(read(&[ENDPOINT]), collector);
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces/v1");
        assert_eq!(
            read(&[ENDPOINT, traces]),
            Ok(Some("https://traces/v1".to_owned()))
        );
        let protocol = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        assert_eq!(
            read(&[ENDPOINT, protocol, ("OTEL_TRACES_EXPORTER", "otlp")]),
            collector
        );
        for off in [
            &[][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
            &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
            &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert_eq!(read(off), Ok(None), "{off:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_told_by_its_name_and_without_its_value() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "hidden:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://hidden"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "hidden"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "hidden"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "hidden"),
            ("OTEL_TRACES_EXPORTER", "hidden"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "hidden"),
        ] {
            let mut variables = vec![(name, value)];
            if name != ENDPOINT.0 {
                variables.push(ENDPOINT);
            }
            let mistake = read(&variables).unwrap_err();
            assert!(
                mistake.starts_with(&format!("{name}: must be ")),
                "{mistake}"
            );
            assert!(!mistake.contains("hidden"), "{mistake}");
        }
    }

    #[test]
    fn a_service_may_have_another_name() {
        let named = |name: &'static str, value: &'static str| {
            names_service(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert!(named("OTEL_SERVICE_NAME", "x"));
        assert!(named("OTEL_RESOURCE_ATTRIBUTES", "a=b, service.name=x"));
        assert!(!named("OTEL_RESOURCE_ATTRIBUTES", "a=b"));
        assert!(!named("OTEL_SERVICE_NAME", ""));
    }
}
