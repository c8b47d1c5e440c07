//! Who is connected, who calls, and who was refused.

use super::super::App;
use super::sheet::Sheet;

pub(super) fn write(app: &App, sheet: &mut Sheet) {
    connections(app, sheet);
    refusals(app, sheet);
    relay(app, sheet);
    tokens(app, sheet);
}

fn connections(app: &App, sheet: &mut Sheet) {
    let [polling, websocket] = app.sockets.sessions();
    let mut sessions = sheet.gauges("sessions", "Engine.IO sessions.");
    sessions.add(&[("transport", "polling")], polling as f64);
    sessions.add(&[("transport", "websocket")], websocket as f64);
    let help = "Engine.IO sessions that there have been.";
    sheet.counter("sessions_opened_total", help, app.sockets.opened());
    let help =
        "Members' sockets, by the transport that carries them and the namespace they joined by.";
    let mut sockets = sheet.gauges("sockets", help);
    let [polling, websocket] = app.sockets.members();
    for (transport, [root, conversation]) in [("polling", polling), ("websocket", websocket)] {
        let transport = ("transport", transport);
        sockets.add(&[transport, ("namespace", "root")], root as f64);
        let own = ("namespace", "conversation");
        sockets.add(&[transport, own], conversation as f64);
    }
}

fn refusals(app: &App, sheet: &mut Sheet) {
    let counts = app.sockets.counts();
    let help = "CONNECTs refused, by what they were told.";
    let refused = app.sockets.refused();
    sheet.counter_set("connects_refused_total", help, "reason", refused);
    let help = "Sessions that a limit did not admit: of all, of an address, or of new ones.";
    let over_limit = &counts.over_limit;
    sheet.counter_set("sessions_over_limit_total", help, "limit", over_limit);
    let help = "Sessions over a limit that were answered with an HTTP error.";
    sheet.counter("sessions_turned_away_total", help, counts.turned_away.get());
    let help = "Requests refused for the origin of their page.";
    sheet.counter("origins_refused_total", help, app.refused.origins.get());
    let help = "Internal calls refused for their key.";
    sheet.counter("keys_refused_total", help, app.keys.refused().get());
}

fn relay(app: &App, sheet: &mut Sheet) {
    let help = "Calls of the relay, by the status that they were answered with.";
    let mut requests = sheet.counters("relay_requests_total", help);
    for route in app.requests.all() {
        requests.add_set(&[("route", route.name)], "status", &route.statuses);
    }
    let help = "From the head of a call of the relay to its answer.";
    let mut times = sheet.histograms("relay_request_duration_seconds", help);
    for route in app.requests.all() {
        times.add_distribution(&[("route", route.name)], &route.time.distribution());
    }
}

fn tokens(app: &App, sheet: &mut Sheet) {
    let auth = &app.auth;
    let help = "Loads of the key set, by whether they succeeded.";
    sheet.counter_set("key_set_loads_total", help, "result", &auth.key_set_loads);
    if let Some(at) = auth.key_set_loaded.get() {
        let help = "When the key set was last loaded, since unix epoch in seconds.";
        sheet.gauge("key_set_loaded_timestamp_seconds", help, at.as_secs_f64());
    }
    let help = "Questions to the auth service, by its answer.";
    sheet.counter_set("introspections_total", help, "result", &auth.introspections);
    let help = "From a question to the auth service to its answer, or until it was given up.";
    let mut times = sheet.histograms("introspection_duration_seconds", help);
    times.add_distribution(&[], &auth.introspection_time.distribution());
}
