//! A consumer's deliveries, and how they are requeued.

use futures_util::StreamExt as _;
use lapin::Channel;
use lapin::message::Delivery;
use tokio::runtime::Handle;

/// What a queue delivers. What is not acknowledged when this is dropped is requeued in its order.
pub(super) struct Deliveries {
    /// Taken only when this is dropped.
    consumer: Option<lapin::Consumer>,
    /// What was waited for and not taken yet.
    first: Option<Option<lapin::Result<Delivery>>>,
    pub(super) channel: Channel,
}

impl Deliveries {
    pub(super) fn new(consumer: lapin::Consumer, channel: Channel) -> Self {
        Self {
            consumer: Some(consumer),
            first: None,
            channel,
        }
    }

    pub(super) async fn next(&mut self) -> Option<lapin::Result<Delivery>> {
        match self.first.take() {
            Some(first) => first,
            None => self.consumer.as_mut()?.next().await,
        }
    }

    /// Waits until there is one to take.
    pub(super) async fn first(&mut self) {
        if self.first.is_none()
            && let Some(consumer) = &mut self.consumer
        {
            self.first = Some(consumer.next().await);
        }
    }

    /// Closes the channel, which requeues what is not acknowledged.
    pub(super) async fn close(&mut self) -> lapin::Result<()> {
        self.channel.close(200, "requeued".into()).await
    }
}

impl Drop for Deliveries {
    /// The library would cancel the consumer and then close the channel. In between, the next of a
    /// queue's consumers takes over, and gets what comes after these deliveries before them.
    fn drop(&mut self) {
        let (consumer, channel) = (self.consumer.take(), self.channel.clone());
        if let Ok(runtime) = Handle::try_current()
            && channel.status().connected()
        {
            runtime.spawn(async move {
                channel.close(200, "requeued".into()).await.ok();
                drop(consumer);
            });
        }
    }
}
