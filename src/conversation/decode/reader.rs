//! Reads an event's fields: what is required decides, what is optional need not.

use serde_json::value::RawValue;

use crate::conversation::fields::{Fields, Read};
use crate::conversation::rejection::Invalid;

/// The optional fields, as a mistake in one names it: everything that can be left out.
pub const OPTIONAL_FIELDS: [&str; 30] = [
    "type",
    "text",
    "mediaUrl",
    "mediaId",
    "mediaType",
    "fileName",
    "fileSize",
    "from",
    "fromName",
    "replyTo",
    "replyTo.messageId",
    "replyTo.text",
    "replyTo.from",
    "forwarded",
    "location",
    "location.latitude",
    "location.longitude",
    "location.name",
    "location.address",
    "location.url",
    "contacts",
    "contacts.name",
    "contacts.phones",
    "contacts.emails",
    "target",
    "emoji",
    "timestamp",
    "error",
    "error.code",
    "error.title",
];

/// What becomes of an optional field that cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It is a mistake: whoever sent it gets an answer that names it.
    Refused,
    /// The event goes without it. These are the fields, and what is wrong with each.
    LeftOut(Vec<Invalid>),
}

/// The fields of an event, or of an object within one. In an optional field an empty string is the
/// same as absent.
pub(super) struct Reader<'r, 'a> {
    fields: &'r Fields<'a>,
    /// The field that these fields lie in, if they do.
    parent: Option<&'static str>,
    unusable: &'r mut Unusable,
}

impl<'r, 'a> Reader<'r, 'a> {
    pub(super) fn new(fields: &'r Fields<'a>, unusable: &'r mut Unusable) -> Self {
        Self {
            fields,
            parent: None,
            unusable,
        }
    }

    pub(super) fn required<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue) -> Read<T>,
    ) -> Result<T, Invalid> {
        let value = self.fields.required(name, read);
        value.map_err(|invalid| self.placed(invalid))
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue) -> Read<T>,
    ) -> Result<Option<T>, Invalid> {
        match self.given(name).map(read).transpose() {
            Ok(value) => Ok(value),
            Err(reason) => self.go_without(self.placed(Invalid::new(name, reason))),
        }
    }

    /// An optional field with fields of its own. Where one of those is required and cannot be used,
    /// the whole of it cannot.
    pub(super) fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Reader<'_, 'a>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        let Some(value) = self.given(name) else {
            return Ok(None);
        };
        match self.within(name, value, read) {
            Ok(value) => Ok(Some(value)),
            Err(invalid) => self.go_without(invalid),
        }
    }

    /// An optional list of 1 to `most` of such. One that cannot be used leaves the others.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        most: usize,
        mut read: impl FnMut(&mut Reader<'_, 'a>) -> Result<T, Invalid>,
    ) -> Result<Option<Vec<T>>, Invalid> {
        let Some(value) = self.given(name) else {
            return Ok(None);
        };
        let list: Vec<&'a RawValue> = match serde_json::from_str(value.get()) {
            Ok(Some(list)) => list,
            _ => Vec::new(),
        };
        if list.is_empty() || list.len() > most {
            let reason = format!("must be a list of 1 to {most} objects");
            return self.go_without(self.placed(Invalid::new(name, reason)));
        }
        let mut all = Vec::with_capacity(list.len());
        for (at, value) in list.into_iter().enumerate() {
            match self.within(name, value, &mut read) {
                Ok(one) => all.push(one),
                Err(Invalid { field, reason }) => {
                    let reason = format!("{reason} (number {} of the list)", at + 1);
                    self.go_without::<()>(Invalid::new(field, reason))?;
                }
            }
        }
        Ok((!all.is_empty()).then_some(all))
    }

    /// An optional field cannot be used, for what it means together with something else.
    pub(super) fn unusable(
        &mut self,
        name: &'static str,
        reason: &'static str,
    ) -> Result<(), Invalid> {
        let left_out = self.go_without::<()>(self.placed(Invalid::new(name, reason)));
        left_out.map(drop)
    }

    /// What is wrong with an optional field that this event cannot do without.
    pub(super) fn needed(&self, name: &'static str) -> Invalid {
        let left_out = self.left_out(&[name]).cloned();
        left_out.unwrap_or_else(|| Invalid::new(name, "is missing"))
    }

    /// What is wrong with the first of these fields that had to be left out.
    pub(super) fn left_out(&self, names: &[&str]) -> Option<&Invalid> {
        let is_one = |invalid: &&Invalid| {
            let name = invalid.field.split('.').next();
            name.is_some_and(|name| names.contains(&name))
        };
        match &*self.unusable {
            Unusable::Refused => None,
            Unusable::LeftOut(all) => all.iter().find(is_one),
        }
    }

    fn within<T>(
        &mut self,
        name: &'static str,
        value: &'a RawValue,
        read: impl FnOnce(&mut Reader<'_, 'a>) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        match Fields::of(value) {
            Err(reason) => Err(self.placed(Invalid::new(name, reason))),
            Ok(fields) => read(&mut Reader {
                fields: &fields,
                parent: Some(name),
                unusable: self.unusable,
            }),
        }
    }

    fn given(&self, name: &str) -> Option<&'a RawValue> {
        let value = self.fields.get(name);
        value.filter(|value| value.get() != r#""""#)
    }

    fn go_without<T>(&mut self, invalid: Invalid) -> Result<Option<T>, Invalid> {
        match self.unusable {
            Unusable::Refused => Err(invalid),
            Unusable::LeftOut(all) => {
                all.push(invalid);
                Ok(None)
            }
        }
    }

    fn placed(&self, invalid: Invalid) -> Invalid {
        match self.parent {
            Some(parent) => invalid.within(parent),
            None => invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::fields::text;

    const ALL_WRONG: &str = r#"{"a":"","b":null,"c":7,"d":{"e":[],"f":"yes"},"g":{"f":1},"h":[]}"#;

    fn read(json: &str, unusable: &mut Unusable) -> Result<Vec<Option<String>>, Invalid> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let fields = Fields::of(raw).unwrap();
        let mut reader = Reader::new(&fields, unusable);
        let word = |raw| text(raw, 1, 8).map(String::from);
        let mut all = Vec::new();
        for name in ["a", "b", "c"] {
            all.push(reader.optional(name, word)?);
        }
        for name in ["d", "g", "h"] {
            all.push(reader.object(name, |within| {
                within.optional("e", word)?;
                within.required("f", word)
            })?);
        }
        Ok(all)
    }

    #[test]
    fn what_is_optional_is_left_out_and_named_where_nobody_can_be_told() {
        let mut unusable = Unusable::LeftOut(Vec::new());
        let read = read(ALL_WRONG, &mut unusable).unwrap();
        assert_eq!(read, [None, None, None, Some("yes".into()), None, None]);
        let Unusable::LeftOut(all) = unusable else {
            panic!("{unusable:?}");
        };
        let fields: Vec<_> = all.iter().map(|one| &*one.field).collect();
        assert_eq!(fields, ["c", "d.e", "g.f", "h"]);
    }

    #[test]
    fn each_is_a_mistake_where_somebody_can_be_told_and_an_empty_one_is_absent_there_too() {
        for (json, field) in [
            (ALL_WRONG, "c"),
            (r#"{"d":{"e":1}}"#, "d.e"),
            (r#"{"d":{}}"#, "d.f"),
            (r#"{"d":{"f":""}}"#, "d.f"),
            (r#"{"h":"text"}"#, "h"),
        ] {
            let error = read(json, &mut Unusable::Refused).unwrap_err();
            assert_eq!(error.field, field, "{json}");
        }
        let empty = r#"{"a":"","c":"","d":{"e":"","f":"yes"},"h":""}"#;
        assert!(read(empty, &mut Unusable::Refused).is_ok());
    }
}
