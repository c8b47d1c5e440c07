//! The agents of the playground's conversation.

use serde::Deserialize;

/// An agent.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PlaygroundAgent {
    Ada,
    Grace,
    /// The page itself, which wants to know what there is to tick.
    Playground,
}

impl PlaygroundAgent {
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
