//! The bytes of a body, made ready for the parser where publishers are known to differ from it.

use std::borrow::Cow;

use memchr::memchr;
use serde_json::value::RawValue;

use super::fields::Fields;

/// UTF-8's byte order mark, which .NET and PowerShell write and JSON does not know.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The digits of U+FFFD, the replacement character.
const REPLACEMENT: &[u8] = b"fffd";

/// How long an escape such as `\ud83d` is.
const ESCAPE: usize = 6;

/// A body without a byte order mark and without halves of surrogate pairs.
///
/// JavaScript's strings may hold half a pair (an emoji cut in two), and its JSON then has an
/// escape that stands for no character: RFC 8259, section 8.2, calls the outcome unpredictable.
/// Here each becomes U+FFFD, in keys as in values, as it would in the browser's UTF-8. Everything else
/// stays as it came, and nothing is copied where there is nothing to mend.
pub(crate) struct JsonText<'a>(Cow<'a, [u8]>);

/// Why a text has no fields.
#[derive(Debug)]
pub(crate) enum NoObject {
    NotJson(serde_json::Error),
    /// To be read after the name of what it is.
    Other(Cow<'static, str>),
}

/// Which half of a pair an escape stands for.
#[derive(PartialEq, Eq)]
enum Half {
    High,
    Low,
}

impl<'a> JsonText<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let mut mended = Cow::Borrowed(text);
        let mut at = 0;
        while let Some(found) = memchr(b'\\', text.get(at..).unwrap_or_default()) {
            let escape = at + found;
            at = match half_at(text, escape) {
                // Whatever follows this backslash is not the beginning of an escape.
                None => escape + 2,
                Some(Half::High) if half_at(text, escape + ESCAPE) == Some(Half::Low) => {
                    escape + 2 * ESCAPE
                }
                Some(_) => {
                    let next = escape + ESCAPE;
                    mended.to_mut()[escape + 2..next].copy_from_slice(REPLACEMENT);
                    next
                }
            };
        }
        Self(mended)
    }

    /// The one JSON value that this is.
    pub(crate) fn value(&self) -> serde_json::Result<&RawValue> {
        serde_json::from_slice(&self.0)
    }

    /// The fields of the one JSON object that this is.
    ///
    /// # Errors
    /// It is not JSON, or something else.
    pub(crate) fn fields(&self) -> Result<Fields<'_>, NoObject> {
        // Nearly always it is one, and need not be read twice.
        if let Ok(fields) = serde_json::from_slice(&self.0) {
            return Ok(fields);
        }
        let value = self.value().map_err(NoObject::NotJson)?;
        Fields::of(value).map_err(NoObject::Other)
    }
}

/// The half of a pair that is written at this place.
fn half_at(text: &[u8], at: usize) -> Option<Half> {
    let [b'\\', b'u', b'd' | b'D', second, third, fourth] = text.get(at..at + ESCAPE)? else {
        return None;
    };
    if !third.is_ascii_hexdigit() || !fourth.is_ascii_hexdigit() {
        return None;
    }
    match second.to_ascii_lowercase() {
        b'8'..=b'9' | b'a'..=b'b' => Some(Half::High),
        b'c'..=b'f' => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn mended(text: &str) -> String {
        String::from_utf8(JsonText::new(text.as_bytes()).0.into_owned()).unwrap()
    }

    #[test]
    fn half_a_pair_becomes_the_replacement_character_and_a_whole_one_stays() {
        for (text, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uD83D\uDE00""#, r#""\uD83D\uDE00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\ude00\ude00""#, r#""\ud83d\ude00\ufffd""#),
            (r#""\ud83d\n\ude00""#, r#""\ufffd\n\ufffd""#),
            (r#""\uDBFFx\uDC00""#, r#""\ufffdx\ufffd""#),
            // A backslash of its own, with a word behind it.
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud83d\\ude00""#, r#""\ufffd\\ude00""#),
            // Neighbours of the halves, and what is no escape.
            (r#""\ud7ff\ue000""#, r#""\ud7ff\ue000""#),
            (r#""\ud83""#, r#""\ud83""#),
            (r#""\ud8"#, r#""\ud8"#),
            (r#""\ud83g""#, r#""\ud83g""#),
            ("\\", "\\"),
        ] {
            assert_eq!(mended(text), expected, "{text}");
        }
    }

    #[test]
    fn one_byte_order_mark_is_skipped_at_the_beginning() {
        assert_eq!(mended("\u{feff}{}"), "{}");
        assert_eq!(mended("\u{feff}\u{feff}{}"), "\u{feff}{}");
        assert_eq!(mended(" \u{feff}{}"), " \u{feff}{}");
        assert_eq!(mended("\u{feff}"), "");
    }

    #[test]
    fn what_is_whole_is_not_copied() {
        let text = r#"{"a":"\u00e9\ud83d\ude00\\"}"#;
        assert!(matches!(JsonText::new(text.as_bytes()).0, Cow::Borrowed(_)));
    }

    /// One UTF-16 code unit of a string, and one of the ways to write it.
    fn unit() -> impl Strategy<Value = (u16, String)> {
        let escaped = |unit: u16| {
            prop_oneof![
                Just((unit, format!("\\u{unit:04x}"))),
                Just((unit, format!("\\u{unit:04X}"))),
            ]
        };
        let plain = |text: &str| {
            let unit = serde_json::from_str::<String>(&format!("\"{text}\"")).unwrap();
            (unit.encode_utf16().next().unwrap(), text.to_owned())
        };
        prop_oneof![
            (0xd800..=0xdfff_u16).prop_flat_map(escaped),
            any::<u16>().prop_flat_map(escaped),
            proptest::sample::select(vec!["u", "d", "8", "é", "\\\\", "\\\"", "\\n", "\\/"])
                .prop_map(plain),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// The model: what the writer meant, unit by unit, with each half replaced.
        #[test]
        fn a_string_is_what_utf_16_makes_of_it(
            key in proptest::collection::vec(unit(), 0..6),
            value in proptest::collection::vec(unit(), 0..12),
        ) {
            let written = |units: &[(u16, String)]| -> String {
                units.iter().map(|(_, text)| &**text).collect()
            };
            let meant = |units: &[(u16, String)]| {
                String::from_utf16_lossy(&units.iter().map(|(unit, _)| *unit).collect::<Vec<_>>())
            };
            let text = format!(r#"{{"{}":[{{"x":"{}"}}]}}"#, written(&key), written(&value));
            let text = JsonText::new(text.as_bytes());
            let read: Value = serde_json::from_str(text.value().unwrap().get()).unwrap();
            let expected = serde_json::json!({ meant(&key): [{ "x": meant(&value) }] });
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn any_bytes_keep_their_length_and_mending_again_changes_nothing(
            body in "[\\\\uUdD89abcefF\"x]{0,40}",
        ) {
            let once = mended(&body);
            prop_assert_eq!(once.len(), body.len());
            prop_assert_eq!(mended(&once), once.clone());
            if once == body {
                let same = matches!(JsonText::new(body.as_bytes()).0, Cow::Borrowed(_));
                prop_assert!(same);
            }
        }
    }
}
