//! How many messages wait in the queues, as the broker tells whoever asks for a queue that is there.

use std::convert::Infallible;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::time::{MissedTickBehavior, interval};

use super::counts::Depth;
use super::status::{BrokerStatus, DEAD_LETTER_QUEUE, INBOUND_QUEUE, STATUS_QUEUE};
use super::watchdog::INTERVAL;
use crate::broker::{BrokerConnection, Topology};

/// Asks again and again, for as long as the connection lives: more often than most scrape, and three
/// small questions.
pub(super) async fn watch(
    connection: &BrokerConnection,
    topology: &Topology,
    status: &BrokerStatus,
) -> Infallible {
    let queues = [
        (INBOUND_QUEUE, &topology.inbound),
        (STATUS_QUEUE, &topology.status),
        (DEAD_LETTER_QUEUE, &topology.dead_letters),
    ];
    let mut every = interval(INTERVAL);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kept: Option<Channel> = None;
    loop {
        every.tick().await;
        for (part, queue) in queues {
            let asked = async {
                let channel = match kept.take() {
                    Some(channel) => channel,
                    None => connection.channel().await.ok()?,
                };
                let depth = depth(&channel, &queue.name).await.ok()?;
                Some((channel, depth))
            };
            // A queue that is not there ends the channel; whose fault that is, readiness tells.
            let asked = connection.within(async { Ok(asked.await) }).await;
            let (channel, depth) = asked.ok().flatten().unzip();
            kept = channel;
            status.counts().depths.set(part, depth);
        }
    }
}

async fn depth(channel: &Channel, queue: &str) -> lapin::Result<Depth> {
    let options = QueueDeclareOptions {
        passive: true,
        ..Default::default()
    };
    let declared = channel
        .queue_declare(queue.into(), options, FieldTable::default())
        .await?;
    Ok(Depth {
        ready: declared.message_count(),
        consumers: declared.consumer_count(),
    })
}
