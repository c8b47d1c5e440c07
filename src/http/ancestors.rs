//! Which pages may have the widget in a frame.

use std::fmt;

use super::origin::Origin;

/// Sources for `frame-ancestors` (CSP Level 3, section 6.4.2): checked, since they go into a header
/// and into the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestors(Vec<String>);

impl Default for Ancestors {
    fn default() -> Self {
        Self(vec![SELF.to_owned()])
    }
}

const SELF: &str = "'self'";
const NONE: &str = "'none'";

impl Ancestors {
    /// The gateway itself, and these.
    pub fn of(origins: &[Origin]) -> Self {
        let others = origins.iter().map(ToString::to_string);
        Self([SELF.to_owned()].into_iter().chain(others).collect())
    }

    /// Reads sources with spaces or commas between them: origins, hosts with or without scheme and
    /// port, `*.` for all below a host, `:*` for any port, `'self'`; or `'none'` alone. A host of
    /// one word needs a scheme, since it is more often a mistake; `localhost` does not.
    ///
    /// # Errors
    /// What is wrong with the first that is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let between = |letter: char| letter == ',' || letter == ' ';
        let sources = text.split(between).filter(|source| !source.is_empty());
        let sources: Vec<_> = sources.map(str::to_owned).collect();
        if sources.is_empty() {
            return Err("must name at least one, or be 'none'".to_owned());
        }
        if sources.len() > 1 && sources.iter().any(|source| source == NONE) {
            return Err("'none' must be alone".to_owned());
        }
        for (number, source) in (1..).zip(&sources) {
            // By its number: nobody knows what has been written here by mistake.
            check(source).map_err(|reason| format!("source {number}: {reason}"))?;
        }
        Ok(Self(sources))
    }

    /// The header from before `frame-ancestors`, if it can say the same.
    pub(super) fn frame_options(&self) -> Option<&'static str> {
        match &*self.0 {
            [one] if one == SELF => Some("SAMEORIGIN"),
            [one] if one == NONE => Some("DENY"),
            _ => None,
        }
    }
}

impl fmt::Display for Ancestors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

fn check(source: &str) -> Result<(), &'static str> {
    match source {
        SELF | NONE => return Ok(()),
        "self" | "none" => return Err("'self' and 'none' are written with single quotes"),
        "*" | "http:" | "https:" | "http://*" | "https://*" => {
            return Err("any page could have the widget in a frame: name the hosts");
        }
        _ => {}
    }
    let (scheme, rest) = match source.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, source),
    };
    let host = rest.strip_suffix(":*").unwrap_or(rest);
    let host = host.strip_prefix("*.").unwrap_or(host);
    // What is left has to be a host, and perhaps a port.
    let origin = Origin::parse(&format!("{}://{host}", scheme.unwrap_or("http")));
    let origin = origin.map_err(|_| FORM)?;
    // A WebSocket's address is no page's.
    if scheme.is_some_and(|scheme| ["ws", "wss"].contains(&&*scheme.to_ascii_lowercase())) {
        return Err(FORM);
    }
    let is_word = !rest.contains(['.', '[']) && origin.host() != "localhost";
    if scheme.is_none() && is_word {
        return Err("a host of one word is written with its scheme, such as https://intranet");
    }
    Ok(())
}

const FORM: &str = "must be an origin such as https://portal.example.com or \
    https://*.example.com, 'self', or 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_taken_as_a_policy_has_them() {
        for (text, written, options) in [
            ("'self'", "'self'", Some("SAMEORIGIN")),
            ("'none'", "'none'", Some("DENY")),
            ("https://a.example", "https://a.example", None),
            (
                "'self', https://*.a.example:*,b.example http://localhost:3000",
                "'self' https://*.a.example:* b.example http://localhost:3000",
                None,
            ),
            (
                "capacitor://localhost https://intranet localhost:3000 *.example 10.0.0.1",
                "capacitor://localhost https://intranet localhost:3000 *.example 10.0.0.1",
                None,
            ),
        ] {
            let ancestors = Ancestors::parse(text).unwrap();
            assert_eq!(ancestors.to_string(), written);
            assert_eq!(ancestors.frame_options(), options, "{text}");
        }
        let allowed = ["https://A.example:443", "wss://b.example", "app://Main"];
        let allowed = allowed.map(|origin| Origin::parse(origin).unwrap());
        assert_eq!(
            Ancestors::of(&allowed).to_string(),
            "'self' https://a.example https://b.example app://main"
        );
        assert_eq!(Ancestors::of(&[]), Ancestors::default());
    }

    #[test]
    fn nothing_else_gets_into_the_header() {
        for text in [
            "",
            " ,",
            "self",
            "none",
            "*",
            "https:",
            "https://*",
            "'none' 'self'",
            "'unsafe-inline'",
            "a.example; script-src *",
            "a.example;script-src",
            "a.example\nx: y",
            "a.example\t",
            "https://a.example/path",
            "https://user@a.example",
            "ws://a.example",
            "foo",
            "foo bar",
            "'foo bar'",
            "intranet:8080",
            "intranet:*",
            "foo https://a.example",
            "file://a.example",
            "app:",
            "javascript://a.example",
            "https://*a.example",
            "https://a.*.example",
            "https://a.example:x",
            "https://ä.example",
            "\"><script>",
        ] {
            assert!(Ancestors::parse(text).is_err(), "{text}");
        }
    }
}
