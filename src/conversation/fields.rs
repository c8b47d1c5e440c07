//! The fields of a JSON object from outside, each read with a reason for what is wrong with it.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::id::Id;
use super::rejection::Invalid;

/// The longest messageId, in characters.
pub(crate) const MESSAGE_ID_LIMIT: usize = 256;

/// The fields of a JSON object, not yet read. `null` is the same as absent.
pub(crate) struct Fields<'a>(BTreeMap<Name<'a>, &'a RawValue>);

/// A field's name, copied only where it is written with escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Fields<'_> {
    // Values may be message text, which no log may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.keys().map(|name| &name.0))
            .finish()
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
            .map(Self)
            .map_err(|error| format!("has a key that cannot be read ({error})").into())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0
            .get(name)
            .copied()
            .filter(|value| value.get() != "null")
    }

    pub(crate) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&RawValue) -> Read<T>,
    ) -> Result<Option<T>, Invalid> {
        self.get(name)
            .map(read)
            .transpose()
            .map_err(|reason| Invalid::new(name, reason))
    }

    pub(crate) fn required<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&RawValue) -> Read<T>,
    ) -> Result<T, Invalid> {
        self.optional(name, read)?
            .ok_or_else(|| Invalid::new(name, "is missing"))
    }

    pub(crate) fn id(&self, name: &'static str) -> Result<Id, Invalid> {
        self.required(name, |raw| {
            let text = text(raw, 0, usize::MAX)?;
            Id::parse(&text).map_err(|error| error.to_string().into())
        })
    }
}

/// Reads a string of `shortest` to `longest` characters.
pub(crate) fn text(raw: &RawValue, shortest: usize, longest: usize) -> Read<String> {
    if !raw.get().starts_with('"') {
        return Err("must be a string".into());
    }
    let text: String =
        serde_json::from_str(raw.get()).map_err(|_| Cow::Borrowed("must be valid Unicode text"))?;
    if shortest > 0 && text.is_empty() {
        return Err("must not be empty".into());
    }
    // Only a text with more bytes than that can have more characters.
    if text.len() > longest && text.chars().count() > longest {
        return Err(format!("must have at most {longest} characters").into());
    }
    Ok(text)
}
