//! The broker's side: the connection, the queues, what becomes of deliveries.

use super::super::App;
use super::sheet::Sheet;
use crate::broker::Check;

pub(super) fn write(app: &App, sheet: &mut Sheet) {
    connection(app, sheet);
    queues(app, sheet);
    deliveries(app, sheet);
}

fn connection(app: &App, sheet: &mut Sheet) {
    let help = "Whether this part of the broker's side works.";
    let mut up = sheet.gauges("broker_up", help);
    for (part, check) in app.broker.checks().into_iter().chain(app.journal.checks()) {
        let is_up = u8::from(check == Check::Up);
        up.add(&[("part", part)], is_up.into());
    }
    let counts = &app.broker.counts().connections;
    let help = "Connections to the broker that were opened, could not be, or were lost.";
    let mut connections = sheet.counters("broker_connections_total", help);
    for (outcome, counter) in [
        ("opened", &counts.opened),
        ("failed", &counts.failed),
        ("lost", &counts.lost),
    ] {
        connections.add(&[("outcome", outcome)], counter.get() as f64);
    }
}

fn queues(app: &App, sheet: &mut Sheet) {
    let help = "Whether this process is the queue's active consumer.";
    let mut active = sheet.gauges("consumer_active", help);
    for (queue, is_active) in app.broker.active() {
        active.add(&[("queue", queue)], u8::from(is_active).into());
    }
    // Where the broker does not say, there is no sample: 0 would be a lie.
    let depths = app.broker.counts().depths.all();
    let help = "Messages that wait in the queue to be delivered, as the broker last said.";
    let mut ready = sheet.gauges("queue_messages_ready", help);
    for (part, depth) in &depths {
        ready.add(&[("queue", queue(part))], depth.ready.into());
    }
    let help = "Consumers of the queue, as the broker last said.";
    let mut consumers = sheet.gauges("queue_consumers", help);
    for (part, depth) in &depths {
        consumers.add(&[("queue", queue(part))], depth.consumers.into());
    }
}

/// What the other metrics call a queue that is this part of the broker's side.
fn queue(part: &str) -> &str {
    match part {
        "inbound_queue" => "inbound_message",
        "status_queue" => "status_update",
        "dead_letter_queue" => "dead_letters",
        other => other,
    }
}

fn deliveries(app: &App, sheet: &mut Sheet) {
    let counts = app.broker.counts();
    let queues = [
        ("inbound_message", &counts.inbound),
        ("status_update", &counts.status),
    ];
    let help = "Deliveries, by what has become of them.";
    let mut deliveries = sheet.counters("deliveries_total", help);
    for (queue, counts) in queues {
        deliveries.add_set(&[("queue", queue)], "outcome", &counts.outcomes);
    }
    let help = "Deliveries put into the dead letter queue.";
    let mut dead_letters = sheet.counters("dead_letters_total", help);
    for (queue, counts) in queues {
        dead_letters.add_set(&[("queue", queue)], "reason", &counts.dead_letters);
    }
    let help = "Times that a queue had messages for a minute and delivered none, so that the gateway connected again.";
    let mut stalls = sheet.counters("queue_stalls_total", help);
    for (queue, counts) in queues {
        stalls.add(&[("queue", queue)], counts.stalls.get() as f64);
    }
    let (waiting, since) = app.broker.pending_dead_letters().waiting();
    let help = "Deliveries that wait for their place in the dead letter queue.";
    sheet.gauge("dead_letters_waiting", help, waiting as f64);
    let help = "How long the oldest of them has waited; 0 when none waits.";
    let waited = since.map_or(0.0, |since| {
        let waited = time::OffsetDateTime::now_utc() - since;
        waited.as_seconds_f64().max(0.0)
    });
    sheet.gauge("dead_letters_waiting_seconds", help, waited);
    let help = "Deliveries that AMQP_MAPPING made no event of.";
    let ignored = app.broker.ignored();
    sheet.counter("deliveries_ignored_total", help, ignored.get());
    let help = "Optional fields of deliveries that could not be used and were left out.";
    let mut fields = sheet.counters("fields_ignored_total", help);
    for (field, counter) in app.broker.left_out().all() {
        fields.add(&[("field", field)], counter.get() as f64);
    }
}
