//! Who reads the playground's conversation.

use serde::Deserialize;

/// Who reads along.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reader {
    Ada,
    Grace,
    /// The page itself, which wants to know what there is to tick.
    Playground,
}

impl Reader {
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Ada => "ada",
            Self::Grace => "grace",
            Self::Playground => "playground",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ada => "Ada",
            Self::Grace => "Grace",
            Self::Playground => "Playground",
        }
    }
}
