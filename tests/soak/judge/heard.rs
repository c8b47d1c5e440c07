//! What the gateway tells a member.

use std::borrow::Cow;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time of the wall's clock, in milliseconds since 1970.
pub(crate) type Millis = i64;

/// What `joined` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Joined {
    pub(crate) tenant_id: String,
    pub(crate) conversation_id: String,
    pub(crate) cursor: String,
    pub(crate) resume: String,
    pub(crate) replaying: usize,
}

/// The first argument of an event.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payload {
    pub(crate) message_id: String,
    pub(crate) text: Option<String>,
    pub(crate) status: Option<String>,
}

/// The second argument of an event.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Meta {
    pub(crate) cursor: String,
    #[serde(deserialize_with = "millis")]
    pub(crate) at: Millis,
    #[serde(default)]
    pub(crate) replayed: bool,
}

fn millis<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    let text: Cow<'_, str> = Deserialize::deserialize(deserializer)?;
    let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
    Ok((at.unix_timestamp_nanos() / 1_000_000) as Millis)
}
