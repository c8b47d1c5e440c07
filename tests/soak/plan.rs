//! What is decided before the run: by the environment, and by the seed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::judge::{Kept, Millis};
use super::script::Conversation;

/// The heartbeat, which is short enough for stalls to be longer.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(3);
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the window reaches, in seconds. It outlasts what the longest fault keeps from being
/// acknowledged, because repeats are recognised for so long.
const WINDOW: u64 = 45;

/// A repeat is published at most this long after the original, and with at most so many
/// deliveries of its queue and conversation between them.
pub(crate) const REPEAT_WITHIN: Duration = Duration::from_secs(10);
pub(crate) const REPEAT_REACH: usize = 200;

/// The largest burst, in deliveries. The two queues of a conversation may run a burst and an outage
/// apart, and still be within the 4,096 events for which repeats are recognised.
pub(crate) const BURST: u32 = 1_500;

/// How many events of a conversation the gateways keep for replay: few enough that members who are
/// away or slow miss something.
const REPLAYED: usize = 100;

/// The same in a drill, in which nobody is to miss anything.
const REPLAYED_IN_A_DRILL: usize = 1_000;

/// How often a drill kills a replica.
pub(crate) const KILL_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) duration: Duration,
    pub(crate) members: usize,
    /// How many gateways share the journal's stream; `None`: `JOURNAL=memory`, one gateway.
    pub(crate) replicas: Option<usize>,
    /// How many servers RabbitMQ has: 1, or the 3 of scripts/cluster.
    pub(crate) brokers: usize,
    /// Members come by way of nginx.
    pub(crate) nginx: bool,
    /// A drill: so many events at a steady pace, a replica killed every ten seconds, and members that
    /// never leave by themselves, each of which has to have all of them.
    pub(crate) drill: Option<usize>,
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
        let replicas = number("SOAK_REPLICAS", 1)? as usize;
        let replicas = match &*variable("SOAK_JOURNAL") {
            "" | "memory" if replicas == 1 => None,
            "" | "memory" => return Err("several REPLICAS need JOURNAL=stream".to_owned()),
            "stream" if (1..=9).contains(&replicas) => Some(replicas),
            "stream" => return Err(format!("REPLICAS is 1 to 9, not {replicas}")),
            other => return Err(format!("JOURNAL is memory or stream, not {other:?}")),
        };
        let brokers = number("SOAK_BROKERS", 1)? as usize;
        if ![1, 3].contains(&brokers) {
            return Err(format!("BROKERS is 1 or 3, not {brokers}"));
        }
        let nginx = match &*variable("SOAK_PROXY") {
            "" => false,
            "nginx" => true,
            other => return Err(format!("PROXY is nginx or nothing, not {other:?}")),
        };
        let drill = match number("SOAK_EVENTS", 0)? as usize {
            0 => None,
            events => Some(events),
        };
        if replicas.is_none() && (brokers > 1 || nginx || drill.is_some()) {
            return Err("BROKERS, PROXY and EVENTS need JOURNAL=stream".to_owned());
        }
        if nginx && (replicas != Some(3) || drill.is_none()) {
            return Err(
                "PROXY=nginx needs REPLICAS=3, as many as are in its example, and EVENTS"
                    .to_owned(),
            );
        }
        let program = match &*variable("SOAK_PROGRAM") {
            "" => env!("CARGO_BIN_EXE_agent-gateway").into(),
            other => other.into(),
        };
        Ok(Self {
            seed,
            duration: Duration::from_secs(number("SOAK_SECONDS", 120)?),
            members: number("SOAK_MEMBERS", 40)? as usize,
            replicas,
            brokers,
            nginx,
            drill,
            program,
            without,
            // A queue that is to outlive its server has to be a quorum queue.
            queue_type: if seed.is_multiple_of(4) && brokers == 1 {
                "classic"
            } else {
                "quorum"
            },
            prefetch: [16, 64, 256][seed as usize % 3],
        })
    }

    /// What stands between the publishers and the members.
    pub(crate) fn journal(&self) -> String {
        let servers = match self.brokers {
            1 => "one RabbitMQ server",
            _ => "three RabbitMQ servers",
        };
        let proxy = if self.nginx { " behind nginx" } else { "" };
        match self.replicas {
            None => "one gateway".to_owned(),
            Some(replicas) => format!("{replicas} replicas{proxy}, {servers}"),
        }
    }

    /// `REPLAY_MAX_EVENTS`.
    pub(crate) fn replayed(&self) -> usize {
        match self.drill {
            Some(_) => REPLAYED_IN_A_DRILL,
            None => REPLAYED,
        }
    }

    /// What replicas that share a stream keep for replay.
    pub(crate) fn kept(&self) -> Option<Kept> {
        self.replicas.map(|_| Kept {
            age: self.window() as Millis * 1_000,
            events: self.replayed(),
        })
    }

    /// `REPLAY_WINDOW_SECONDS`. A server of RabbitMQ that comes back takes its time.
    pub(crate) const fn window(&self) -> u64 {
        match self.brokers {
            1 => WINDOW,
            _ => 2 * WINDOW,
        }
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
        if let Some(replicas) = self.replicas {
            command += &format!(" REPLICAS={replicas} JOURNAL=stream");
        }
        if self.brokers > 1 {
            command += &format!(" BROKERS={}", self.brokers);
        }
        if self.nginx {
            command += " PROXY=nginx";
        }
        if let Some(events) = self.drill {
            command += &format!(" EVENTS={events}");
        }
        if !self.without.is_empty() {
            command += &format!(" WITHOUT={}", self.without.join(","));
        }
        command
    }

    /// Names that could be taken for one another. In one conversation little happens, so that events leave
    /// its window for their age alone, and the last is silent for longer than the window reaches.
    pub(crate) fn conversations() -> Vec<Conversation> {
        [
            ("acme", "c-1"),
            ("acme", "c-2"),
            ("other", "c-1"),
            ("a", "b.c"),
            ("a.b", "c"),
            ("T~:@+=-_.", "+34@s.whatsapp.net"),
            ("acme", "slow"),
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
