//! The properties of a dead letter, and of what becomes of it.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use crate::conversation::Rejection;

/// The headers that say why it is one.
pub(super) const REASON: &str = "x-gateway-reason";
pub(super) const DETAIL: &str = "x-gateway-detail";
pub(super) const QUEUE: &str = "x-gateway-queue";

/// The headers with which a quorum queue counts.
const OF_A_QUORUM_QUEUE: [&str; 2] = ["x-delivery-count", "x-acquired-count"];

/// The headers with which RabbitMQ says why a message is a dead letter. One that it finds on a message
/// may have it take that message's next death for a cycle.
const OF_THE_BROKER: [&str; 7] = [
    "x-death",
    "x-first-death-reason",
    "x-first-death-queue",
    "x-first-death-exchange",
    "x-last-death-reason",
    "x-last-death-queue",
    "x-last-death-exchange",
];

/// The properties of a dead letter: as they came, with the reason, and with what would change its
/// fate in the dead letter queue moved to other headers. `expiration` would drop it there, the
/// broker refuses a `user-id` that is not the publisher's, and `CC` and `BCC` would route it
/// again.
pub(super) fn dead_letter_properties(
    properties: &BasicProperties,
    rejection: &Rejection,
    queue: &str,
) -> BasicProperties {
    let mut headers = moved_aside(properties);
    headers.insert(REASON.into(), text(rejection.reason.as_str()));
    headers.insert(DETAIL.into(), text(&rejection.detail));
    headers.insert(QUEUE.into(), text(queue));
    without_routing(properties).with_headers(headers)
}

/// The properties with which a dead letter goes back to the queue it came from: without what says why
/// it was one. What was moved aside stays there: in its old place it would now have the message dropped
/// before it is delivered, refused, or routed to others who have had it.
pub(super) fn returned_properties(properties: &BasicProperties) -> BasicProperties {
    let of_the_letter = [
        &[REASON, DETAIL, QUEUE][..],
        &OF_THE_BROKER,
        &OF_A_QUORUM_QUEUE,
    ];
    without_headers(properties, &of_the_letter.concat())
}

/// The properties of a copy that takes a dead letter's place.
pub(super) fn renewed_properties(properties: &BasicProperties) -> BasicProperties {
    without_headers(properties, &OF_A_QUORUM_QUEUE)
}

/// The properties without these headers, and with what would change the message's fate moved to others.
fn without_headers(properties: &BasicProperties, names: &[&str]) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in moved_aside(properties).inner() {
        if !names.contains(&name.as_str()) {
            headers.insert(name.clone(), value.clone());
        }
    }
    without_routing(properties).with_headers(headers)
}

/// The headers, with what would change the message's fate under other names.
fn moved_aside(properties: &BasicProperties) -> FieldTable {
    let mut headers = FieldTable::default();
    for (name, value) in properties.headers().iter().flat_map(FieldTable::inner) {
        let name = match name.as_str() {
            name @ ("CC" | "BCC") => original(name),
            _ => name.clone(),
        };
        headers.insert(name, value.clone());
    }
    let moved = [
        ("expiration", properties.expiration()),
        ("user-id", properties.user_id()),
    ];
    for (name, value) in moved {
        if let Some(value) = value {
            headers.insert(original(name), text(value.as_str()));
        }
    }
    headers
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
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

        let mut headers = letter.headers().clone().unwrap();
        for name in OF_THE_BROKER.iter().chain(&OF_A_QUORUM_QUEUE) {
            headers.insert((*name).into(), AMQPValue::Boolean(true));
        }
        let returned = returned_properties(&letter.with_headers(headers.clone()));
        let names = |properties: &BasicProperties| {
            let headers = properties.headers().clone().unwrap();
            let names = headers.inner().keys().map(ToString::to_string);
            names.collect::<Vec<_>>()
        };
        assert_eq!(
            names(&returned),
            [
                "trace",
                "x-gateway-original-CC",
                "x-gateway-original-expiration",
                "x-gateway-original-user-id",
            ]
        );
        assert_eq!((returned.expiration(), returned.user_id()), (&None, &None));
        assert_eq!(returned.timestamp(), &Some(7));
        let renewed = renewed_properties(&returned.with_headers(headers.clone()));
        assert_eq!(names(&renewed).len(), headers.inner().len() - 2);
        assert!(names(&renewed).contains(&"x-death".to_owned()));
    }

    #[test]
    fn a_letter_of_the_brokers_goes_back_without_what_would_have_it_refused() {
        let properties = BasicProperties::default()
            .with_user_id("publisher".into())
            .with_expiration("1".into());
        let returned = returned_properties(&properties);
        assert_eq!((returned.expiration(), returned.user_id()), (&None, &None));
        let headers = returned.headers().clone().unwrap();
        let user = headers.inner().get("x-gateway-original-user-id");
        assert_eq!(user, Some(&text("publisher")));
    }
}
