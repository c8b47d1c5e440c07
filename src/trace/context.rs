//! A place in a trace (<https://www.w3.org/TR/trace-context/#traceparent-header>).

use std::fmt;

/// Which trace something is part of, and what in it was its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    pub(super) flags: u8,
}

impl TraceContext {
    /// The length of what this version of the standard writes.
    const LENGTH: usize = 55;

    /// Reads a `traceparent`; `None` for what is none, as the standard wants it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (head, rest) = text.split_at_checked(Self::LENGTH)?;
        let mut parts = head.split(|byte| *byte == b'-');
        let [version] = hex(parts.next()?)?;
        let context = Self {
            trace: hex(parts.next()?)?,
            span: hex(parts.next()?)?,
            flags: u8::from_be_bytes(hex(parts.next()?)?),
        };
        let is_whole = match version {
            0 => rest.is_empty(),
            0xff => false,
            // A later version may have more to say.
            _ => rest.is_empty() || rest.starts_with(b"-"),
        };
        (is_whole && context.trace != [0; 16] && context.span != [0; 8]).then_some(context)
    }

    /// The trace's id, for the log.
    pub fn trace_id(&self) -> impl fmt::Display + use<> {
        let trace = u128::from_be_bytes(self.trace);
        fmt::from_fn(move |f| write!(f, "{trace:032x}"))
    }
}

/// Bytes in hexadecimal, of which the letters are small.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

impl fmt::Display for TraceContext {
    /// As a `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = u64::from_be_bytes(self.span);
        write!(f, "00-{}-{span:016x}-{:02x}", self.trace_id(), self.flags)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_written_as_it_was_read() {
        let context = TraceContext::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(context.to_string(), GOOD);
        let trace = context.trace_id().to_string();
        assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
        // A later version is read as far as it is known.
        let later = GOOD.replacen("00", "cc", 1) + "-what-the-future-will-be-like";
        assert_eq!(TraceContext::parse(later.as_bytes()), Some(context));
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for bad in [
            "",
            "00",
            &GOOD[1..],
            &format!("{GOOD}-"),
            &format!("{GOOD}0"),
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.replace('-', "_"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &format!("{}x", GOOD.replacen("00", "cc", 1)),
        ] {
            assert_eq!(TraceContext::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(context) = TraceContext::parse(&bytes) {
                prop_assert_eq!(TraceContext::parse(context.to_string().as_bytes()), Some(context));
            }
        }
    }
}
