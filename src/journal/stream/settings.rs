//! Which stream it is, and how it is declared.

use std::time::Duration;

use super::greeting::Greeting;
use crate::broker::{Argument, BrokerConnection, BrokerError, Queue, SharedUri, Topology};
use crate::conversation::WindowLimits;

/// The least time for which records are kept.
const LEAST_AGE: Duration = Duration::from_secs(3600);

/// The size of a segment, in bytes: the broker drops whole ones. Small ones mean little that is kept
/// for nothing, and a few more files.
const SEGMENT: i64 = 32_000_000;

/// The arguments that may be otherwise: a stream that keeps more or less is one all the same.
const OF_RETENTION: [&str; 4] = [
    "x-max-age",
    "x-max-length-bytes",
    "x-stream-max-segment-size-bytes",
    "x-initial-cluster-size",
];

/// The stream, and what replicas must have in common.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// The broker.
    pub uri: SharedUri,
    /// The stream's name.
    pub stream: String,
    /// Whether the gateway declares it.
    pub declare: bool,
    /// How long an event is kept and known.
    pub age: Duration,
    /// This replica.
    pub greeting: Greeting,
}

impl StreamSettings {
    /// How far back a replica reads that knows nothing: over the window, over the time before it from
    /// which repeats of what it holds are known, and over what the clocks of those who write may be
    /// apart, before and after.
    pub fn reach(&self) -> Duration {
        2 * self.age + 2 * WindowLimits::SKEW
    }

    /// What it is called in errors.
    pub(super) fn object(&self) -> String {
        format!("queue {}", self.stream)
    }

    fn queue(&self) -> Queue {
        let age = (2 * self.reach()).max(LEAST_AGE);
        Queue {
            name: self.stream.clone(),
            arguments: vec![
                ("x-queue-type", Argument::Text("stream".to_owned())),
                ("x-max-age", Argument::Text(format!("{}s", age.as_secs()))),
                ("x-stream-max-segment-size-bytes", Argument::Number(SEGMENT)),
            ],
            bindings: Vec::new(),
        }
    }

    /// The stream is there; whether it was made just now.
    pub(super) async fn ensure(&self, connection: &BrokerConnection) -> Result<bool, BrokerError> {
        let queue = self.queue();
        let ensured = Topology::ensure(&queue, self.declare, connection).await;
        match ensured {
            Ok(existed) => Ok(!existed),
            Err(BrokerError::Differs {
                difference: Some(difference),
                ..
            }) if OF_RETENTION.contains(&&*difference.name) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
