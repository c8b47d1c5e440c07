//! The AMQP property `content-encoding`: what a body is packed with, if it is.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::BODY_LIMIT;
use crate::conversation::rejection::{Reason, Rejection};

/// How the names of character sets begin that publishers write here: Spring, kombu and others put
/// that of the text where AMQP has the packing. Whichever it is, the body has to be UTF-8.
const CHARACTER_SETS: [&str; 12] = [
    "utf",
    "us-ascii",
    "ascii",
    "iso-8859",
    "iso8859",
    "latin",
    "windows-125",
    "cp125",
    "koi8",
    "gb",
    "shift_jis",
    "euc-",
];

/// Names of no packing at all: HTTP's, and MIME's, of which kombu writes `binary` for bytes.
const NONE: [&str; 5] = ["", "identity", "binary", "8bit", "7bit"];

/// What a refusal shows of a name, in characters.
const SHOWN: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Deflate,
}

/// Why a body cannot be unpacked.
#[derive(Debug)]
enum Trouble {
    Damaged(&'static str),
    TooLarge,
}

/// The body as it was before it was packed, of at most [`BODY_LIMIT`] bytes.
pub(super) fn unpacked<'a>(
    encoding: Option<&str>,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, Rejection> {
    let (name, unpacked) = match packing(encoding.unwrap_or_default())? {
        None => return Ok(Cow::Borrowed(body)),
        Some(Packing::Gzip) => ("gzip", gunzip(body)),
        Some(Packing::Deflate) => ("deflate", inflate(body)),
    };
    unpacked.map(Cow::Owned).map_err(|trouble| match trouble {
        Trouble::Damaged(how) => Rejection::new(
            Reason::InvalidJson,
            format!("body: cannot be unpacked with {name} ({how})"),
        ),
        Trouble::TooLarge => Rejection::new(
            Reason::TooLarge,
            format!("body: has more than {BODY_LIMIT} bytes when it is unpacked with {name}"),
        ),
    })
}

/// Reads a list: Spring writes `gzip, UTF-8` and, before that, `gzip:UTF-8`.
fn packing(encoding: &str) -> Result<Option<Packing>, Rejection> {
    let mut packing = None;
    for name in encoding.split([',', ':', ';']).map(str::trim) {
        let name = name.to_ascii_lowercase();
        let found = match &*name {
            "gzip" | "x-gzip" => Packing::Gzip,
            "deflate" => Packing::Deflate,
            none if NONE.contains(&none) => continue,
            set if CHARACTER_SETS.iter().any(|begin| set.starts_with(begin)) => continue,
            _ => return Err(unsupported(encoding)),
        };
        if packing.replace(found).is_some() {
            return Err(unsupported(encoding));
        }
    }
    Ok(packing)
}

fn unsupported(encoding: &str) -> Rejection {
    let shown: String = encoding.trim().chars().take(SHOWN).collect();
    Rejection::new(
        Reason::UnsupportedEncoding,
        format!(
            "content-encoding: {} is none that can be unpacked; use gzip, deflate or none",
            shown.escape_debug()
        ),
    )
}

fn gunzip(body: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut unpacked = Vec::new();
    // Never more than the one byte that shows that there are too many.
    let mut bounded = MultiGzDecoder::new(body).take(BODY_LIMIT as u64 + 1);
    match bounded.read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() > BODY_LIMIT => Err(Trouble::TooLarge),
        Ok(_) => Ok(unpacked),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(Trouble::Damaged("it ends too early"))
        }
        Err(_) => Err(Trouble::Damaged("it is damaged, or something else")),
    }
}

/// Unpacks zlib's format, which HTTP calls `deflate`, and the bare one, which some take that for.
///
/// The library's reader would take a stream that ends too early for a whole one.
fn inflate(body: &[u8]) -> Result<Vec<u8>, Trouble> {
    // RFC 1950, section 2.2: the first byte of zlib's format ends in 8. A bare stream would begin
    // so with a stored block and dirty padding, which nobody writes.
    let zlib = body.first().is_some_and(|first| first & 0x0f == 8);
    let mut stream = Decompress::new(zlib);
    let mut unpacked = Vec::new();
    loop {
        let used = stream.total_in() as usize;
        let room = (unpacked.len().max(1024)).min(BODY_LIMIT + 1 - unpacked.len());
        unpacked.reserve_exact(room);
        let before = unpacked.len();
        let status = stream
            .decompress_vec(&body[used..], &mut unpacked, FlushDecompress::None)
            .map_err(|_| Trouble::Damaged("it is damaged, or something else"))?;
        if unpacked.len() > BODY_LIMIT {
            return Err(Trouble::TooLarge);
        }
        let read = stream.total_in() as usize;
        if status == Status::StreamEnd {
            return match read == body.len() {
                true => Ok(unpacked),
                false => Err(Trouble::Damaged("something follows its end")),
            };
        }
        if read == used && unpacked.len() == before {
            return Err(Trouble::Damaged("it ends too early"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    /// The ways to pack, each with the names that it goes by.
    fn packed(bytes: &[u8]) -> [(&'static str, Vec<u8>); 3] {
        let level = Compression::default();
        let mut gzip = GzEncoder::new(Vec::new(), level);
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        let mut bare = DeflateEncoder::new(Vec::new(), level);
        gzip.write_all(bytes).unwrap();
        zlib.write_all(bytes).unwrap();
        bare.write_all(bytes).unwrap();
        [
            ("gzip", gzip.finish().unwrap()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", bare.finish().unwrap()),
        ]
    }

    fn reason(encoding: &str, body: &[u8]) -> Reason {
        unpacked(Some(encoding), body).unwrap_err().reason
    }

    #[test]
    fn names_of_character_sets_and_of_nothing_leave_the_body_as_it_is() {
        for name in [
            "",
            " ",
            "identity",
            "utf-8",
            "UTF-8",
            "utf8",
            "us-ascii",
            "ASCII",
            "ISO-8859-1",
            "latin1",
            "windows-1252",
            "UTF-16",
            "binary",
            "identity, utf-8",
        ] {
            let body = unpacked(Some(name), b"as it came").unwrap();
            assert!(matches!(body, Cow::Borrowed(b"as it came")), "{name}");
        }
        assert!(matches!(unpacked(None, b"x"), Ok(Cow::Borrowed(b"x"))));
    }

    #[test]
    fn beside_a_character_set_and_in_capitals_it_is_the_same_packing() {
        let [(_, gzip), (_, zlib), _] = packed(b"{}");
        for name in [
            "gzip",
            "GZIP",
            " x-gzip ",
            "gzip:UTF-8",
            "gzip, utf-8",
            "utf-8;gzip",
        ] {
            assert_eq!(&*unpacked(Some(name), &gzip).unwrap(), b"{}", "{name}");
        }
        assert_eq!(&*unpacked(Some("Deflate:utf-8"), &zlib).unwrap(), b"{}");
    }

    #[test]
    fn another_packing_is_named() {
        let [(_, gzip), ..] = packed(b"{}");
        for name in [
            "br",
            "zstd",
            "snappy",
            "lzma",
            "compress",
            "gzip, gzip",
            "gzip, br",
            "*",
        ] {
            let rejection = unpacked(Some(name), &gzip).unwrap_err();
            assert_eq!(rejection.reason, Reason::UnsupportedEncoding);
            assert!(rejection.detail.contains(name), "{}", rejection.detail);
        }
        let odd = "a\n\u{1b}[31m".repeat(50);
        let detail = unpacked(Some(&odd), b"").unwrap_err().detail;
        assert!(
            detail.len() < 300 && !detail.contains(['\n', '\u{1b}']),
            "{detail}"
        );
    }

    #[test]
    fn the_limit_is_that_of_a_body_and_no_more_than_that_is_unpacked() {
        for (name, body) in packed(&vec![b'x'; BODY_LIMIT]) {
            assert_eq!(unpacked(Some(name), &body).unwrap().len(), BODY_LIMIT);
        }
        for (name, body) in packed(&vec![b'x'; BODY_LIMIT + 1]) {
            assert_eq!(reason(name, &body), Reason::TooLarge);
        }
        // Found too large before it is found damaged.
        for (name, mut body) in packed(&vec![b'x'; 64 * BODY_LIMIT]) {
            body.truncate(body.len() - 9);
            assert_eq!(reason(name, &body), Reason::TooLarge);
        }
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out_and_what_is_cut_short_or_longer_does_not(
            bytes in proptest::collection::vec(any::<u8>(), 0..3_000),
            cut in any::<proptest::sample::Index>(),
        ) {
            for (name, mut body) in packed(&bytes) {
                prop_assert_eq!(&*unpacked(Some(name), &body).unwrap(), &*bytes);
                let part = &body[..cut.index(body.len())];
                prop_assert_eq!(reason(name, part), Reason::InvalidJson);
                body.push(b'x');
                prop_assert_eq!(reason(name, &body), Reason::InvalidJson);
            }
        }

        #[test]
        fn any_bytes_are_unpacked_or_have_a_reason(
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            for name in ["gzip", "deflate"] {
                match unpacked(Some(name), &body) {
                    Ok(unpacked) => prop_assert!(unpacked.len() <= BODY_LIMIT),
                    Err(rejection) => prop_assert!(!rejection.detail.is_empty()),
                }
            }
        }
    }
}
