//! Who agents are, what they ask for, and what is published to them.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use engineio_client::{Decoder, WEBSOCKET, packet};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use crate::mark::Mark;

/// The tenant of all rooms.
const TENANT: &str = "acme";

/// The servers' `JWT_SECRET`.
pub(crate) const SECRET: &str = "a-secret-of-benchmarks-that-is-no-secret";

/// The text of a message: about as much as people write.
const TEXT: &str =
    "The driver says that nobody was at home yesterday, can you send the parcel again on Friday?";

/// An agent on its way into a room.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) room: u32,
    /// The HTTP request that opens its WebSocket.
    pub(crate) request: String,
    /// The Socket.IO CONNECT packet with its token.
    pub(crate) connect: String,
}

impl Agent {
    /// Agent `number`, who wants into `room`. Each has a token of its own.
    pub(crate) fn new(number: u32, room: u32) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let exp = now.unwrap_or_default() + Duration::from_secs(3600);
        let claims = json!({
            "sub": format!("agent-{number}"), "name": "Ada", "tenantId": TENANT, "exp": exp.as_secs(),
        });
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&Header::default(), &claims, &key)
            .context("a token cannot be signed")?;
        let target = format!("{WEBSOCKET}&tenantId={TENANT}&conversationId=c-{room}");
        Ok(Self {
            room,
            request: Decoder::request("127.0.0.1", &target),
            connect: packet::connect("/", json!({"token": token})),
        })
    }
}

/// The routing key of a room's messages.
pub(crate) fn routing_key(room: u32) -> String {
    format!("inbound_message.{TENANT}.c-{room}")
}

/// A message as the webhook service publishes it.
pub(crate) fn delivery(mark: Mark) -> String {
    let room = mark.room;
    let mut body = format!(r#"{{"tenantId":"{TENANT}","conversationId":"c-{room}","#);
    write_fields(&mut body, mark);
    body.push('}');
    body
}

/// The same message as the portal would send it to `/internal/emit`.
pub(crate) fn emit(mark: Mark) -> String {
    let room = mark.room;
    let mut body = format!(
        r#"{{"tenantId":"{TENANT}","conversationId":"c-{room}","event":"inbound_message","payload":{{"#
    );
    write_fields(&mut body, mark);
    body.push_str("}}");
    body
}

fn write_fields(body: &mut String, mark: Mark) {
    // Writing to a string does not fail.
    write!(
        body,
        r#""messageId":"{mark}","text":"{TEXT}","from":"34600000001","timestamp":1714557600"#
    )
    .unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const MARK: Mark = Mark {
        room: 7,
        sequence: 1,
        sent: 2,
    };

    #[test]
    fn both_bodies_are_json_and_carry_the_mark() {
        let delivery: Value = serde_json::from_str(&delivery(MARK)).unwrap();
        assert_eq!(delivery["conversationId"], "c-7");
        assert_eq!(delivery["messageId"], MARK.to_string());
        let emit: Value = serde_json::from_str(&emit(MARK)).unwrap();
        assert_eq!(emit["conversationId"], "c-7");
        assert_eq!(emit["payload"]["messageId"], MARK.to_string());
    }
}
