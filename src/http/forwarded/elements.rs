//! The header `Forwarded`, as its grammar has it (RFC 7239, section 4).

use std::borrow::Cow;

use axum::http::HeaderMap;
use axum::http::header::FORWARDED;

/// What one proxy has written into `Forwarded`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) host: Option<Cow<'a, str>>,
    pub(super) proto: Option<Cow<'a, str>>,
}

/// The elements of `Forwarded`. None of them counts if one is not as the grammar has it: a quote that
/// a client has opened would swallow what proxies append.
pub(super) fn elements(headers: &HeaderMap) -> Vec<Element<'_>> {
    let lines = headers.get_all(FORWARDED).iter();
    let lines = lines.map(|line| parse(line.to_str().ok()?));
    let elements: Option<Vec<_>> = lines.collect();
    elements.unwrap_or_default().into_iter().flatten().collect()
}

/// Reads `name=value; name=value, name=value`; a value is a token or a quoted string.
fn parse(line: &str) -> Option<Vec<Element<'_>>> {
    let mut elements = vec![Element::default()];
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        // An element, and a place between semicolons, may be empty.
        if !rest.is_empty() && !rest.starts_with([',', ';']) {
            let (name, after) = rest.split_once('=')?;
            let (value, after) = value(after)?;
            if !is_token(name) {
                return None;
            }
            let element = elements.last_mut()?;
            let place = match name.to_ascii_lowercase().as_str() {
                "host" => Some(&mut element.host),
                "proto" => Some(&mut element.proto),
                _ => None,
            };
            // Each may occur once.
            if place.is_some_and(|place| place.replace(value).is_some()) {
                return None;
            }
            rest = after.trim_ascii_start();
        }
        let mut letters = rest.chars();
        match letters.next() {
            None => return Some(elements),
            Some(',') => elements.push(Element::default()),
            Some(';') => {}
            Some(_) => return None,
        }
        rest = letters.as_str();
    }
}

/// A token or a quoted string, and what comes after it.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
        let (token, rest) = text.split_at(end);
        // Unquoted, a port's colon and an address's brackets are wrong, and common.
        let is_value = |byte: u8| is_token_byte(byte) || b":[]".contains(&byte);
        return token.bytes().all(is_value).then_some((token.into(), rest));
    };
    let mut value = String::new();
    let mut letters = quoted.chars();
    loop {
        match letters.next()? {
            '"' => return Some((value.into(), letters.as_str())),
            '\\' => value.push(letters.next()?),
            letter => value.push(letter),
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
