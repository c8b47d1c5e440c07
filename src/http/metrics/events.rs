//! Events on their way: what comes in, what members are offered, how long that takes.

use super::super::App;
use super::sheet::Sheet;
use crate::conversation::Counters;

pub(super) fn write(app: &App, sheet: &mut Sheet) {
    let hub = &app.hub;
    sources(app, sheet);
    members(hub.counters(), sheet);
    latencies(hub.counters(), sheet);
    let help = "Conversations with members or events.";
    sheet.gauge("conversations", help, hub.conversations() as f64);
    let help = "What the windows of all conversations hold.";
    sheet.gauge("window_bytes", help, hub.bytes() as f64);
    let help = "What is known of repeats, which is part of that with JOURNAL=memory, and beside it, without \
                a bound in bytes, with JOURNAL=stream.";
    sheet.gauge("repeats_bytes", help, hub.repeats_bytes() as f64);
    let catching_up = hub.catching_up();
    let live = hub.members().saturating_sub(catching_up);
    let mut members = sheet.gauges("members", "Sockets that follow a conversation.");
    members.add(&[("state", "live")], live as f64);
    members.add(&[("state", "catching_up")], catching_up as f64);
}

fn sources(app: &App, sheet: &mut Sheet) {
    let queues = app.broker.counts();
    let sources = [
        ("inbound_queue", &queues.inbound.events),
        ("status_queue", &queues.status.events),
        ("relay", &app.relayed),
    ];
    let mut events = sheet.counters("events_total", "Events that a source took and were new.");
    for (source, counts) in sources {
        events.add_set(&[("source", source)], "event", counts.by_name());
    }
    let help = "When a source last took a new event, since unix epoch in seconds.";
    let mut last = sheet.gauges("last_event_timestamp_seconds", help);
    for (source, counts) in sources {
        if let Some(at) = counts.last().get() {
            last.add(&[("source", source)], at.as_secs_f64());
        }
    }
}

fn members(counters: &Counters, sheet: &mut Sheet) {
    let help = "Events that repeated one, and were not emitted.";
    sheet.counter("duplicates_total", help, counters.duplicates.get());
    let help = "Statuses older than what was known, which were not emitted.";
    sheet.counter("stale_statuses_total", help, counters.stale.get());
    let help =
        "Entries that members' sockets took: at once, or from the window while they caught up.";
    let mut offered = sheet.counters("entries_offered_total", help);
    let (live, behind) = (&counters.offered, &counters.caught_up_entries);
    offered.add(&[("state", "live")], live.get() as f64);
    offered.add(&[("state", "catching_up")], behind.get() as f64);
    let help = "Joins, by how much the client could rely on having.";
    sheet.counter_set("joins_total", help, "resume", &counters.joins);
    let help = "Times that a member which joined or was behind has come to be live.";
    sheet.counter("members_caught_up_total", help, counters.caught_up.get());
    let help = "Times that a live member's socket had no room.";
    sheet.counter("fell_behind_total", help, counters.fell_behind.get());
    let help = "Times that a member was told that something may be missing, by why it may.";
    sheet.counter_set("resets_total", help, "reason", &counters.resets);
    let help = "Events dropped from their windows, still young, for REPLAY_MAX_BYTES.";
    sheet.counter("evicted_total", help, counters.evicted.get());
}

fn latencies(counters: &Counters, sheet: &mut Sheet) {
    let latencies = &counters.latencies;
    for (name, help, histogram) in [
        (
            "publication_to_offer_seconds",
            "From a delivery's AMQP timestamp, by the publisher's clock and mostly in whole seconds, \
             until its event was offered to members.",
            &latencies.publication_to_offer,
        ),
        (
            "arrival_to_offer_seconds",
            "From when the gateway took a delivery or a call until its event was offered to members.",
            &latencies.arrival_to_offer,
        ),
        (
            "arrival_to_socket_seconds",
            "From there until the operating system had it for all members that read.",
            &latencies.arrival_to_socket,
        ),
    ] {
        let mut family = sheet.histograms(name, help);
        family.add_distribution(&[], &histogram.distribution());
    }
}
