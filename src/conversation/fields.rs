//! The fields of a JSON object from outside, each read with a reason for what is wrong with it.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::id::Id;
use super::rejection::Invalid;

/// The longest messageId, in characters.
pub(crate) const MESSAGE_ID_LIMIT: usize = 256;

/// The fields of a JSON object, not yet read. `null` is the same as absent, and of a name that comes
/// twice the last one counts.
///
/// There are few of them, so that looking at each costs less than putting them in order would.
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A field's name, copied only where it is written with escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl fmt::Debug for Fields<'_> {
    // Values may be message text, which no log may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfObject;

        impl<'de> Visitor<'de> for OfObject {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(OfObject)
    }
}

/// A field's value, or what is wrong with it, to be read after the field's name.
pub(crate) type Read<T> = Result<T, Cow<'static, str>>;

impl<'a> Fields<'a> {
    pub(crate) fn of(json: &'a RawValue) -> Read<Self> {
        if !json.get().starts_with('{') {
            return Err("must be a JSON object".into());
        }
        serde_json::from_str(json.get())
            .map_err(|error| format!("has a key that cannot be read ({error})").into())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().rfind(|(known, _)| known == name)?;
        (value.get() != "null").then_some(*value)
    }

    pub(crate) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue) -> Read<T>,
    ) -> Result<Option<T>, Invalid> {
        self.get(name)
            .map(read)
            .transpose()
            .map_err(|reason| Invalid::new(name, reason))
    }

    pub(crate) fn required<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue) -> Read<T>,
    ) -> Result<T, Invalid> {
        self.optional(name, read)?
            .ok_or_else(|| Invalid::new(name, "is missing"))
    }

    pub(crate) fn id(&self, name: &'static str) -> Result<Id, Invalid> {
        self.required(name, |raw| {
            Id::parse(&identifier(raw, 0, usize::MAX)?).map_err(|error| error.to_string().into())
        })
    }
}

/// Reads a string of `shortest` to `longest` characters.
pub(crate) fn text(raw: &RawValue, shortest: usize, longest: usize) -> Read<Cow<'_, str>> {
    let written = raw.get();
    let Some(within) = written
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return Err("must be a string".into());
    };
    let text = match memchr(b'\\', within.as_bytes()) {
        // Without an escape, a string is what is written.
        None => Cow::Borrowed(within),
        Some(_) => serde_json::from_str(written)
            .map(Cow::Owned)
            .map_err(|_| Cow::Borrowed("must be valid Unicode text"))?,
    };
    if shortest > 0 && text.is_empty() {
        return Err("must not be empty".into());
    }
    // Only a text with more bytes than that can have more characters.
    if text.len() > longest && text.chars().count() > longest {
        return Err(format!("must have at most {longest} characters").into());
    }
    Ok(text)
}

/// Reads an identifier of `shortest` to `longest` characters: a string, or an integer, whose decimal
/// digits count as they are written.
pub(crate) fn identifier(raw: &RawValue, shortest: usize, longest: usize) -> Read<Cow<'_, str>> {
    let written = raw.get();
    let digits = written.strip_prefix('-').unwrap_or(written);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return match written.len() <= longest {
            true => Ok(Cow::Borrowed(written)),
            false => Err(format!("must have at most {longest} digits").into()),
        };
    }
    match written.starts_with('"') {
        true => text(raw, shortest, longest),
        false => Err("must be a string or an integer".into()),
    }
}

/// Reads a messageId.
pub(crate) fn message_id(raw: &RawValue) -> Read<Cow<'_, str>> {
    identifier(raw, 1, MESSAGE_ID_LIMIT)
}
