//! An address with gaps for ids.

use std::fmt::{self, Write as _};

use url::{Host, Url};

use super::id::ConversationKey;

/// A URL in which `{tenantId}`, `{conversationId}` and `{mediaId}` stand for what is put there,
/// percent-encoded: an id never becomes another part of the address than the one that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Gap(Gap),
}

/// What is put into a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// `{tenantId}`
    TenantId,
    /// `{conversationId}`
    ConversationId,
    /// `{mediaId}`
    MediaId,
}

impl Gap {
    const ALL: [Self; 3] = [Self::TenantId, Self::ConversationId, Self::MediaId];

    const fn name(self) -> &'static str {
        match self {
            Self::TenantId => "{tenantId}",
            Self::ConversationId => "{conversationId}",
            Self::MediaId => "{mediaId}",
        }
    }
}

impl UrlTemplate {
    /// The longest URL that agents are given, in characters.
    pub const LONGEST: usize = 2048;

    /// Reads a template that has all the gaps of `needed` and no others but those of tenant and
    /// conversation.
    ///
    /// # Errors
    /// What is wrong with it, to be read after its name.
    pub fn parse(text: &str, needed: &[Gap]) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('{') {
            return Err("may have {…} after the host only".to_owned());
        }
        let mut parts = vec![Part::Text(String::new())];
        let mut left = text;
        while let Some(at) = left.find(['{', '}']) {
            let (before, after) = left.split_at(at);
            let gap = Gap::ALL.iter().find(|gap| after.starts_with(gap.name()));
            let known = gap.filter(|gap| **gap != Gap::MediaId || needed.contains(gap));
            let Some(gap) = known else {
                let most = [&[Gap::TenantId, Gap::ConversationId], needed].concat();
                let mut names: Vec<_> = most.into_iter().map(Gap::name).collect();
                names.dedup();
                return Err(format!(
                    "may have no other braces than {}",
                    names.join(", ")
                ));
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Gap(*gap));
            left = &after[gap.name().len()..];
        }
        parts.push(Part::Text(left.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        let template = Self(parts);
        if let Some(missing) = needed.iter().find(|gap| !template.has(**gap)) {
            return Err(format!("must have {} in it", missing.name()));
        }
        let url = Url::parse(&template.filled(|_| "x"));
        let (Ok(url), true) = (
            url,
            scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"),
        ) else {
            return Err("must be an https:// URL".to_owned());
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("may have no white space".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("may have no user or password: every agent's browser gets it".to_owned());
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err("must begin with https://, unless it is on loopback".to_owned());
        }
        Ok(template)
    }

    /// The origin of all its URLs: no gap is before the path.
    pub fn origin(&self) -> String {
        let url = Url::parse(&self.filled(|_| "x"));
        url.map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
    }

    fn has(&self, gap: Gap) -> bool {
        self.0.contains(&Part::Gap(gap))
    }

    /// The URL of a medium of this conversation; `None` where it would be longer than
    /// [`LONGEST`](Self::LONGEST), or where an id is `.` or `..`, which browsers take for a step
    /// within the path however they are written.
    pub fn fill(&self, key: &ConversationKey, media_id: &str) -> Option<String> {
        let value = |gap| match gap {
            Gap::TenantId => key.tenant.as_str(),
            Gap::ConversationId => key.conversation.as_str(),
            Gap::MediaId => media_id,
        };
        let gaps = Gap::ALL.into_iter().filter(|gap| self.has(*gap));
        if gaps.map(value).any(|value| matches!(value, "." | "..")) {
            return None;
        }
        let url = self.filled(value);
        (url.len() <= Self::LONGEST).then_some(url)
    }

    fn filled<'a>(&self, value: impl Fn(Gap) -> &'a str) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Gap(gap) => encode(value(*gap), &mut filled),
            }
        }
        filled
    }
}

impl fmt::Display for UrlTemplate {
    /// As it was read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Gap(gap) => f.write_str(gap.name()),
        })
    }
}

/// Percent-encodes everything but what RFC 3986 calls unreserved.
fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => into.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => into.push(byte.into()),
            // A string takes whatever is written to it.
            byte => drop(write!(into, "%{byte:02X}")),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Id;

    const MEDIA: &[Gap] = &[Gap::MediaId];

    fn filled(template: &str, ids: [&str; 3]) -> Option<String> {
        let [tenant, conversation, media] = ids;
        let key = ConversationKey {
            tenant: Id::parse(tenant).unwrap(),
            conversation: Id::parse(conversation).unwrap(),
        };
        UrlTemplate::parse(template, MEDIA)
            .unwrap()
            .fill(&key, media)
    }

    #[test]
    fn ids_are_percent_encoded_into_their_gaps() {
        for (template, ids, url) in [
            (
                "https://m.test/{tenantId}/{conversationId}/{mediaId}",
                ["a:b", "+1@x=~", "ä/../?#&%"],
                "https://m.test/a%3Ab/%2B1%40x%3D~/%C3%A4%2F..%2F%3F%23%26%25",
            ),
            (
                "http://127.0.0.1:9/?id={mediaId}&id={mediaId}",
                ["t", "c", "{tenantId}"],
                "http://127.0.0.1:9/?id=%7BtenantId%7D&id=%7BtenantId%7D",
            ),
        ] {
            assert_eq!(filled(template, ids).as_deref(), Some(url));
        }
    }

    #[test]
    fn it_is_written_as_it_was_read_and_has_one_origin() {
        for (text, origin) in [
            (
                "https://H.test/{tenantId}/x?c={conversationId}",
                "https://h.test",
            ),
            ("https://h.test:443/{conversationId}", "https://h.test"),
            ("http://[::1]:8/{conversationId}", "http://[::1]:8"),
        ] {
            let template = UrlTemplate::parse(text, &[Gap::ConversationId]).unwrap();
            assert_eq!(template.to_string(), text);
            assert_eq!(template.origin(), origin);
        }
    }

    #[test]
    fn what_would_lead_elsewhere_or_be_too_long_makes_no_url() {
        let all = "https://m.test/{tenantId}/{mediaId}";
        for media in [".", "..", &"x".repeat(2_048), &"/".repeat(700)] {
            assert_eq!(filled(all, ["t", "c", media]), None, "{media}");
        }
        assert_eq!(filled(all, ["..", "c", "m"]), None);
        assert!(filled(all, ["t", "..", "..."]).is_some());
    }

    #[test]
    fn a_template_that_cannot_be_says_why() {
        for (template, why) in [
            ("https://m.test/{tenantId}", "must have {mediaId}"),
            (
                "https://m.test/{mediaId}/{name}",
                "may have no other braces",
            ),
            ("https://m.test/{mediaId}/{", "may have no other braces"),
            ("https://m.test/}{mediaId}", "may have no other braces"),
            ("https://{tenantId}.m.test/{mediaId}", "after the host only"),
            ("http://m.test/{mediaId}", "unless it is on loopback"),
            ("ftp://m.test/{mediaId}", "must be an https:// URL"),
            ("/media/{mediaId}", "must be an https:// URL"),
            ("https://m.test/{mediaId} x", "may have no white space"),
            ("https://me:secret@m.test/{mediaId}", "no user or password"),
        ] {
            let message = UrlTemplate::parse(template, MEDIA).unwrap_err();
            assert!(message.contains(why), "{template}: {message}");
            assert!(!message.contains("secret"), "{message}");
        }
        for template in ["http://localhost/{mediaId}", "http://[::1]:8/{mediaId}"] {
            assert!(UrlTemplate::parse(template, MEDIA).is_ok(), "{template}");
        }
        let message = UrlTemplate::parse("https://m.test/{mediaId}", &[]).unwrap_err();
        assert!(
            message.contains("than {tenantId}, {conversationId}"),
            "{message}"
        );
    }
}
