//! Connecting to the broker.

use std::fmt::Display;
use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::time::timeout;

use super::Settings;

/// A broker that takes the connection and then says nothing is given up after this time. So is a
/// declaration: a broker that has just come back can leave that of a replicated queue unanswered,
/// heartbeats and all.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often each side shows that it is there, in seconds, when the URL does not say. RabbitMQ
/// recommends 5 to 20 (<https://www.rabbitmq.com/docs/heartbeats>).
const HEARTBEAT: u16 = 10;

/// Opens a connection that the broker lists under `agent-gateway` and `purpose`.
pub(super) async fn connect(settings: &Settings, purpose: &str) -> Result<Connection, String> {
    let mut uri = (*settings.uri.get()).clone();
    uri.query.heartbeat.get_or_insert(HEARTBEAT);
    let name = format!("agent-gateway {purpose}");
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    within(ANSWER_TIMEOUT, Connection::connect_uri(uri, properties)).await
}

/// Opens a channel whose publishes are confirmed.
pub(super) async fn confirming_channel(connection: &Connection) -> lapin::Result<Channel> {
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    Ok(channel)
}

/// Waits so long for the broker, and says in words what went wrong.
pub(super) async fn within<T, E: Display>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match timeout(limit, answer).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
    }
}
