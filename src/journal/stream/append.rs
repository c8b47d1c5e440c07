//! The way into the stream, for whoever has something to append.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::error;

use super::record::{Body, Record, RecordId};
use super::shared::Shared;
use super::unconfirmed::Outgoing;
use crate::conversation::Epoch;
use crate::lock::Mutex;

/// The way into the stream.
#[derive(Clone)]
pub(super) struct Append {
    pub(super) notices: mpsc::UnboundedSender<Outgoing>,
    pub(super) submissions: mpsc::UnboundedSender<Outgoing>,
    pub(super) epoch: Arc<Mutex<Option<Epoch>>>,
    pub(super) shared: Arc<Shared>,
}

impl Append {
    pub(super) fn epoch(&self) -> Option<Epoch> {
        *self.epoch.lock()
    }

    pub(super) fn set_epoch(&self, epoch: Option<Epoch>) {
        *self.epoch.lock() = epoch;
    }

    /// Appends a record that is no submission.
    pub(super) fn notice(&self, epoch: Option<Epoch>, body: Body) -> RecordId {
        let record = Record::new(epoch, body);
        self.shared.notice(record.id);
        // Nobody takes it at the end of the process.
        self.notices.send(outgoing(&record, true)).ok();
        record.id
    }

    /// Appends a record that somebody waits for.
    pub(super) fn submit(&self, record: &Record) {
        let outgoing = outgoing(record, false);
        self.shared.counts.submitted(outgoing.body.len());
        // Nobody takes it at the end of the process.
        self.submissions.send(outgoing).ok();
    }
}

fn outgoing(record: &Record, is_notice: bool) -> Outgoing {
    // What is not JSON cannot come out of what was.
    let encoded = record.encode().inspect_err(|error| {
        error!(%error, "a record cannot be encoded, and is passed by");
    });
    Outgoing {
        id: record.id,
        body: encoded.unwrap_or_default().into(),
        is_notice,
    }
}
