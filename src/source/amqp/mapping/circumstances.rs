//! What a program may know of a delivery besides its body: `$delivery`.

use jaq_json::{Map, Val};
use lapin::types::{AMQPValue, FieldTable};

use crate::conversation::rfc3339_from_amqp;

/// How deep tables in headers are looked into.
const MOST_LEVELS: usize = 16;

/// What came with a body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances<'a> {
    /// The exchange that it was published to.
    pub exchange: &'a str,
    /// The routing key that it was published with.
    pub routing_key: &'a str,
    /// The queue that delivers it.
    pub queue: &'a str,
    /// The AMQP headers.
    pub headers: Option<&'a FieldTable>,
    /// The AMQP property `message-id`.
    pub message_id: Option<&'a str>,
    /// The AMQP property `timestamp`.
    pub sent_at: Option<u64>,
}

impl Circumstances<'_> {
    /// As the program sees it.
    pub(super) fn value(&self) -> Val {
        object([
            ("exchange", text(self.exchange)),
            ("routingKey", text(self.routing_key)),
            ("queue", text(self.queue)),
            (
                "headers",
                self.headers.map_or(Val::Null, |table| fields(table, 0)),
            ),
            ("messageId", self.message_id.map_or(Val::Null, text)),
            (
                "timestamp",
                self.sent_at
                    .and_then(rfc3339_from_amqp)
                    .map_or(Val::Null, Val::from),
            ),
        ])
    }
}

fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Val)>) -> Val {
    let fields = fields.into_iter().map(|(name, value)| (text(name), value));
    Val::obj(fields.collect::<Map>())
}

fn text(text: &str) -> Val {
    Val::from(text.to_owned())
}

fn fields(table: &FieldTable, level: usize) -> Val {
    let fields = table.inner().iter();
    object(fields.map(|(name, field)| (name.as_str(), value(field, level + 1))))
}

fn value(field: &AMQPValue, level: usize) -> Val {
    if level > MOST_LEVELS {
        return Val::Null;
    }
    let whole = |number: i64| match isize::try_from(number) {
        Ok(number) => Val::from(number),
        Err(_) => Val::from(number as f64),
    };
    match field {
        AMQPValue::Boolean(flag) => Val::from(*flag),
        AMQPValue::ShortShortInt(number) => whole((*number).into()),
        AMQPValue::ShortShortUInt(number) => whole((*number).into()),
        AMQPValue::ShortInt(number) => whole((*number).into()),
        AMQPValue::ShortUInt(number) => whole((*number).into()),
        AMQPValue::LongInt(number) => whole((*number).into()),
        AMQPValue::LongUInt(number) => whole((*number).into()),
        AMQPValue::LongLongInt(number) => whole(*number),
        AMQPValue::Float(number) => Val::from(f64::from(*number)),
        AMQPValue::Double(number) => Val::from(*number),
        AMQPValue::DecimalValue(decimal) => {
            Val::from(f64::from(decimal.value) / 10_f64.powi(decimal.scale.into()))
        }
        AMQPValue::ShortString(string) => text(string.as_str()),
        AMQPValue::LongString(string) => text(&String::from_utf8_lossy(string.as_bytes())),
        AMQPValue::ByteArray(bytes) => text(&String::from_utf8_lossy(bytes.as_slice())),
        AMQPValue::Timestamp(time) => rfc3339_from_amqp(*time).map_or(Val::Null, Val::from),
        AMQPValue::FieldTable(table) => fields(table, level),
        AMQPValue::FieldArray(array) => {
            let values = array.as_slice().iter().map(|field| value(field, level + 1));
            values.collect()
        }
        AMQPValue::Void => Val::Null,
    }
}
