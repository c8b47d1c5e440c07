//! A conversation to look at: the customer's side and the ticks come through the broker, as from
//! the webhook service; the agent's side comes by the relay, as from the portal.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use tracing::{info, warn};

use super::publish::{body, new_message_id};
use crate::conversation::{ConversationKey, Decoder, Kind};
use crate::journal::Journal;
use crate::source::amqp::{EventPublisher, Settings};
use crate::source::counts::EventCounts;
use crate::source::relay;
use crate::trace::Span;

/// What happens, one after the other.
enum Scene {
    Customer(&'static str),
    Picture(&'static str, &'static str),
    Agent(&'static str),
    /// A tick for what the agent said last.
    Tick(&'static str),
}

use Scene::{Agent, Customer, Picture, Tick};

const SCRIPT: &[Scene] = &[
    Customer("Hi! I ordered a lamp last week (order 4711). Has it been shipped?"),
    Agent("Hello Maria, let me look that up for you."),
    Tick("sent"),
    Tick("delivered"),
    Tick("read"),
    Customer("Thank you 🙏"),
    Agent(
        "It left our warehouse this morning. You can follow it here:\nhttps://tracking.example.com/4711",
    ),
    Tick("sent"),
    Tick("delivered"),
    Customer("Perfect. One more thing: the one I got last time had a scratch, see the invoice."),
    Picture(
        "https://files.example.com/invoice-4302.pdf",
        "application/pdf",
    ),
    Tick("read"),
    Agent("I am sorry about that. I have added a voucher to your account."),
    Tick("sent"),
    Tick("delivered"),
    Tick("read"),
    Customer("That was quick! Have a nice day ☀️"),
];

/// From one scene to the next.
const PAUSE: Duration = Duration::from_millis(1500);
/// From the end to the next beginning.
const INTERMISSION: Duration = Duration::from_secs(30);
/// Until the broker is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Plays the script until the process ends.
pub(super) async fn play(settings: Settings, journal: Arc<Journal>, key: ConversationKey) {
    loop {
        match round(&settings, &journal, &key).await {
            Ok(()) => sleep(INTERMISSION).await,
            Err(error) => {
                warn!(%error, "the demo waits for the broker");
                sleep(RETRY).await;
            }
        }
    }
}

async fn round(
    settings: &Settings,
    journal: &Journal,
    key: &ConversationKey,
) -> anyhow::Result<()> {
    let mut publisher = EventPublisher::connect(settings).await?;
    info!("the demo begins");
    let mut last = new_message_id();
    for scene in SCRIPT {
        sleep(PAUSE).await;
        let from = ("from", Some("4915112345678".to_owned()));
        let text = |text: &str| Some(text.to_owned());
        match scene {
            Customer(words) => {
                let body = body(key, &new_message_id(), vec![("text", text(words)), from]);
                publisher.publish(Kind::InboundMessage, key, &body).await?;
            }
            Picture(url, kind) => {
                let media = vec![("mediaUrl", text(url)), ("mediaType", text(kind)), from];
                let body = body(key, &new_message_id(), media);
                publisher.publish(Kind::InboundMessage, key, &body).await?;
            }
            Agent(words) => {
                last = new_message_id();
                let emit = json!({
                    "tenantId": key.tenant.as_str(),
                    "conversationId": key.conversation.as_str(),
                    "event": "outbound_message",
                    "eventId": last,
                    "payload": {
                        "messageId": last,
                        "text": words,
                        "timestamp": crate::conversation::rfc3339(time::OffsetDateTime::now_utc()),
                    },
                });
                let (decoder, counts) = (Decoder::default(), EventCounts::default());
                let mut span = Span::of_request("POST", "/internal/emit", None);
                relay::emit(
                    journal,
                    &decoder,
                    &counts,
                    emit.to_string().as_bytes(),
                    &mut span,
                )
                .await?;
            }
            Tick(status) => {
                let body = body(key, &last, vec![("status", text(status))]);
                publisher.publish(Kind::StatusUpdate, key, &body).await?;
            }
        }
    }
    publisher.close().await?;
    Ok(())
}
