//! Connecting to the broker.

use std::time::Duration;

use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;

use super::Settings;

/// A broker that takes the connection and then says nothing is given up after this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often each side shows that it is there, in seconds, when the URL does not say. RabbitMQ
/// recommends 5 to 20 (<https://www.rabbitmq.com/docs/heartbeats>).
const HEARTBEAT: u16 = 10;

/// Opens a connection that the broker lists under `agent-gateway` and `purpose`.
pub(super) async fn connect(settings: &Settings, purpose: &str) -> Result<Connection, String> {
    let mut uri = settings.uri.clone();
    uri.query.heartbeat.get_or_insert(HEARTBEAT);
    let name = format!("agent-gateway {purpose}");
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    match timeout(CONNECT_TIMEOUT, Connection::connect_uri(uri, properties)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())),
    }
}
