//! The properties of a dead letter.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use crate::conversation::Rejection;

/// The properties of a dead letter: as they came, with the reason, and with what would change its
/// fate in the dead letter queue moved to other headers. `expiration` would drop it there, the
/// broker refuses a `user-id` that is not the publisher's, and `CC` and `BCC` would route it
/// again.
pub(super) fn dead_letter_properties(
    properties: &BasicProperties,
    rejection: &Rejection,
    queue: &str,
) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in properties.headers().iter().flat_map(FieldTable::inner) {
        let name = match name.as_str() {
            name @ ("CC" | "BCC") => original(name),
            _ => name.clone(),
        };
        headers.insert(name, value.clone());
    }
    let text = |text: &str| AMQPValue::LongString(text.into());
    let moved = [
        ("expiration", properties.expiration()),
        ("user-id", properties.user_id()),
    ];
    for (name, value) in moved {
        if let Some(value) = value {
            headers.insert(original(name), text(value.as_str()));
        }
    }
    headers.insert("x-gateway-reason".into(), text(rejection.reason.as_str()));
    headers.insert("x-gateway-detail".into(), text(&rejection.detail));
    headers.insert("x-gateway-queue".into(), text(queue));
    without_routing(properties).with_headers(headers)
}

fn original(name: &str) -> ShortString {
    format!("x-gateway-original-{name}").into()
}

/// A copy of all properties but `headers`, `expiration` and `user-id`: `BasicProperties` can be
/// added to, not taken from.
fn without_routing(from: &BasicProperties) -> BasicProperties {
    let mut to = BasicProperties::default();
    macro_rules! copy {
        ($($name:ident $with:ident),* $(,)?) => {
            $(if let Some(value) = from.$name() {
                to = to.$with(value.clone());
            })*
        };
    }
    copy!(
        content_type with_content_type,
        content_encoding with_content_encoding,
        delivery_mode with_delivery_mode,
        priority with_priority,
        correlation_id with_correlation_id,
        reply_to with_reply_to,
        message_id with_message_id,
        timestamp with_timestamp,
        kind with_type,
        app_id with_app_id,
        cluster_id with_cluster_id,
    );
    to
}

#[cfg(test)]
mod tests {
    use crate::conversation::Reason;

    use super::*;

    #[test]
    fn what_would_change_a_dead_letters_fate_moves_to_headers() {
        let mut headers = FieldTable::default();
        headers.insert("CC".into(), AMQPValue::LongString("elsewhere".into()));
        headers.insert("trace".into(), AMQPValue::Boolean(true));
        let properties = BasicProperties::default()
            .with_headers(headers)
            .with_expiration("60000".into())
            .with_user_id("guest".into())
            .with_content_type("application/json".into())
            .with_delivery_mode(2)
            .with_priority(3)
            .with_message_id("m".into())
            .with_timestamp(7)
            .with_type("t".into())
            .with_app_id("a".into());
        let rejection = Rejection::new(Reason::InvalidEvent, "text: must be a string");
        let letter = dead_letter_properties(&properties, &rejection, "inbound");
        let text = |text: &str| AMQPValue::LongString(text.into());
        let headers = letter.headers().clone().unwrap();
        let headers: Vec<_> = headers
            .inner()
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        assert_eq!(
            headers,
            [
                ("trace", AMQPValue::Boolean(true)),
                ("x-gateway-detail", text("text: must be a string")),
                ("x-gateway-original-CC", text("elsewhere")),
                ("x-gateway-original-expiration", text("60000")),
                ("x-gateway-original-user-id", text("guest")),
                ("x-gateway-queue", text("inbound")),
                ("x-gateway-reason", text("invalid_event")),
            ]
        );
        assert_eq!((letter.expiration(), letter.user_id()), (&None, &None));
        assert_eq!(letter.delivery_mode(), &Some(2));
        assert_eq!(letter.timestamp(), &Some(7));
        assert_eq!(letter.message_id().as_ref().unwrap().as_str(), "m");
        assert_eq!(letter.kind().as_ref().unwrap().as_str(), "t");
    }
}
