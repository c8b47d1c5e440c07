//! What a source applies at a time, and what then goes out together.

use std::sync::Arc;

use super::member::Outlet;

/// The members whose sockets have something queued that is not on its way: each goes out with one
/// system call, however many events of the batch are in it.
///
/// Whatever is left when a batch is dropped is flushed then.
#[derive(Default)]
pub struct Batch(Vec<Arc<dyn Outlet>>);

impl Batch {
    /// How many sockets are flushed before the task yields: at about 5 µs each, the others
    /// wait for less than a millisecond.
    const YIELD_EVERY: usize = 128;

    pub(super) fn add(&mut self, outlet: Arc<dyn Outlet>) {
        self.0.push(outlet);
    }

    /// Sends everything that was queued.
    pub async fn flush(&mut self) {
        while self.0.len() > Self::YIELD_EVERY {
            let rest = self.0.len() - Self::YIELD_EVERY;
            self.0.drain(rest..).for_each(|outlet| outlet.flush());
            tokio::task::yield_now().await;
        }
        self.0.drain(..).for_each(|outlet| outlet.flush());
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|outlet| outlet.flush());
    }
}
