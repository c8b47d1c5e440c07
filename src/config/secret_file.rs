//! The file that a secret, a key or a certificate is in.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::environment::{QUOTED, is_quoted};

/// The largest file of a secret, in bytes: many times the longest key.
pub(super) const SECRET_BYTES: u64 = 64 << 10;

/// The largest file of certificates, in bytes: all that Debian trusts is a quarter of that.
pub(super) const CERTIFICATE_BYTES: u64 = 1 << 20;

/// The text in a file of so many bytes at most, without the white space around it.
///
/// # Errors
/// A sentence without a subject. It holds neither the path, which could be a secret that has got
/// into the wrong variable, nor anything of the text.
pub(super) fn read(path: &Path, limit: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("names a file that cannot be read: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("names a file of more than {limit} bytes"));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| "names a file that is not valid UTF-8".to_owned())?;
    // Some editors write a byte order mark.
    match text.strip_prefix('\u{feff}').unwrap_or(&text).trim() {
        "" => Err("names a file that is empty".to_owned()),
        text if is_quoted("", text) => Err(format!("names a file that {QUOTED}")),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<String, String> {
        let name = format!("gateway-secret-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        let text = read(&path, SECRET_BYTES);
        std::fs::remove_file(&path).unwrap();
        text
    }

    #[test]
    fn the_text_is_taken_without_what_editors_and_shells_put_around_it() {
        for bytes in [
            "a secret",
            "a secret\n",
            "a secret\r\n",
            " a secret \n\n",
            "\u{feff}a secret\n",
        ] {
            assert_eq!(read_bytes(bytes.as_bytes()).unwrap(), "a secret");
        }
        let most = "x".repeat(SECRET_BYTES as usize);
        assert_eq!(read_bytes(most.as_bytes()).unwrap(), most);
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_reason_and_nothing_of_it() {
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (b" \r\n", "empty"),
            (b"hidden\xff", "UTF-8"),
            (&[b'x'; SECRET_BYTES as usize + 1], "more than 65536 bytes"),
            (b"\"hidden\"\n", "take them off"),
            (b"'hidden'", "take them off"),
        ] {
            let reason = read_bytes(bytes).unwrap_err();
            assert!(reason.contains(expected), "{reason}");
            assert!(!reason.contains("hidden"), "{reason}");
        }
        for path in ["/hidden/no-such-file", "/"] {
            let reason = read(Path::new(path), SECRET_BYTES).unwrap_err();
            assert!(reason.contains("cannot be read: "), "{reason}");
            assert!(!reason.contains("hidden"), "{reason}");
        }
    }
}
