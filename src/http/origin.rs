//! An origin, as a browser names the page that a request comes from.

use std::fmt;
use std::net::Ipv6Addr;

/// An origin: scheme, host and port (RFC 6454). Compared as a whole, never by its beginning or end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    /// Of http and https the default one if it is not written.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    /// An app's own, in lower case, such as `capacitor`.
    Custom(String),
}

/// Not an origin as a browser would write it, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// All that has no origin says so.
    #[error("null is what sandboxed frames and files of any site say of themselves")]
    Null,
    /// A scheme whose pages have no origin of their own, or only another page's.
    #[error("pages of file:, data:, javascript:, blob: and the like have no origin of their own")]
    Opaque,
    /// Something is missing, or there is more, such as a path or a user.
    #[error("it is a scheme, ://, a host, perhaps a port, and no path")]
    Form,
}

/// Schemes whose pages browsers give the origin `null`, or that of the page that made them.
const OPAQUE: [&str; 6] = ["about", "blob", "data", "file", "filesystem", "javascript"];

impl Origin {
    /// Reads `scheme://host[:port]`; the case of letters does not matter. `ws` and `wss` count as
    /// `http` and `https`: some clients on phones name their WebSocket's own address. Every other
    /// scheme (RFC 3986, section 3.1) is an app's own.
    ///
    /// # Errors
    /// There is anything else, such as a path or a user; or no such page has an origin.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        if text.eq_ignore_ascii_case("null") {
            return Err(InvalidOrigin::Null);
        }
        let (scheme, rest) = text.split_once(':').ok_or(InvalidOrigin::Form)?;
        let scheme = Scheme::parse(scheme)?;
        let rest = rest.strip_prefix("//").ok_or(InvalidOrigin::Form)?;
        let (host, port) = host_and_port(rest).ok_or(InvalidOrigin::Form)?;
        let port = port.or(scheme.default_port());
        Ok(Self { scheme, host, port })
    }

    /// Whether it is one of a page that came over TLS; nothing if it is an app's.
    pub(super) fn secure(&self) -> Option<bool> {
        match self.scheme {
            Scheme::Http => Some(false),
            Scheme::Https => Some(true),
            Scheme::Custom(_) => None,
        }
    }

    /// Its host, in lower case.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Its port, written or not.
    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether its port is the one that its scheme has when none is written.
    pub(super) fn has_default_port(&self) -> bool {
        self.port == self.scheme.default_port()
    }
}

impl Scheme {
    fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let mut bytes = text.bytes();
        let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
        if !begins || !bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            return Err(InvalidOrigin::Form);
        }
        let name = text.to_ascii_lowercase();
        match name.as_str() {
            "http" | "ws" => Ok(Self::Http),
            "https" | "wss" => Ok(Self::Https),
            opaque if OPAQUE.contains(&opaque) => Err(InvalidOrigin::Opaque),
            _ => Ok(Self::Custom(name)),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Custom(name) => name,
        }
    }

    fn default_port(&self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Custom(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.host)?;
        match self.port {
            Some(port) if !self.has_default_port() => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

/// Reads `host[:port]`; the host in lower case.
pub(super) fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            let host: Ipv6Addr = host.parse().ok()?;
            (format!("[{host}]"), port)
        }
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if host.is_empty() || !host.bytes().all(is_name) {
                return None;
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    let Some(port) = port.strip_prefix(':') else {
        return port.is_empty().then_some((host, None));
    };
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((host, Some(port.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_a_browser_writes_it() {
        for (text, written) in [
            ("HTTPS://A.example:443", "https://a.example"),
            ("http://a.example:443", "http://a.example:443"),
            ("http://[::0:1]:80", "http://[::1]"),
            ("ws://a.example:80", "http://a.example"),
            ("WSS://a.example:444", "https://a.example:444"),
            ("Capacitor://LocalHost", "capacitor://localhost"),
            ("tauri://localhost:80", "tauri://localhost:80"),
            ("app://-", "app://-"),
            ("x-my.app+1://main", "x-my.app+1://main"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_has_no_origin_of_its_own_is_none() {
        for text in ["null", "NULL"] {
            assert_eq!(Origin::parse(text), Err(InvalidOrigin::Null), "{text}");
        }
        for text in [
            "file://",
            "file://host",
            "data:text/html,x",
            "javascript://x",
            "blob:https://a.example/1",
            "about:blank",
            "FileSystem:https://a.example",
        ] {
            assert_eq!(Origin::parse(text), Err(InvalidOrigin::Opaque), "{text}");
        }
        for text in [
            "*",
            "a.example",
            "app:",
            "app:/x",
            "app://",
            "app://x/",
            "app://u@x",
            "1app://x",
            "ä://x",
            "://x",
            "a b://x",
            "app://x:",
            "app://x:70000",
        ] {
            assert_eq!(Origin::parse(text), Err(InvalidOrigin::Form), "{text}");
        }
    }
}
