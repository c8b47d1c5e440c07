//! What the playground's buttons do to the conversation and to its agents.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::agent::PlaygroundAgent;
use super::broker::Broker;
use super::denied::Denied;
use super::error::PlaygroundError;
use super::{CUT_LIMIT, Playground};
use crate::cli::publish::new_message_id;
use crate::conversation::{Decoder, Kind, Selection, rfc3339};
use crate::socketio::Sockets;
use crate::source::counts::EventCounts;
use crate::source::relay;
use crate::trace::Span;

/// How many messages more than the window holds are published to outrun an agent.
const BEYOND_THE_WINDOW: usize = 20;
/// A window that holds more is not outrun: it would take more than a moment.
const OUTRUN_LIMIT: usize = 5_000;
/// How long an agent stays away once it has been outrun: a countdown is to be seen.
const AWAY_AFTERWARDS: Duration = Duration::from_secs(4);

/// The playground, and what it acts on.
pub(super) struct Stage {
    pub(super) playground: Playground,
    pub(super) denied: Arc<Denied>,
    pub(super) broker: Broker,
    pub(super) sockets: Arc<Sockets>,
}

impl Stage {
    /// Publishes more than the window holds while the agents cannot read along.
    pub(super) async fn outrun(
        &self,
        agents: &[PlaygroundAgent],
    ) -> Result<Value, PlaygroundError> {
        let window = self.playground.window;
        let count = window + BEYOND_THE_WINDOW;
        if count > OUTRUN_LIMIT {
            return Err(PlaygroundError::invalid(format!(
                "the window keeps {window} events (REPLAY_MAX_EVENTS): too many to outrun here"
            )));
        }
        let connections = self.cut(agents, Duration::from_secs(CUT_LIMIT.into()));
        let published = self.burst(count).await;
        self.deny(agents, AWAY_AFTERWARDS);
        published?;
        Ok(json!({ "connections": connections, "published": count, "window": window }))
    }

    /// Publishes an event through the broker; answers its messageId.
    pub(super) async fn deliver(
        &self,
        kind: Kind,
        payload: Map<String, Value>,
    ) -> Result<String, PlaygroundError> {
        let (message_id, payload) = dated(payload)?;
        let key = &self.playground.key;
        let mut body = payload;
        // Last, so that nothing is published into another conversation.
        body.insert("tenantId".to_owned(), key.tenant.as_str().into());
        body.insert(
            "conversationId".to_owned(),
            key.conversation.as_str().into(),
        );
        let body = Value::Object(body).to_string();
        self.broker.publish(kind, key, body.as_bytes()).await?;
        Ok(message_id)
    }

    /// Gives the relay what an agent has written; answers its messageId.
    pub(super) async fn relay(
        &self,
        payload: Map<String, Value>,
    ) -> Result<String, PlaygroundError> {
        let (message_id, payload) = dated(payload)?;
        let key = &self.playground.key;
        let emit = json!({
            "tenantId": key.tenant.as_str(),
            "conversationId": key.conversation.as_str(),
            "event": "outbound_message",
            "eventId": message_id,
            "payload": payload,
        });
        let (decoder, counts) = (Decoder::default(), EventCounts::default());
        let mut span = Span::of_request("POST", "/internal/emit", None);
        relay::emit(
            &self.playground.journal,
            &decoder,
            &counts,
            emit.to_string().as_bytes(),
            &mut span,
        )
        .await?;
        Ok(message_id)
    }

    async fn burst(&self, count: usize) -> Result<(), PlaygroundError> {
        for number in 1..=count {
            let text = format!("Message {number} of {count}");
            let payload = Map::from_iter([("text".to_owned(), text.into())]);
            self.deliver(Kind::InboundMessage, payload).await?;
        }
        Ok(())
    }

    /// Closes agents' sessions and denies their connects for so long; answers how many there were.
    pub(super) fn cut(&self, agents: &[PlaygroundAgent], time: Duration) -> usize {
        // Denied first, or a quick client would be back at once.
        self.deny(agents, time);
        let key = &self.playground.key;
        let close = |agent: &PlaygroundAgent| {
            self.sockets.close_sessions(&Selection {
                tenant: key.tenant.clone(),
                conversation: Some(key.conversation.clone()),
                agent: Some(agent.id().to_owned()),
            })
        };
        agents.iter().map(close).sum()
    }

    fn deny(&self, agents: &[PlaygroundAgent], time: Duration) {
        let until = Instant::now() + time;
        for agent in agents {
            let key = &self.playground.key;
            self.denied.until(agent.id(), key, until);
        }
    }
}

/// The payload with a messageId, unless it names one, and with the time; the messageId as well.
fn dated(mut payload: Map<String, Value>) -> Result<(String, Map<String, Value>), PlaygroundError> {
    let id = payload
        .entry("messageId")
        .or_insert_with(|| new_message_id().into());
    let id = id
        .as_str()
        .ok_or_else(|| PlaygroundError::invalid("messageId: must be a string"))?
        .to_owned();
    let now = rfc3339(OffsetDateTime::now_utc());
    payload.insert("timestamp".to_owned(), now.into());
    Ok((id, payload))
}
