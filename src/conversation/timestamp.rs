//! The forms in which publishers give a time, and the one in which agents get it.

use serde_json::value::RawValue;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::fields::text;

/// From this number on a Unix time is taken as milliseconds. As seconds it would be the year 5138.
const FIRST_MILLISECOND: f64 = 1e11;

/// Renders `at` as RFC 3339 in UTC.
///
/// Years outside 0 to 9999 cannot be written in RFC 3339; the decoder lets none in, and
/// whatever else comes here is clamped to the nearest that can.
pub fn rfc3339(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC)
        .format(&Rfc3339)
        .unwrap_or_else(|_| "9999-12-31T23:59:59Z".to_owned())
}

/// Renders a Unix time in seconds as RFC 3339 in UTC; beyond the year 9999 it stays there.
pub fn rfc3339_from_unix(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .map_or_else(|_| "9999-12-31T23:59:59Z".to_owned(), rfc3339)
}

/// Renders an AMQP timestamp as RFC 3339 in UTC. It is in seconds by its specification, and in
/// milliseconds as some clients write it.
pub fn rfc3339_from_amqp(timestamp: u64) -> Option<String> {
    from_amqp(timestamp).map(rfc3339)
}

/// Reads an AMQP timestamp, in whichever of the two.
pub(crate) fn from_amqp(timestamp: u64) -> Option<OffsetDateTime> {
    from_unix(timestamp as f64)
}

/// Reads a `timestamp` field: an RFC 3339 string, or Unix seconds or milliseconds as a number or
/// as digits.
///
/// # Errors
/// A sentence for the publisher, without the field's name.
pub(super) fn parse(raw: &RawValue) -> Result<OffsetDateTime, &'static str> {
    const FORMS: &str = "must be an RFC 3339 time, or Unix seconds or milliseconds";
    const RANGE: &str = "must be a time between the years 1970 and 9999";
    if !raw.get().starts_with('"') {
        let number = serde_json::from_str::<f64>(raw.get()).map_err(|_| FORMS)?;
        return from_unix(number).ok_or(RANGE);
    }
    let text = text(raw, 0, usize::MAX).map_err(|_| FORMS)?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().and_then(from_unix).ok_or(RANGE);
    }
    let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| FORMS)?;
    // An offset can carry the last hours of 9999 out of what RFC 3339 can write in UTC.
    match at.checked_to_offset(UtcOffset::UTC) {
        Some(utc) if (0..=9999).contains(&utc.year()) => Ok(utc),
        _ => Err(RANGE),
    }
}

/// Takes `number` as Unix milliseconds from 10^11 on, as seconds below.
pub(super) fn from_unix(number: f64) -> Option<OffsetDateTime> {
    if !(0.0..1e15).contains(&number) {
        return None;
    }
    let milliseconds = if number >= FIRST_MILLISECOND {
        number
    } else {
        number * 1000.0
    };
    // Below 1e15 every whole millisecond is exact in an f64.
    let nanoseconds = (milliseconds.round() as i128) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .ok()
        .filter(|at| at.year() <= 9999)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<String, &'static str> {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        parse(&raw).map(rfc3339)
    }

    #[test]
    fn every_form_ends_as_the_same_moment() {
        for form in [
            r#""2024-05-01T10:00:00Z""#,
            r#""2024-05-01T12:00:00+02:00""#,
            "1714557600",
            "1714557600000",
            r#""1714557600""#,
            r#""1714557600000""#,
            "1714557600.0",
        ] {
            assert_eq!(read(form).as_deref(), Ok("2024-05-01T10:00:00Z"), "{form}");
        }
    }

    #[test]
    fn milliseconds_begin_at_ten_to_the_eleventh() {
        assert_eq!(read("99999999999").as_deref(), Ok("5138-11-16T09:46:39Z"));
        assert_eq!(read("100000000000").as_deref(), Ok("1973-03-03T09:46:40Z"));
    }

    #[test]
    fn fractions_of_a_second_stay() {
        assert_eq!(
            read("1714557600.5").as_deref(),
            Ok("2024-05-01T10:00:00.5Z")
        );
        assert_eq!(
            read("1714557600123").as_deref(),
            Ok("2024-05-01T10:00:00.123Z")
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for form in [
            r#""yesterday""#,
            r#""""#,
            r#""-5""#,
            "-5",
            "true",
            "{}",
            "[1]",
            "1e300",
            r#""99999999999999999999999""#,
            r#""9999-12-31T23:59:59-10:00""#,
        ] {
            assert!(read(form).is_err(), "{form}");
        }
    }
}
