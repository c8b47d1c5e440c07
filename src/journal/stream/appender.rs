//! Appends records to the stream, in the order in which they come, on a connection of its own.
//!
//! The channel confirms from its first publish and has nothing else on it: before RabbitMQ 4.0, a
//! change of the stream's leader could otherwise have later appends taken for repeats. What was not
//! confirmed when the connection is lost is appended again, in its order: what comes twice into the
//! stream counts where it comes first. It is not appended again where the tail has read it, nor where
//! nobody wants it any more: a delivery whose channel is gone comes again, perhaps elsewhere, and
//! must not come a second time when it is no longer known.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Confirmation};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::shared::Shared;
use super::unconfirmed::{Outgoing, Unconfirmed};
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
    pub(super) notices: mpsc::UnboundedReceiver<Outgoing>,
    /// What was submitted: appended when the stream has been read to its end.
    pub(super) submissions: mpsc::UnboundedReceiver<Outgoing>,
    /// Published and not confirmed. It outlives connections, however they end.
    pub(super) unconfirmed: Unconfirmed,
    /// Whether the tail consumes: then the stream is there.
    pub(super) attached: watch::Receiver<bool>,
    pub(super) shared: Arc<Shared>,
    pub(super) shutdown: CancellationToken,
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
        self.unconfirmed.connected();
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
            if is_free && let Some(outgoing) = self.unconfirmed.again(is_current) {
                in_flight.extend(self.wanted(outgoing).map(&publish));
                continue;
            }
            let is_open = is_free && is_current && !self.unconfirmed.has_again();
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
                    confirmed.and_then(|confirmed| self.taken(confirmed, connection))?;
                }
                Some(notice) = self.notices.recv(), if is_free => {
                    in_flight.extend(self.wanted(notice).map(&publish));
                }
                Some(submission) = self.submissions.recv(), if is_open => {
                    in_flight.extend(self.wanted(submission).map(&publish));
                }
                _ = self.attached.changed() => {}
                _ = current.changed() => {}
                () = self.shutdown.cancelled(), if nothing_waits => return Ok(()),
            }
        }
    }

    fn lost(&mut self, _: &BrokerError) {
        self.shared.set_appending(false);
    }
}

impl Appender {
    /// The body of a record that is still wanted, and now counts as published.
    fn wanted(&mut self, outgoing: Outgoing) -> Option<Bytes> {
        if !self.shared.is_wanted(outgoing.id) {
            self.confirmed(&outgoing);
            return None;
        }
        let body = outgoing.body.clone();
        self.unconfirmed.publish(outgoing);
        Some(body)
    }

    /// Nothing more is to be done for a record.
    fn confirmed(&self, outgoing: &Outgoing) {
        if !outgoing.is_notice {
            self.shared.counts.confirmed(outgoing.body.len());
        }
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
                if let Some(outgoing) = self.unconfirmed.confirmed() {
                    self.confirmed(&outgoing);
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
