//! What follows from a record that was read.

use std::time::{Duration, Instant};

use tracing::{debug, info, warn};

use super::Tail;
use super::consuming::Consuming;
use crate::conversation::{Arrival, Batch, Epoch, Selection};
use crate::journal::stream::counts::Phase;
use crate::journal::stream::following::Taken;
use crate::journal::stream::greeting::Greeting;
use crate::journal::stream::record::{Body, Record};

/// How often the log tells how far a long reading has come.
const PROGRESS: Duration = Duration::from_secs(5);

impl Tail {
    /// Takes a delivery; `false` when the stream is not the one that was read.
    pub(super) fn take(
        &mut self,
        consuming: &mut Consuming,
        offset: u64,
        body: &[u8],
        batch: &mut Batch,
    ) -> bool {
        let record = match Record::decode(body) {
            Ok(record) => record,
            Err(error) => {
                if let Some(count) = self.invalid.note(&()) {
                    let stream = &self.settings.stream;
                    warn!(stream, offset, count, %error, "what stands in the stream is passed by");
                }
                return true;
            }
        };
        let next = match self.following.take(offset, &record) {
            Taken::Broken => return false,
            Taken::Known => return true,
            Taken::Next(next) => next,
        };
        if let Some(floor) = next.begins {
            self.hub.begin(floor);
        }
        consuming.read += 1;
        let phase = match self.following.is_marked() {
            true => Phase::Live,
            false => Phase::CatchingUp,
        };
        self.append.shared.counts.read(phase, record.time);
        let (id, place) = (record.id, (next.position, next.mark));
        if let Body::Event(event) = record.body {
            let accepted = self.clock.accepted(record.time);
            if self.following.is_marked() {
                batch.arrived(Arrival {
                    at: accepted.instant,
                    published_before: record.published_before,
                });
            }
            let published = self.hub.record(event, place, accepted, batch);
            self.append.shared.placed(id, published);
            self.progress(consuming);
            return true;
        }
        self.hub.pass(next.position, next.mark);
        let is_own = self.append.shared.passed(id);
        if let Some(epoch) = next.epoch {
            debug!(epoch = epoch.0, "the stream's epoch is known");
            self.hub.set_epoch(epoch);
            self.append.set_epoch(Some(epoch));
        }
        match record.body {
            Body::Disconnect(selection) if !is_own => self.disconnect(selection),
            Body::Replica(greeting) => self.greeted(Some(greeting)),
            _ => {}
        }
        if next.is_told {
            self.greet();
        }
        if next.draws {
            let drawn = Some(Epoch(rand::random()));
            self.append.notice(drawn, Body::Epoch);
        }
        if next.becomes_current {
            self.become_current(consuming);
        }
        true
    }

    fn become_current(&mut self, consuming: &Consuming) {
        info!(
            stream = self.settings.stream,
            records = consuming.read,
            seconds = consuming.begun.elapsed().as_secs_f32(),
            replicas = self.append.shared.replicas(),
            "the journal has been read"
        );
        self.was_current = true;
        self.hub.set_current(true);
        self.append.shared.set_current(true);
        self.greet();
    }

    /// Members that the portal sends away at another replica. Those that come later than this
    /// replica's beginning are sent away here: before, there were none.
    fn disconnect(&self, selection: Selection) {
        if self.was_current {
            // Nobody takes them at the end of the process.
            self.disconnects.send(selection).ok();
        }
    }

    /// Says that this replica is there, and looks for those that are not any more.
    pub(super) fn greet(&self) {
        let epoch = self.following.epoch();
        if self.following.is_marked() && epoch.is_some() {
            let greeting = self.greeting(false);
            self.append.notice(epoch, Body::Replica(greeting));
        }
        self.greeted(None);
    }

    pub(super) fn greeting(&self, leaving: bool) -> Greeting {
        Greeting {
            leaving,
            ..self.settings.greeting.clone()
        }
    }

    fn greeted(&self, greeting: Option<Greeting>) {
        let own = &self.settings.greeting;
        match self.append.shared.greeted(greeting, own) {
            Some(Some(problem)) => warn!(problem, "replicas differ in what has to be the same"),
            Some(None) => info!("replicas no longer differ"),
            None => {}
        }
    }

    fn progress(&self, consuming: &mut Consuming) {
        if !self.following.is_marked() && consuming.told.elapsed() >= PROGRESS {
            consuming.told = Instant::now();
            info!(
                stream = self.settings.stream,
                records = consuming.read,
                seconds = consuming.begun.elapsed().as_secs(),
                "reading the journal"
            );
        }
    }
}
