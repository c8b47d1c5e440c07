//! A dead letter, as it lies in its queue: why it is there, where it came from, what it is about.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};

use super::dead_letter_properties::{DETAIL, QUEUE, REASON};

/// A dead letter that was taken and not acknowledged.
#[derive(Debug)]
pub(crate) struct Letter {
    delivery: Delivery,
    behind: u32,
    cause: Cause,
}

/// Who has written it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) writer: Writer,
    /// `x-gateway-reason`, or RabbitMQ's, such as `delivery_limit`; empty when no header tells.
    pub(crate) reason: String,
    /// A sentence.
    pub(crate) detail: String,
    /// The queue it came from.
    pub(crate) queue: Option<String>,
}

/// Who has put a letter into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    Gateway,
    Broker,
    Unknown,
}

impl Writer {
    /// As it is printed.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Broker => "broker",
            Self::Unknown => "unknown",
        }
    }
}

impl Letter {
    /// `behind` are in the queue behind it.
    pub(super) fn new(delivery: Delivery, behind: u32) -> Self {
        let cause = Cause::read(delivery.properties.headers().as_ref());
        Self {
            delivery,
            behind,
            cause,
        }
    }

    /// How many letters were behind it when it was taken.
    pub(crate) const fn behind(&self) -> u32 {
        self.behind
    }

    pub(super) fn tag(&self) -> u64 {
        self.delivery.delivery_tag
    }

    pub(crate) const fn properties(&self) -> &BasicProperties {
        &self.delivery.properties
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.delivery.data
    }

    /// Why it is there.
    pub(crate) const fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The queue it came from, as far as its headers say.
    pub(crate) fn queue(&self) -> Option<&str> {
        self.cause.queue.as_deref()
    }

    /// How often a quorum queue has had it given back.
    pub(crate) fn returns(&self) -> u64 {
        let headers = self.delivery.properties.headers().as_ref();
        let count = headers.and_then(|headers| headers.inner().get("x-delivery-count"));
        count.and_then(number).unwrap_or_default()
    }
}

impl Cause {
    fn read(headers: Option<&FieldTable>) -> Self {
        let header = |name: &str| headers.and_then(|headers| text(headers, name));
        if let Some(reason) = header(REASON) {
            return Self {
                writer: Writer::Gateway,
                reason,
                detail: header(DETAIL).unwrap_or_default(),
                queue: header(QUEUE),
            };
        }
        // The last death comes first.
        let deaths = headers.and_then(|headers| headers.inner().get("x-death"));
        let death = match deaths {
            Some(AMQPValue::FieldArray(deaths)) => match deaths.as_slice().first() {
                Some(AMQPValue::FieldTable(death)) => Some(death),
                _ => None,
            },
            _ => None,
        };
        let Some(death) = death else {
            return Self {
                writer: Writer::Unknown,
                reason: String::new(),
                detail: "no header says why it is here".to_owned(),
                queue: header(QUEUE),
            };
        };
        let reason = text(death, "reason").unwrap_or_default();
        Self {
            writer: Writer::Broker,
            detail: said_by_the_broker(&reason).to_owned(),
            queue: text(death, "queue"),
            reason,
        }
    }
}

/// What RabbitMQ's reasons mean (<https://www.rabbitmq.com/docs/dlx>).
fn said_by_the_broker(reason: &str) -> &'static str {
    match reason {
        "delivery_limit" => "RabbitMQ gave up on it: it came back more often than its queue allows",
        "rejected" => "RabbitMQ was told to: a consumer rejected it",
        "expired" => "RabbitMQ gave up on it: it was older than its queue or itself allowed",
        "maxlen" => "RabbitMQ gave up on it: its queue had as much as it may have",
        _ => "RabbitMQ gave up on it",
    }
}

fn text(table: &FieldTable, name: &str) -> Option<String> {
    match table.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn number(value: &AMQPValue) -> Option<u64> {
    match value {
        AMQPValue::LongLongInt(number) => u64::try_from(*number).ok(),
        AMQPValue::LongInt(number) => u64::try_from(*number).ok(),
        AMQPValue::LongUInt(number) => Some(u64::from(*number)),
        AMQPValue::ShortInt(number) => u64::try_from(*number).ok(),
        AMQPValue::ShortUInt(number) => Some(u64::from(*number)),
        AMQPValue::ShortShortInt(number) => u64::try_from(*number).ok(),
        AMQPValue::ShortShortUInt(number) => Some(u64::from(*number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(text: &str) -> AMQPValue {
        AMQPValue::LongString(text.into())
    }

    fn table(fields: &[(&str, AMQPValue)]) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in fields {
            table.insert((*name).into(), value.clone());
        }
        table
    }

    fn death(queue: &str, reason: &str) -> AMQPValue {
        AMQPValue::FieldTable(table(&[("queue", long(queue)), ("reason", long(reason))]))
    }

    #[test]
    fn the_last_death_tells_where_a_letter_of_the_brokers_came_from() {
        let deaths = vec![
            death("inbound", "delivery_limit"),
            death("retry", "expired"),
        ];
        let headers = table(&[
            ("x-first-death-queue", long("retry")),
            ("x-death", AMQPValue::FieldArray(deaths.into())),
        ]);
        let cause = Cause::read(Some(&headers));
        assert_eq!(cause.writer, Writer::Broker);
        assert_eq!(cause.reason, "delivery_limit");
        assert_eq!(cause.queue.as_deref(), Some("inbound"));
    }

    #[test]
    fn the_gateways_headers_count_before_older_ones_of_the_broker() {
        let deaths = vec![death("retry", "expired")];
        let headers = table(&[
            ("x-death", AMQPValue::FieldArray(deaths.into())),
            (REASON, long("invalid_json")),
            (DETAIL, long("the body is not JSON")),
            (QUEUE, long("inbound")),
        ]);
        let cause = Cause::read(Some(&headers));
        assert_eq!(cause.writer, Writer::Gateway);
        assert_eq!(cause.reason, "invalid_json");
        assert_eq!(cause.detail, "the body is not JSON");
        assert_eq!(cause.queue.as_deref(), Some("inbound"));
    }

    #[test]
    fn a_letter_without_headers_came_from_nowhere() {
        for headers in [None, Some(table(&[("x-death", long("?"))]))] {
            let cause = Cause::read(headers.as_ref());
            assert_eq!((cause.writer, cause.queue), (Writer::Unknown, None));
        }
    }
}
