//! What a server sends over the connection of a WebSocket.

use crate::frame::{self, Frame};
use crate::http::Head;
use crate::{Error, http};

/// Takes messages off the bytes that a server has sent: first its answer to the upgrade request, then
/// frames. It does no I/O and keeps no bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    upgraded: bool,
}

/// What has to come back for the key of the request: both are those of RFC 6455, section 1.3.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The header lines of a request for a WebSocket (RFC 6455, section 4.1).
pub const UPGRADE: [&str; 4] = [
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

impl Decoder {
    /// The request that the first answer is to.
    #[must_use]
    pub fn request(host: &str, target: &str) -> String {
        http::request("GET", target, host, &UPGRADE, None)
    }

    /// Takes the server's answer off the beginning of `bytes`, unless that has been done. False: the
    /// rest of it is still to come.
    ///
    /// # Errors
    /// When the server refuses the upgrade.
    pub fn accept(&mut self, bytes: &mut &[u8]) -> Result<bool, Error> {
        if self.upgraded {
            return Ok(true);
        }
        let Some(head) = Head::parse(bytes)? else {
            return Ok(false);
        };
        if head.status != 101 {
            return Err(Error::Status(head.status));
        }
        if head.header("sec-websocket-accept") != Some(ACCEPT) {
            return Err(Error::protocol("a wrong sec-websocket-accept"));
        }
        *bytes = &bytes[head.length..];
        self.upgraded = true;
        Ok(true)
    }

    /// Takes the next frame off the beginning of `bytes`. None: the rest of it is still to come.
    ///
    /// # Errors
    /// When the server refuses the upgrade, or sends what is no frame.
    pub fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Frame<'a>>, Error> {
        if !self.accept(bytes)? {
            return Ok(None);
        }
        let frame = frame::decode(bytes)?;
        if let Some(frame) = &frame {
            *bytes = &bytes[frame.length..];
        }
        Ok(frame)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test, what cannot be is a failure")]
mod tests {
    use super::*;

    fn answer(status: &str, accept: &str) -> Vec<u8> {
        let head = format!("HTTP/1.1 {status}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
        [head.as_bytes(), b"\x81\x010\x89\x00"].concat()
    }

    #[test]
    fn frames_follow_the_answer_to_the_upgrade_however_the_bytes_come() {
        let bytes = answer("101 Switching Protocols", ACCEPT);
        for part in 0..bytes.len() {
            let mut decoder = Decoder::default();
            let mut frames = 0;
            let mut rest = &bytes[..part];
            while decoder.next(&mut rest).unwrap().is_some() {
                frames += 1;
            }
            let kept = part - rest.len();
            let mut rest = &bytes[kept..];
            while decoder.next(&mut rest).unwrap().is_some() {
                frames += 1;
            }
            assert_eq!((frames, rest.len()), (2, 0), "{part}");
        }
    }

    #[test]
    fn another_status_or_accept_is_an_error() {
        for bytes in [
            answer("503 Service Unavailable", ACCEPT),
            answer("101 Switching Protocols", "x"),
        ] {
            assert!(Decoder::default().next(&mut &bytes[..]).is_err());
        }
    }
}
