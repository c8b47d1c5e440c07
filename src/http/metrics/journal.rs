//! The journal, where it is a stream: how far it has been read, and what waits to be in it.

use super::super::App;
use super::sheet::Sheet;

pub(super) fn write(app: &App, sheet: &mut Sheet) {
    let Some(stream) = app.journal.stream() else {
        return;
    };
    let counts = stream.counts();
    let help = "Records of the stream that were read: before it had been read to its end, or as they came.";
    sheet.counter_set("journal_records_total", help, "state", &counts.records);
    // While it is not read, there is no sample: nobody knows how far its end is.
    if let Some(lag) = counts.lag() {
        let help = "How old the last record was when it was read, or how long none has come that should have.";
        sheet.gauge("journal_lag_seconds", help, lag.as_secs_f64());
    }
    let help = "Records that were submitted and that the stream has not confirmed.";
    sheet.gauge(
        "journal_unconfirmed_records",
        help,
        counts.unconfirmed() as f64,
    );
    let help = "What those have in bytes.";
    let bytes = counts.unconfirmed_bytes() as f64;
    sheet.gauge("journal_unconfirmed_bytes", help, bytes);
    let help = "Replicas that share the stream, as far as this one has heard of them.";
    sheet.gauge("journal_replicas", help, stream.replicas() as f64);
}
