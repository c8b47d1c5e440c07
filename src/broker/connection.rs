//! A connection to the broker, whose errors say what to do about them.

use std::sync::Arc;
use std::time::Duration;

use async_rs::Runtime;
use async_rs::traits::RuntimeKit;
use lapin::options::ConfirmSelectOptions;
use lapin::uri::AMQPUri;
use lapin::{Channel, ConnectionProperties};
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::broker_error::BrokerError;
use super::io_thread;
use super::operation::Operation;
use super::redacted_uri::RedactedUri;
use super::shared_uri::{Access, SharedUri};

/// A broker that takes the connection and then says nothing is given up after this time. So is a
/// declaration: a broker that has just come back can leave that of a replicated queue unanswered,
/// heartbeats and all.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often each side shows that it is there, in seconds, when the URL does not say. RabbitMQ
/// recommends 5 to 20 (<https://www.rabbitmq.com/docs/heartbeats>).
const HEARTBEAT: u16 = 10;

/// What mostly goes over a connection, which decides who waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// What the broker sends by itself.
    Deliveries,
    /// What the broker is sent, and answers to: a thread that waits for the socket would keep what is to
    /// be written.
    Publishes,
}

/// An open connection, with the address and the user that errors name.
pub(crate) struct BrokerConnection {
    lapin: lapin::Connection,
    uri: RedactedUri,
}

impl BrokerConnection {
    /// Opens a connection that the broker lists under `agent-gateway` and `purpose`. The URI is read
    /// here, once an attempt, and nowhere else.
    ///
    /// # Errors
    /// When there is no way in, or none within [`ANSWER_TIMEOUT`].
    pub(crate) async fn open(
        uri: &SharedUri,
        purpose: &str,
        traffic: Traffic,
    ) -> Result<Self, BrokerError> {
        let access = uri.access();
        let redacted = RedactedUri::new(&access);
        let mut uri = access.uri.clone();
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        let name = format!("agent-gateway {purpose}");
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let opening = async {
            match traffic {
                Traffic::Deliveries => {
                    connect(&access, uri, properties, io_thread::runtime()).await
                }
                Traffic::Publishes => {
                    connect(&access, uri, properties, Runtime::tokio_current()).await
                }
            }
        };
        match timeout(ANSWER_TIMEOUT, opening).await {
            Ok(Ok(lapin)) => Ok(Self {
                lapin,
                uri: redacted,
            }),
            Ok(Err(error)) => Err(explained(&redacted, &error).await),
            Err(_) => Err(no_answer(&redacted)),
        }
    }

    /// The library's.
    pub(crate) const fn lapin(&self) -> &lapin::Connection {
        &self.lapin
    }

    pub(crate) fn is_open(&self) -> bool {
        self.lapin.status().connected()
    }

    /// The vhost that it was opened in.
    pub(crate) fn vhost(&self) -> &str {
        &self.uri.vhost
    }

    /// What the library's error means, when the broker was asked for this.
    pub(crate) fn error(&self, operation: &Operation, error: &lapin::Error) -> BrokerError {
        BrokerError::new(&self.uri, operation, error)
    }

    pub(crate) async fn channel(&self) -> Result<Channel, BrokerError> {
        let channel = self.lapin.create_channel().await;
        channel.map_err(|error| self.error(&Operation::UseConnection, &error))
    }

    /// Opens a channel whose publishes are confirmed.
    pub(crate) async fn confirming_channel(&self) -> Result<Channel, BrokerError> {
        let channel = self.channel().await?;
        let confirming = channel.confirm_select(ConfirmSelectOptions::default());
        match confirming.await {
            Ok(()) => Ok(channel),
            Err(error) => Err(self.error(&Operation::UseConnection, &error)),
        }
    }

    /// Asks the broker for something that it may refuse, which closes the channel: on one of its
    /// own.
    pub(crate) async fn ask<T, F>(
        &self,
        operation: Operation,
        ask: impl FnOnce(Channel) -> F,
    ) -> Result<T, BrokerError>
    where
        F: Future<Output = lapin::Result<T>>,
    {
        self.within(async {
            let channel = self.channel().await?;
            let answer = ask(channel.clone()).await;
            let answer = answer.map_err(|error| self.error(&operation, &error))?;
            let closed = channel.close(200, "done".into()).await;
            closed.map_err(|error| self.error(&Operation::UseConnection, &error))?;
            Ok(answer)
        })
        .await
    }

    /// Disconnects, and waits no longer than [`ANSWER_TIMEOUT`]: a broker that is short of memory does not
    /// read that somebody goes who has published.
    pub(crate) async fn close(self) {
        let closing = self.lapin.close(200, "done".into());
        timeout(ANSWER_TIMEOUT, closing).await.ok();
    }

    /// Waits for an answer for [`ANSWER_TIMEOUT`].
    pub(crate) async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, BrokerError>>,
    ) -> Result<T, BrokerError> {
        let answer = timeout(ANSWER_TIMEOUT, answer).await;
        answer.unwrap_or_else(|_| Err(no_answer(&self.uri)))
    }

    /// The broker has not confirmed a message.
    pub(crate) fn unconfirmed(&self, limit: Duration) -> BrokerError {
        BrokerError::Unconfirmed {
            address: self.uri.address.clone(),
            seconds: limit.as_secs(),
        }
    }

    /// The connection is gone, for a reason that only the library knows.
    pub(crate) fn lost(&self, said: &str) -> BrokerError {
        BrokerError::Network {
            address: self.uri.address.clone(),
            said: said.to_owned(),
        }
    }
}

async fn connect<R: RuntimeKit + Clone + Send + Sync + 'static>(
    access: &Arc<Access>,
    uri: AMQPUri,
    properties: ConnectionProperties,
    runtime: Runtime<R>,
) -> lapin::Result<lapin::Connection> {
    let access = access.clone();
    let connect = async move |uri, runtime| Ok(access.tls.connect(&uri, &runtime).await?);
    lapin::Connection::connector(uri, runtime, connect, properties).await
}

/// Nothing came from the broker in time.
pub(super) fn no_answer(uri: &RedactedUri) -> BrokerError {
    BrokerError::NoAnswer {
        address: uri.address.clone(),
        seconds: ANSWER_TIMEOUT.as_secs(),
    }
}

/// Recognises an unknown host by a look-up of its own: the system's error has no kind.
async fn explained(uri: &RedactedUri, error: &lapin::Error) -> BrokerError {
    match BrokerError::new(uri, &Operation::Connect, error) {
        BrokerError::Network { .. } if lookup_host((&*uri.host, uri.port)).await.is_err() => {
            BrokerError::UnknownHost {
                host: uri.host.clone(),
                said: error.to_string(),
            }
        }
        other => other,
    }
}
