//! What is decided before the run: by the environment, and by the seed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::script::Conversation;

/// The heartbeat, which is short enough for stalls to be longer.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(3);
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the window reaches, in seconds. It outlasts what the longest fault keeps from being
/// acknowledged, because repeats are recognised for so long.
pub(crate) const WINDOW: u64 = 45;

/// A repeat is published at most this long after the original, and with at most so many
/// deliveries of its queue and conversation between them.
pub(crate) const REPEAT_WITHIN: Duration = Duration::from_secs(10);
pub(crate) const REPEAT_REACH: usize = 200;

/// The largest burst, in deliveries. The two queues of a conversation may run a burst and an outage
/// apart, and still be within the 4,096 events for which repeats are recognised.
pub(crate) const BURST: u32 = 1_500;

pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) duration: Duration,
    pub(crate) members: usize,
    /// The gateway.
    pub(crate) program: PathBuf,
    /// What is left out, to find out what a failure needs: `restarts`, `broker`, `clients`.
    without: Vec<String>,
    pub(crate) queue_type: &'static str,
    /// The same for all process generations of the gateway: a quorum queue puts what is given back behind what
    /// was given back before, which stays in order only if the next one takes all of that.
    pub(crate) prefetch: u16,
}

impl Plan {
    /// From the variables that `make soak` sets.
    pub(crate) fn from_env() -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let number = |name: &str, default: u64| match &*variable(name) {
            "" => Ok(default),
            text => text
                .parse()
                .map_err(|_| format!("{name} is not a number: {text:?}")),
        };
        let seed = number("SOAK_SEED", rand::random::<u64>() % 1_000_000)?;
        let without = variable("SOAK_WITHOUT");
        let without: Vec<_> = without.split_terminator(',').map(str::to_owned).collect();
        for faults in &without {
            if !["restarts", "broker", "clients"].contains(&&**faults) {
                return Err(format!(
                    "SOAK_WITHOUT names restarts, broker and clients, not {faults:?}"
                ));
            }
        }
        let program = match &*variable("SOAK_PROGRAM") {
            "" => env!("CARGO_BIN_EXE_agent-gateway").into(),
            other => other.into(),
        };
        Ok(Self {
            seed,
            duration: Duration::from_secs(number("SOAK_SECONDS", 120)?),
            members: number("SOAK_MEMBERS", 40)? as usize,
            program,
            without,
            queue_type: if seed.is_multiple_of(4) {
                "classic"
            } else {
                "quorum"
            },
            prefetch: [16, 64, 256][seed as usize % 3],
        })
    }

    pub(crate) fn has(&self, faults: &str) -> bool {
        !self.without.iter().any(|without| without == faults)
    }

    /// The decisions of one part of the run: however the parts meet, each decides the same.
    pub(crate) fn chance(&self, part: &str, number: usize) -> StdRng {
        let mut hasher = DefaultHasher::new();
        (self.seed, part, number).hash(&mut hasher);
        StdRng::seed_from_u64(hasher.finish())
    }

    /// How to run the same decisions again.
    pub(crate) fn replay(&self) -> String {
        let mut command = format!(
            "make soak SEED={} SECONDS={} MEMBERS={}",
            self.seed,
            self.duration.as_secs(),
            self.members
        );
        if !self.without.is_empty() {
            command += &format!(" WITHOUT={}", self.without.join(","));
        }
        command
    }

    /// Names that could be taken for one another; the last conversation is silent for longer than
    /// the window reaches.
    pub(crate) fn conversations() -> Vec<Conversation> {
        [
            ("acme", "c-1"),
            ("acme", "c-2"),
            ("other", "c-1"),
            ("a", "b.c"),
            ("a.b", "c"),
            ("T~:@+=-_.", "+34@s.whatsapp.net"),
            ("acme", "quiet"),
        ]
        .into_iter()
        .enumerate()
        .map(|(tag, (tenant, id))| Conversation::new(tag, tenant, id))
        .collect()
    }
}

/// A time between the two, any as likely as any other.
pub(crate) fn between(chance: &mut StdRng, from: Duration, upto: Duration) -> Duration {
    from + (upto - from).mul_f64(chance.random())
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
