//! What replicas tell each other of themselves, and what is wrong when they differ.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How often a replica says that it is there.
pub(super) const INTERVAL: Duration = Duration::from_secs(60);

/// A replica that has not said it for so long is gone.
const GONE: Duration = Duration::from_secs(150);

/// A replica, and those of its settings that have to be the same on all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Greeting {
    /// Drawn when it began.
    pub replica: String,
    /// Whether it is about to end.
    #[serde(default)]
    pub leaving: bool,
    /// `AMQP_PREFETCH`: what comes back of a lost connection must fit in front of what is there.
    pub prefetch: u16,
    /// For how long repeats are known, in seconds.
    pub window: u64,
    /// How many events of a conversation are known as repeats.
    pub remembered: usize,
    /// A few bits of what cursors are sealed under.
    pub cursor_key: u32,
    /// A few bits of what tokens are checked with.
    pub tokens: u32,
}

/// The replicas that are there.
#[derive(Debug, Default)]
pub(super) struct Replicas(BTreeMap<String, (Greeting, Instant)>);

impl Replicas {
    /// A replica has said that it is there, or that it leaves.
    pub(super) fn greeted(&mut self, greeting: Greeting, now: Instant) {
        if greeting.leaving {
            self.0.remove(&greeting.replica);
        } else {
            self.0.insert(greeting.replica.clone(), (greeting, now));
        }
    }

    /// Forgets those that are gone.
    pub(super) fn expire(&mut self, now: Instant) {
        self.0
            .retain(|_, (_, seen)| now.saturating_duration_since(*seen) < GONE);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// What another has otherwise than this one.
    pub(super) fn problem(&self, own: &Greeting) -> Option<String> {
        let differences = self.0.values().map(|(other, _)| own.differences(other));
        let mut differences: Vec<_> = differences.flatten().collect();
        differences.sort();
        differences.dedup();
        (!differences.is_empty()).then(|| differences.join("; "))
    }
}

impl Greeting {
    fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.prefetch != other.prefetch {
            differences.push(format!(
                "another replica has AMQP_PREFETCH {}, this one {}: after a failover events may be \
                 out of order",
                other.prefetch, self.prefetch
            ));
        }
        if self.window != other.window {
            differences.push(format!(
                "another replica has REPLAY_WINDOW_SECONDS {}, this one {}: they may differ in what \
                 is a repeat",
                other.window, self.window
            ));
        } else if self.remembered != other.remembered {
            differences.push(
                "another replica has another REPLAY_MAX_EVENTS or AMQP_PREFETCH: they may differ in \
                 what is a repeat"
                    .to_owned(),
            );
        }
        if self.cursor_key != other.cursor_key {
            differences.push(
                "another replica has another CURSOR_SECRET, or derives it from other token secrets: \
                 agents who come from there are reset"
                    .to_owned(),
            );
        }
        if self.tokens != other.tokens {
            differences.push(
                "another replica checks tokens with other secrets or keys: agents may be refused \
                 there"
                    .to_owned(),
            );
        }
        differences
    }
}

/// What a replica with the default settings says.
#[cfg(test)]
pub(crate) fn greeting(replica: &str) -> Greeting {
    Greeting {
        replica: replica.to_owned(),
        leaving: false,
        prefetch: 256,
        window: 600,
        remembered: 4096,
        cursor_key: 1,
        tokens: 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_until_the_other_is_gone() {
        let (own, now) = (greeting("a"), Instant::now());
        let mut replicas = Replicas::default();
        replicas.greeted(own.clone(), now);
        replicas.greeted(greeting("b"), now);
        assert_eq!(replicas.problem(&own), None);
        let other = Greeting {
            prefetch: 64,
            tokens: 3,
            ..greeting("c")
        };
        replicas.greeted(other.clone(), now);
        let problem = replicas.problem(&own).unwrap();
        assert!(
            problem.contains("AMQP_PREFETCH 64, this one 256"),
            "{problem}"
        );
        assert!(problem.contains("checks tokens"), "{problem}");
        let leaving = Greeting {
            leaving: true,
            ..other.clone()
        };
        replicas.greeted(leaving, now);
        assert_eq!(replicas.problem(&own), None);
        replicas.greeted(other, now);
        replicas.expire(now + GONE);
        assert_eq!((replicas.problem(&own), replicas.count()), (None, 0));
    }
}
