//! Appends records to the stream, in the order in which they come, on a connection of its own.
//!
//! The channel confirms from its first publish and has nothing else on it: before RabbitMQ 4.0, a
//! change of the stream's leader could otherwise have later appends taken for repeats. What was not
//! confirmed when the connection is lost is appended again, in its order: what comes twice into the
//! stream counts where it comes first. It is not appended again where the tail has read it, nor where
//! nobody wants it any more: a delivery whose channel is gone comes again, perhaps elsewhere, and
//! must not come a second time when it is no longer known.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Confirmation};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::record::RecordId;
use super::shared::Shared;
use crate::broker::{BrokerConnection, BrokerError, DEFAULT_EXCHANGE, Operation, Session, Traffic};

/// How many records may be unconfirmed: at 256 the broker stops reading from the channel.
const UNCONFIRMED: usize = 200;

/// Comes back when the stream is not there.
const MANDATORY: BasicPublishOptions = BasicPublishOptions {
    mandatory: true,
    immediate: false,
};

/// Appends what comes out of two queues.
pub(super) struct Appender {
    pub(super) stream: String,
    /// What the tail needs to find its way: appended at once.
    pub(super) notices: mpsc::UnboundedReceiver<Bytes>,
    /// What was submitted: appended when the stream has been read to its end.
    pub(super) submissions: mpsc::UnboundedReceiver<Submission>,
    /// Published and not confirmed, in order.
    pub(super) unconfirmed: VecDeque<Published>,
    /// Whether the tail consumes: then the stream is there.
    pub(super) attached: watch::Receiver<bool>,
    pub(super) shared: Arc<Shared>,
    pub(super) shutdown: CancellationToken,
}

/// A record that somebody waits for, or did.
#[derive(Debug, Clone)]
pub(super) struct Submission {
    pub(super) id: RecordId,
    pub(super) body: Bytes,
}

/// A record that the broker has not confirmed.
#[derive(Debug)]
pub(super) enum Published {
    Notice,
    Submission(Submission),
}

impl Session for Appender {
    const PURPOSE: &'static str = "journal";
    const TRAFFIC: Traffic = Traffic::Publishes;

    async fn live(&mut self, connection: &BrokerConnection) -> Result<(), BrokerError> {
        tokio::select! {
            () = self.shutdown.cancelled() => return Ok(()),
            _ = self.attached.wait_for(|attached| *attached) => {}
        }
        let channel = connection.within(connection.confirming_channel()).await?;
        self.shared.set_appending(true);
        let mut again: VecDeque<_> = self.unconfirmed.drain(..).collect();
        let mut current = self.shared.current();
        let stream = self.stream.clone();
        let publish = |body: Bytes| {
            let (channel, stream) = (channel.clone(), stream.as_str().into());
            async move {
                let properties = BasicProperties::default().with_delivery_mode(2);
                // The frames are put in line at the first poll, and these come in order.
                let published =
                    channel.basic_publish("".into(), stream, MANDATORY, &body, properties);
                published.await?.await
            }
        };
        let mut in_flight = FuturesOrdered::new();
        loop {
            let is_free = *self.attached.borrow_and_update() && in_flight.len() < UNCONFIRMED;
            let is_current = *current.borrow_and_update();
            if is_free
                && is_current
                && let Some(published) = again.pop_front()
            {
                if let Published::Submission(submission) = published {
                    in_flight.extend(self.wanted(submission).map(&publish));
                }
                continue;
            }
            let nothing_waits = self.notices.is_empty()
                && in_flight.is_empty()
                && (!is_current || self.submissions.is_empty());
            tokio::select! {
                // What was submitted before the shutdown is appended before it.
                biased;
                Some(confirmed) = in_flight.next() => {
                    let confirmed = confirmed.map_err(|error| {
                        let operation = Operation::Publish(DEFAULT_EXCHANGE.to_owned());
                        connection.error(&operation, &error)
                    });
                    let taken = confirmed.and_then(|confirmed| self.taken(confirmed, connection));
                    if let Err(error) = taken {
                        self.unconfirmed.extend(again);
                        return Err(error);
                    }
                }
                Some(notice) = self.notices.recv(), if is_free => {
                    self.unconfirmed.push_back(Published::Notice);
                    in_flight.push_back(publish(notice));
                }
                Some(submission) = self.submissions.recv(), if is_free && is_current => {
                    in_flight.extend(self.wanted(submission).map(&publish));
                }
                _ = self.attached.changed() => {}
                _ = current.changed() => {}
                () = self.shutdown.cancelled(), if nothing_waits => {
                    self.unconfirmed.extend(again);
                    return Ok(());
                }
            }
        }
    }

    fn lost(&mut self, _: &BrokerError) {
        self.shared.set_appending(false);
    }
}

impl Appender {
    /// The body of a record that is still wanted, and now counts as published.
    fn wanted(&mut self, submission: Submission) -> Option<Bytes> {
        if !self.shared.is_wanted(submission.id) {
            self.shared.counts.confirmed(submission.body.len());
            return None;
        }
        let body = submission.body.clone();
        self.unconfirmed
            .push_back(Published::Submission(submission));
        Some(body)
    }

    /// The broker has answered to the oldest of what is unconfirmed.
    fn taken(
        &mut self,
        confirmed: Confirmation,
        connection: &BrokerConnection,
    ) -> Result<(), BrokerError> {
        let object = format!("stream {}", self.stream);
        let vhost = connection.vhost().to_owned();
        match confirmed {
            Confirmation::Ack(None) => {
                if let Some(Published::Submission(submission)) = self.unconfirmed.pop_front() {
                    self.shared.counts.confirmed(submission.body.len());
                }
                Ok(())
            }
            Confirmation::Ack(Some(_)) => Err(BrokerError::Missing {
                object,
                vhost,
                remedy: "it was deleted, and is declared again".to_owned(),
                said: "the message came back".to_owned(),
            }),
            // In order all the same: everything that is unconfirmed is appended again.
            Confirmation::Nack(_) | Confirmation::NotRequested => {
                Err(BrokerError::NotTaken { object, vhost })
            }
        }
    }
}
