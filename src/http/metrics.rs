//! `GET /metrics`: what an operator watches, for Prometheus.
//!
//! Every label's values are known when this is compiled: none holds a tenant, a conversation, an
//! agent or a message.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use prometheus::core::Collector;
use prometheus::{Counter, Gauge, Opts, Registry, TEXT_FORMAT, TextEncoder};
use tracing::error;

use super::internal::{self, ApiError};
use super::{App, process};
use crate::broker::Check;
use crate::counter;

/// On the listener for internal calls.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    match page(&app) {
        Ok(page) => ([(CONTENT_TYPE, TEXT_FORMAT)], page).into_response(),
        Err(error) => {
            error!(%error, "no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// On the public one: with a key, as the relay.
pub(super) async fn guarded(
    app: State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    internal::key(&app, &headers)?;
    Ok(metrics(app).await)
}

fn page(app: &App) -> prometheus::Result<String> {
    let mut sheet = Sheet(Registry::new());
    sheet.events(app)?;
    sheet.clients(app)?;
    sheet.broker(app)?;
    sheet.process(app)?;
    TextEncoder::new().encode_to_string(&sheet.0.gather())
}

/// The figures of one moment: what is counted is counted elsewhere.
struct Sheet(Registry);

type Labelled<'a, T> = (&'a [(&'static str, &'static str)], T);

impl Sheet {
    fn events(&mut self, app: &App) -> prometheus::Result<()> {
        let hub = &app.hub;
        let counters = hub.counters();
        self.count("events", "Events accepted.", &counters.events)?;
        let help = "Events that repeated one, and were not emitted.";
        self.count("duplicates", help, &counters.duplicates)?;
        let help = "Statuses older than what was known, which were not emitted.";
        self.count("stale_statuses", help, &counters.stale)?;
        let help = "Times that a live member's socket had no room.";
        self.count("fell_behind", help, &counters.fell_behind)?;
        let help = "Times that a member was told that something may be missing.";
        self.count("resets", help, &counters.resets)?;
        let help = "Events dropped from their windows, still young, for REPLAY_MAX_BYTES.";
        self.count("evicted", help, &counters.evicted)?;
        let help = "Conversations with members or events.";
        self.gauge("conversations", help, hub.conversations())?;
        let help = "What the windows of all conversations hold.";
        self.gauge("window_bytes", help, hub.bytes())?;
        let catching_up = hub.catching_up();
        let live = hub.members().saturating_sub(catching_up);
        let states = [
            (&[("state", "live")][..], live),
            (&[("state", "catching_up")], catching_up),
        ];
        self.gauges("members", "Sockets that follow a conversation.", states)
    }

    fn clients(&mut self, app: &App) -> prometheus::Result<()> {
        let [polling, websocket] = app.sockets.sessions();
        let transports = [
            (&[("transport", "polling")][..], polling),
            (&[("transport", "websocket")], websocket),
        ];
        self.gauges("sessions", "Engine.IO sessions.", transports)?;
        let counts = app.sockets.counts();
        for (reason, counter) in app.sockets.refused().all() {
            let help = "CONNECTs refused, by what they were told.";
            self.counter("connects_refused", help, &[("reason", reason)], counter)?;
        }
        for (limit, counter) in counts.over_limit.all() {
            let help =
                "Sessions that a limit did not admit: of all, of an address, or of new ones.";
            self.counter("sessions_over_limit", help, &[("limit", limit)], counter)?;
        }
        let help = "Sessions over a limit that were answered with an HTTP error.";
        self.count("sessions_turned_away", help, &counts.turned_away)?;
        let help = "Requests refused for the origin of their page.";
        self.count("origins_refused", help, &app.refused.origins)?;
        let help = "Internal calls refused for their key.";
        self.count("keys_refused", help, app.keys.refused())
    }

    fn broker(&mut self, app: &App) -> prometheus::Result<()> {
        let mut checks = app.broker.checks();
        checks.extend(app.journal.checks());
        for (part, check) in checks {
            let up = u8::from(check == Check::Up);
            let help = "Whether this part of the broker's side works.";
            self.gauges("broker_up", help, [(&[("part", part)][..], up.into())])?;
        }
        for (queue, active) in app.broker.active() {
            let help = "Whether this process is the queue's active consumer.";
            let labels = [("queue", queue)];
            self.gauges("consumer_active", help, [(&labels[..], active.into())])?;
        }
        let (waiting, since) = app.broker.pending_dead_letters().waiting();
        let help = "Deliveries that wait for their place in the dead letter queue.";
        self.gauge("dead_letters_waiting", help, waiting)?;
        let help = "How long the oldest of them has waited; 0 when none waits.";
        let waited = since.map_or(0, |since| {
            let waited = time::OffsetDateTime::now_utc() - since;
            usize::try_from(waited.whole_seconds()).unwrap_or(0)
        });
        self.gauge("dead_letters_waiting_seconds", help, waited)?;
        for (reason, counter) in app.broker.dead_letters() {
            let help = "Deliveries put into the dead letter queue.";
            self.counter("dead_letters", help, &[("reason", reason)], counter)?;
        }
        let help = "Deliveries that AMQP_MAPPING made no event of.";
        self.count("deliveries_ignored", help, app.broker.ignored())?;
        for (field, counter) in app.broker.left_out().all() {
            let help = "Optional fields of deliveries that could not be used and were left out.";
            self.counter("fields_ignored", help, &[("field", field)], counter)?;
        }
        Ok(())
    }

    fn process(&mut self, app: &App) -> prometheus::Result<()> {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        self.gauges("build_info", "Which build this is.", [(&version[..], 1)])?;
        let since = app.since.duration_since(SystemTime::UNIX_EPOCH);
        let help = "Start time of the process since unix epoch in seconds.";
        let begun = since.unwrap_or_default().as_secs_f64();
        let start = ("process_start_time_seconds", help, begun);
        for (name, help, value) in process::figures().into_iter().chain([start]) {
            let options = Opts::new(name, help);
            if name.ends_with("_total") {
                let counter = Counter::with_opts(options)?;
                counter.inc_by(value);
                self.put(counter)?;
            } else {
                let gauge = Gauge::with_opts(options)?;
                gauge.set(value);
                self.put(gauge)?;
            }
        }
        Ok(())
    }

    fn count(
        &mut self,
        name: &str,
        help: &str,
        counter: &counter::Counter,
    ) -> prometheus::Result<()> {
        self.counter(name, help, &[], counter)
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        counter: &counter::Counter,
    ) -> prometheus::Result<()> {
        let options = options(&format!("{name}_total"), help, labels);
        let counted = Counter::with_opts(options)?;
        counted.inc_by(counter.get() as f64);
        self.put(counted)
    }

    fn gauge(&mut self, name: &str, help: &str, value: usize) -> prometheus::Result<()> {
        self.gauges(name, help, [(&[][..], value)])
    }

    fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = Labelled<'a, usize>>,
    ) -> prometheus::Result<()> {
        for (labels, value) in values {
            let gauge = Gauge::with_opts(options(name, help, labels))?;
            gauge.set(value as f64);
            self.put(gauge)?;
        }
        Ok(())
    }

    fn put(&mut self, collector: impl Collector + 'static) -> prometheus::Result<()> {
        self.0.register(Box::new(collector))
    }
}

fn options(name: &str, help: &str, labels: &[(&str, &str)]) -> Opts {
    labels.iter().fold(
        Opts::new(name, help).namespace("agent_gateway"),
        |options, &(label, value)| options.const_label(label, value),
    )
}
