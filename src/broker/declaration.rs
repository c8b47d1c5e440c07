//! Declares the topology, or where that is not ours, checks that it is there.
//!
//! Declaring reports what differs, and takes the permission to configure also for what exists. A
//! user without it declares passively, which takes no permission and reports no arguments.

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::DEFAULT_EXCHANGE;
use super::broker_error::BrokerError;
use super::connection::BrokerConnection;
use super::operation::Operation;
use super::topology::{Argument, Queue, Topology};

/// What makes an exchange another one. Its arguments do not: an `alternate-exchange` takes what we
/// have no queue for.
pub(super) const OF_AN_EXCHANGE: [&str; 4] = ["type", "durable", "auto_delete", "internal"];

impl Topology {
    /// The exchange is there.
    ///
    /// # Errors
    /// When it is not, or not a durable topic exchange.
    pub(crate) async fn ensure_exchange(
        &self,
        connection: &BrokerConnection,
    ) -> Result<(), BrokerError> {
        let name = &self.exchange;
        if self.declare {
            match declare_exchange(name, false, connection).await {
                Err(BrokerError::Differs {
                    difference: Some(difference),
                    ..
                }) if !OF_AN_EXCHANGE.contains(&&*difference.name) => return Ok(()),
                Err(error) if error.is_no_permission() => {}
                declared => return declared,
            }
        }
        let inspected = declare_exchange(name, true, connection).await;
        inspected.map_err(|error| somebody_elses(self.declare, error))
    }

    /// The dead letter queue is there.
    ///
    /// # Errors
    /// When it is not, or with other arguments.
    pub(crate) async fn ensure_dead_letters(
        &self,
        connection: &BrokerConnection,
    ) -> Result<(), BrokerError> {
        let queue = &self.dead_letters;
        if self.declare {
            match queue.declare(connection).await {
                Err(error) if error.is_no_permission() => {}
                declared => return declared,
            }
        }
        let inspected = queue.inspect(connection).await;
        inspected.map_err(|error| somebody_elses(self.declare, error))
    }

    /// A queue that is consumed is there; whether it was before.
    ///
    /// # Errors
    /// When it is not, or with other arguments.
    pub(crate) async fn ensure_queue(
        &self,
        queue: &Queue,
        connection: &BrokerConnection,
    ) -> Result<bool, BrokerError> {
        Self::ensure(queue, self.declare, connection).await
    }

    /// The same of any queue, which is declared or not.
    ///
    /// # Errors
    /// When it is not there, or with other arguments.
    pub(crate) async fn ensure(
        queue: &Queue,
        declare: bool,
        connection: &BrokerConnection,
    ) -> Result<bool, BrokerError> {
        let inspected = queue.inspect(connection).await;
        if !declare {
            return inspected
                .map(|()| true)
                .map_err(|error| somebody_elses(declare, error));
        }
        let existed = match &inspected {
            Ok(()) => true,
            Err(BrokerError::Missing { .. }) => false,
            Err(_) => return inspected.map(|()| true),
        };
        match queue.declare(connection).await {
            // For a queue with a dead letter exchange it takes more than the right to configure: the
            // broker's words about that say which is missing.
            Err(BrokerError::NoPermission { said, .. }) => match inspected {
                Ok(()) => Ok(true),
                Err(error) => Err(somebody_elses(declare, error.because(said))),
            },
            declared => declared.map(|()| existed),
        }
    }

    /// Who makes what is missing, when we have not.
    pub(crate) fn remedy(&self, object: &str) -> String {
        who_makes(self.declare, object)
    }
}

fn who_makes(declare: bool, object: &str) -> String {
    if declare {
        format!(
            "create it, or give the gateway's user the right to configure {object} and, for its \
             dead letters, to read it and to write to exchange {DEFAULT_EXCHANGE}"
        )
    } else {
        "AMQP_DECLARE is false, so somebody else must create it".to_owned()
    }
}

/// Says why we do not make what is missing.
fn somebody_elses(declare: bool, mut error: BrokerError) -> BrokerError {
    if let BrokerError::Missing { object, remedy, .. } = &mut error {
        *remedy = who_makes(declare, object);
    }
    error
}

async fn declare_exchange(
    name: &str,
    passive: bool,
    connection: &BrokerConnection,
) -> Result<(), BrokerError> {
    let object = format!("exchange {name}");
    let operation = if passive {
        Operation::Inspect(object)
    } else {
        Operation::Declare(object)
    };
    let options = ExchangeDeclareOptions {
        durable: true,
        passive,
        ..Default::default()
    };
    let declare = async |channel: lapin::Channel| {
        let (kind, arguments) = (ExchangeKind::Topic, FieldTable::default());
        let declared = channel.exchange_declare(name.into(), kind, options, arguments);
        declared.await
    };
    connection.ask(operation, declare).await
}

impl Queue {
    /// What it is called in errors.
    pub(crate) fn object(&self) -> String {
        format!("queue {}", self.name)
    }

    /// The arguments that it is declared with.
    pub(super) fn argument_table(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        for (name, value) in &self.arguments {
            let value = match value {
                Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
                Argument::Flag(flag) => AMQPValue::Boolean(*flag),
                Argument::Number(number) => AMQPValue::LongLongInt(*number),
            };
            arguments.insert((*name).into(), value);
        }
        arguments
    }

    async fn declare(&self, connection: &BrokerConnection) -> Result<(), BrokerError> {
        let arguments = self.argument_table();
        let options = QueueDeclareOptions {
            durable: true,
            ..Default::default()
        };
        let operation = Operation::Declare(self.object());
        let declare = async |channel: lapin::Channel| {
            let declared = channel.queue_declare(self.name.as_str().into(), options, arguments);
            declared.await.map(drop)
        };
        connection.ask(operation, declare).await
    }

    async fn inspect(&self, connection: &BrokerConnection) -> Result<(), BrokerError> {
        let inspect = async |channel: lapin::Channel| self.consumers(&channel).await.map(drop);
        connection
            .ask(Operation::Inspect(self.object()), inspect)
            .await
    }

    /// How many consumers it has. A classic queue counts those who stand by, a quorum queue does not.
    pub(crate) async fn consumers(&self, channel: &lapin::Channel) -> lapin::Result<u32> {
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let (name, arguments) = (self.name.as_str().into(), FieldTable::default());
        let declared = channel.queue_declare(name, options, arguments).await?;
        Ok(declared.consumer_count())
    }

    /// Binds it to the exchange, by each of its patterns. What it is bound by besides stays.
    pub(crate) async fn bind(
        &self,
        exchange: &str,
        connection: &BrokerConnection,
    ) -> Result<(), BrokerError> {
        for binding in &self.bindings {
            self.bind_by(binding, exchange, connection).await?;
        }
        Ok(())
    }

    async fn bind_by(
        &self,
        binding: &str,
        exchange: &str,
        connection: &BrokerConnection,
    ) -> Result<(), BrokerError> {
        let operation = Operation::Bind {
            queue: self.object(),
            exchange: format!("exchange {exchange}"),
        };
        let bind = async |channel: lapin::Channel| {
            let queue = self.name.as_str().into();
            let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
            let bound =
                channel.queue_bind(queue, exchange.into(), binding.into(), options, arguments);
            bound.await
        };
        connection.ask(operation, bind).await
    }
}
