//! What a source applies at a time, and what then goes out together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::conversation::Shared;
use super::member::Outlet;

/// The members whose sockets have something queued that is not on its way: each goes out with one
/// system call, however many events of the batch are in it.
///
/// Whatever is left when a batch is dropped is flushed then.
#[derive(Default)]
pub struct Batch {
    outlets: Vec<Arc<dyn Outlet>>,
    /// How long what is applied now has been on its way; `None`: nobody wants to know.
    arrival: Option<Arrival>,
    /// When those events came that wait to go out.
    waiting: Vec<Instant>,
    /// Where it is noted how long they waited.
    shared: Option<Arc<Shared>>,
}

/// When an event came to this process.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// By the clock that never jumps.
    pub at: Instant,
    /// How long before that it was published, by the publisher's clock, where that is known.
    pub published_before: Option<Duration>,
}

impl Batch {
    /// How many sockets are flushed before the task yields: at about 5 µs each, the others
    /// wait for less than a millisecond.
    const YIELD_EVERY: usize = 128;

    /// What is applied next came like this.
    pub fn arrived(&mut self, arrival: Arrival) {
        self.arrival = Some(arrival);
    }

    /// How long before it came what is applied next was published, where that is known.
    pub fn published_before(&self) -> Option<Duration> {
        self.arrival.and_then(|arrival| arrival.published_before)
    }

    pub(super) fn add(&mut self, outlet: Arc<dyn Outlet>) {
        self.outlets.push(outlet);
    }

    /// An event was offered to its members, and `taken` by so many of their sockets.
    pub(super) fn offered(&mut self, shared: &Arc<Shared>, taken: u64) {
        let Some(arrival) = self.arrival else {
            return;
        };
        let latencies = &shared.counters.latencies;
        let since = arrival.at.elapsed();
        latencies.arrival_to_offer.observe(since);
        if let Some(before) = arrival.published_before {
            latencies.publication_to_offer.observe(before + since);
        }
        if taken > 0 {
            self.waiting.push(arrival.at);
            self.shared.get_or_insert_with(|| shared.clone());
        }
    }

    /// Sends everything that was queued.
    pub async fn flush(&mut self) {
        while self.outlets.len() > Self::YIELD_EVERY {
            let rest = self.outlets.len() - Self::YIELD_EVERY;
            self.outlets.drain(rest..).for_each(|outlet| outlet.flush());
            tokio::task::yield_now().await;
        }
        self.flush_rest();
    }

    fn flush_rest(&mut self) {
        self.outlets.drain(..).for_each(|outlet| outlet.flush());
        let waiting = self.waiting.drain(..);
        if let Some(shared) = &self.shared
            && waiting.len() > 0
        {
            let now = Instant::now();
            let latency = &shared.counters.latencies.arrival_to_socket;
            waiting.for_each(|arrived| latency.observe(now.duration_since(arrived)));
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.flush_rest();
    }
}
