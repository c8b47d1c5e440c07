//! Probes: events through the exchange, and when they reach the agent.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::time::timeout;

use super::agent::Agent;
use crate::cli::publish::{body, new_message_id};
use crate::cli::report::{Report, State};
use crate::config::Config;
use crate::conversation::{ConversationKey, Delivered, Kind};
use crate::source::amqp::{Circumstances, EventPublisher};

/// How long a probe may take.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(15);

/// Sends one probe to see whether it comes, and then as many as are to be timed.
pub(super) async fn run(
    config: &Config,
    key: &ConversationKey,
    mut agent: Agent,
    samples: u16,
    report: &mut Report,
) {
    let mut publisher = EventPublisher::new(&config.amqp);
    if let Some(mapping) = obstacle(config, key) {
        let detail = format!(
            "AMQP_MAPPING is {mapping}, which makes no event of a probe: it would be a dead letter"
        );
        report.add("probe", State::NotLookedAt, detail);
        report.not_reached("latency");
    } else {
        match probe(&mut publisher, key, &mut agent).await {
            Ok(_) => {
                let detail = "published through the exchange, and received by the agent";
                report.add("probe", State::Ok, detail);
                match times(&mut publisher, key, &mut agent, samples).await {
                    Ok(times) => report.add("latency", State::Ok, described(times)),
                    Err(error) => report.add("latency", State::Failed, format!("{error:#}")),
                }
            }
            Err(error) => {
                report.add("probe", State::Failed, format!("{error:#}"));
                report.not_reached("latency");
            }
        }
    }
    publisher.close().await.ok();
    agent.close().await;
}

/// The mapping's name, if it makes something else of a probe than a probe.
fn obstacle<'a>(config: &'a Config, key: &ConversationKey) -> Option<&'a str> {
    let mapping = config.amqp.mapping.as_deref()?;
    let body = probe_body(key, &new_message_id());
    let delivered = Delivered::now(Kind::InboundMessage, &body);
    let circumstances = Circumstances {
        exchange: &config.amqp.exchange,
        routing_key: Kind::InboundMessage.as_str(),
        queue: &config.amqp.inbound_queue,
        ..Circumstances::default()
    };
    let mapped = mapping.apply(&config.decoder, &delivered, &circumstances);
    let is_kept = mapped.is_ok_and(|mapped| {
        mapped.rejection.is_none()
            && matches!(&mapped.events[..], [decoded] if decoded.event.key == *key)
    });
    (!is_kept).then_some(mapping.name())
}

fn probe_body(key: &ConversationKey, message_id: &str) -> Vec<u8> {
    let text = ("text", Some("a probe of agent-gateway doctor".to_owned()));
    body(key, message_id, vec![text])
}

/// Sends a probe; from its publication to its receipt.
async fn probe(
    publisher: &mut EventPublisher,
    key: &ConversationKey,
    agent: &mut Agent,
) -> anyhow::Result<Duration> {
    let message_id = new_message_id();
    let body = probe_body(key, &message_id);
    let begun = Instant::now();
    let is_confirmed = Cell::new(false);
    let sent = async {
        let published = publisher.publish(Kind::InboundMessage, key, &body).await;
        is_confirmed.set(published.is_ok());
        published.context("the probe was not published")
    };
    let received = async {
        match timeout(RECEIPT_TIMEOUT, agent.receives(&message_id)).await {
            Ok(received) => received,
            Err(_) if !is_confirmed.get() => bail!(
                "the probe was not published: not confirmed within {} s, and the broker takes no \
                 messages while it is short of memory or disk (rabbitmqctl status shows its alarms)",
                RECEIPT_TIMEOUT.as_secs()
            ),
            Err(_) => bail!(
                "published, and not received within {} s: another program consumes the queue \
                 (rabbitmqctl list_consumers), much waits before it (queue_messages_ready), or the \
                 gateway at this URL has another broker or other queues",
                RECEIPT_TIMEOUT.as_secs()
            ),
        }
    };
    // It may be received before the broker has confirmed it.
    let ((), received) = tokio::try_join!(sent, received)?;
    Ok(received - begun)
}

async fn times(
    publisher: &mut EventPublisher,
    key: &ConversationKey,
    agent: &mut Agent,
    samples: u16,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(samples.into());
    for _ in 0..samples {
        times.push(probe(publisher, key, agent).await?);
    }
    Ok(times)
}

/// The median, the 95th percentile and the maximum.
fn described(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).max(1);
        let time = times.get(rank - 1).copied().unwrap_or_default();
        format!("{:.1}", time.as_secs_f64() * 1_000.0)
    };
    format!(
        "from publication to receipt, of {} probes: p50 {} ms, p95 {} ms, max {} ms",
        times.len(),
        at(50),
        at(95),
        at(100)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_samples() {
        let times = |count: u64| (1..=count).rev().map(Duration::from_millis).collect();
        let told = described(times(100));
        assert!(
            told.contains("p50 50.0 ms, p95 95.0 ms, max 100.0 ms"),
            "{told}"
        );
        let told = described(times(1));
        assert!(
            told.contains("p50 1.0 ms, p95 1.0 ms, max 1.0 ms"),
            "{told}"
        );
    }
}
