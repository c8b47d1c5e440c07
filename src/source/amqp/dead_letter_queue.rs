//! The dead letter queue, for who looks after it: letters one by one, sent back, dropped or left.
//!
//! AMQP 0-9-1 has no way to read a queue and leave it as it is. A letter is taken without an
//! acknowledgement, and when the channel closes it is where it was. A quorum queue counts how often
//! that has happened, and from RabbitMQ 4 on drops a message with a count of more than 20 unless a
//! policy says otherwise. Before that a copy takes the letter's place, at the queue's end, and so do
//! copies of all behind it. They keep their order if whoever looks at them goes on for as long as
//! [`DeadLetterQueue::must_go_on_behind`] says.

use std::sync::atomic::{AtomicBool, Ordering};

use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::{BasicProperties, Channel};
use tokio::sync::Mutex;

use super::Settings;
use super::dead_letter_properties::{renewed_properties, returned_properties};
use super::letter::Letter;
use crate::broker::{
    BrokerConnection, BrokerError, Operation, PublishError, Publisher, Queue, Target, Traffic,
};

/// A letter that was given back so often is replaced by a copy. RabbitMQ's own limit is 20.
const OFTEN: u64 = 10;

/// The dead letter queue, and a connection of its own by which letters leave it.
pub(crate) struct DeadLetterQueue {
    queue: Queue,
    connection: BrokerConnection,
    channel: Channel,
    publisher: Mutex<Publisher>,
    /// A letter has a copy in its place, and those behind it are to get one.
    renews: AtomicBool,
}

impl DeadLetterQueue {
    /// Connects.
    ///
    /// # Errors
    /// When there is no way in.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, BrokerError> {
        let purpose = "dead letters";
        let connection = BrokerConnection::open(&settings.uri, purpose, Traffic::Publishes).await?;
        Ok(Self {
            queue: settings.topology().dead_letters,
            channel: connection.channel().await?,
            connection,
            renews: AtomicBool::new(false),
            publisher: Mutex::new(Publisher::new(settings.uri.clone(), purpose)),
        })
    }

    /// The queue's name.
    pub(crate) fn name(&self) -> &str {
        &self.queue.name
    }

    /// Takes the next letter; `None`: there is no other.
    ///
    /// # Errors
    /// When the user may not read the queue, or the connection is lost.
    pub(crate) async fn next(&self) -> Result<Option<Letter>, BrokerError> {
        let operation = Operation::Consume(self.queue.object());
        let get = async {
            let options = BasicGetOptions::default();
            let got = self
                .channel
                .basic_get(self.queue.name.as_str().into(), options);
            let got = got.await;
            got.map_err(|error| self.connection.error(&operation, &error))
        };
        let got = self.connection.within(get).await?;
        Ok(got.map(|got| Letter::new(got.delivery, got.message_count)))
    }

    /// Publishes the letter to the queue it came from, and then takes it out of this one. Whoever ends
    /// this in between has the letter in both.
    ///
    /// # Errors
    /// It could not be published: it is left.
    pub(crate) async fn send_back(&self, letter: &Letter) -> Result<(), PublishError> {
        let queue = letter.queue().unwrap_or_default().to_owned();
        let properties = returned_properties(letter.properties());
        self.move_to(&queue, letter, properties).await
    }

    /// Takes the letter out.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(crate) async fn remove(&self, letter: &Letter) -> Result<(), BrokerError> {
        let acknowledged = self
            .channel
            .basic_ack(letter.tag(), BasicAckOptions::default());
        let operation = Operation::Consume(self.queue.object());
        let acknowledged = acknowledged.await;
        acknowledged.map_err(|error| self.connection.error(&operation, &error))
    }

    /// Whether the letters that follow this one are to be taken too, to keep their order: those that
    /// are to get copies, and those that were given back before, which a quorum queue has in front of
    /// all others, and behind which it puts what is given back now.
    pub(crate) fn must_go_on_behind(&self, letter: &Letter) -> bool {
        self.renews() || letter.returns() > 0
    }

    fn renews(&self) -> bool {
        self.renews.load(Ordering::Relaxed)
    }

    /// Leaves the letter where it is. Once one was left often, a copy of each is left at the queue's end.
    ///
    /// # Errors
    /// When the copy could not be published: the letter itself is left.
    pub(crate) async fn leave(&self, letter: &Letter) -> Result<(), PublishError> {
        if letter.returns() >= OFTEN {
            self.renews.store(true, Ordering::Relaxed);
        }
        if !self.renews() {
            return Ok(());
        }
        let queue = self.queue.name.clone();
        let properties = renewed_properties(letter.properties());
        self.move_to(&queue, letter, properties).await
    }

    async fn move_to(
        &self,
        queue: &str,
        letter: &Letter,
        properties: BasicProperties,
    ) -> Result<(), PublishError> {
        let target = Target {
            exchange: "",
            routing_key: queue,
        };
        let mut publisher = self.publisher.lock().await;
        publisher.publish(target, letter.body(), properties).await?;
        self.remove(letter).await?;
        Ok(())
    }

    /// Gives back what was left, and disconnects.
    ///
    /// # Errors
    /// When the broker does not say that it has taken note.
    pub(crate) async fn close(self) -> Result<(), BrokerError> {
        let closing = async {
            // The channel first: its acknowledgements come before its end.
            let closed = self.channel.close(200, "done".into()).await;
            let operation = Operation::UseConnection;
            closed.map_err(|error| self.connection.error(&operation, &error))
        };
        self.connection.within(closing).await?;
        self.connection.close().await;
        self.publisher.into_inner().close().await.ok();
        Ok(())
    }
}
