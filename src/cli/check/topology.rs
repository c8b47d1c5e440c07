//! The exchange, the queues, their bindings and the journal's stream, and what the user may do with
//! them.
//!
//! A step has failed when the gateway would be degraded by it. What is missing and will be declared by
//! the gateway as it starts is well, if the user may declare it.

use super::rights::Rights;
use crate::broker::{Argument, BrokerError, DEFAULT_EXCHANGE, Depth, Inspection, Queue, Topology};
use crate::cli::report::{Report, State};
use crate::config::Config;
use crate::journal;

/// The arguments that a stream may have otherwise, with which it is used as it is. The first of what
/// differs is all that the broker tells.
const OF_A_STREAM: [&str; 5] = [
    "x-max-age",
    "x-max-length-bytes",
    "x-stream-max-segment-size-bytes",
    "x-initial-cluster-size",
    "x-queue-leader-locator",
];

/// Looks at the topology.
pub(super) struct Look<'a> {
    inspection: Inspection<'a>,
    topology: Topology,
    journal: &'a journal::Settings,
    user: String,
    /// What stands for the user in a command.
    user_word: String,
    vhost: String,
    /// What the user lacks, and whether the gateway is degraded by that.
    lacks: Vec<(String, State)>,
    /// What the user may or may not, for another reason not to tell.
    untold: Vec<String>,
}

impl<'a> Look<'a> {
    pub(super) fn new(config: &'a Config, inspection: Inspection<'a>) -> Self {
        let user = config.amqp.user();
        Self {
            topology: config.amqp.topology(),
            journal: &config.journal,
            user_word: match config.amqp.uri.is_external() {
                // Its name is what the broker takes from the certificate.
                true => "USER".to_owned(),
                false => user.clone(),
            },
            user,
            vhost: inspection.0.vhost().to_owned(),
            inspection,
            lacks: Vec::new(),
            untold: Vec::new(),
        }
    }

    pub(super) async fn at_everything(mut self, report: &mut Report) {
        let topology = self.topology.clone();
        let (state, detail) = self.exchange().await;
        report.add("exchange", state, detail);
        let mut unbound = Vec::new();
        for (step, queue) in [
            ("inbound_queue", &topology.inbound),
            ("status_queue", &topology.status),
        ] {
            let (state, detail, depth) = self.queue(queue).await;
            report.add(step, state, detail);
            self.reads(queue).await;
            if !self.binds(queue, depth.is_some()).await {
                unbound.push(&*queue.name);
            }
        }
        let (state, detail, _) = self.queue(&topology.dead_letters).await;
        report.add("dead_letter_queue", state, detail);
        self.bindings(&unbound, report);
        if let journal::Settings::Stream(settings) = self.journal {
            let stream = Queue {
                name: settings.stream.clone(),
                arguments: vec![("x-queue-type", Argument::Text("stream".to_owned()))],
                bindings: Vec::new(),
            };
            let (state, detail) = self.stream(stream.clone()).await;
            report.add(super::JOURNAL, state, detail);
            self.reads(&stream).await;
        }
        if let Err(error) = self.inspection.may_publish_to_queues().await {
            let right = format!("write to exchange {DEFAULT_EXCHANGE}, for dead letters");
            self.lacks_by(error, right, State::Failed);
        }
        self.permissions(report);
    }

    async fn exchange(&mut self) -> (State, String) {
        let name = self.topology.exchange.clone();
        let object = format!("exchange {name}");
        let exists = match self.inspection.exchange_exists(&name).await {
            Ok(exists) => exists,
            Err(error) => return (State::Failed, error.to_string()),
        };
        let compared = self.inspection.compare_exchange(&name).await;
        let there = format!("{name}, a durable topic exchange");
        self.judge(&object, exists, compared, there)
    }

    async fn queue(&mut self, queue: &Queue) -> (State, String, Option<Depth>) {
        let object = queue.object();
        let depth = match self.inspection.depth(queue).await {
            Ok(depth) => depth,
            Err(error) => return (State::Failed, error.to_string(), None),
        };
        // To have a queue with a dead letter exchange made takes other rights besides, which are
        // looked at one by one.
        let bare = Queue {
            arguments: Vec::new(),
            ..queue.clone()
        };
        let declared = if depth.is_some() { queue } else { &bare };
        let compared = self.inspection.compare_queue(declared).await;
        let there = depth.map_or(String::new(), |depth| described(queue, depth));
        let (state, detail) = self.judge(&object, depth.is_some(), compared, there);
        (state, detail, depth)
    }

    /// A stream with another age or size is used as it is.
    async fn stream(&mut self, mut stream: Queue) -> (State, String) {
        let object = stream.object();
        let depth = match self.inspection.depth(&stream).await {
            Ok(depth) => depth,
            Err(error) => return (State::Failed, error.to_string()),
        };
        let mut compared = self.inspection.compare_queue(&stream).await;
        for name in OF_A_STREAM {
            let theirs = match &compared {
                Err(BrokerError::Differs {
                    difference: Some(difference),
                    ..
                }) if OF_A_STREAM.contains(&&*difference.name) => difference.clone(),
                _ => break,
            };
            if theirs.name == "x-queue-leader-locator" {
                compared = Ok(());
                break;
            }
            // With that as it is, the broker tells what differs besides.
            let value = match theirs.theirs.parse() {
                Ok(number) => Argument::Number(number),
                Err(_) => Argument::Text(theirs.theirs),
            };
            let known = OF_A_STREAM.iter().find(|&&known| known == theirs.name);
            stream
                .arguments
                .push((known.copied().unwrap_or(name), value));
            compared = self.inspection.compare_queue(&stream).await;
        }
        if let Err(BrokerError::Differs { .. }) = compared {
            let error = BrokerError::NoStream { object };
            return (State::Failed, error.to_string());
        }
        let there = format!("{}, a stream", stream.name);
        self.judge(&object, depth.is_some(), compared, there)
    }

    /// What is there or not, and equal or not, means for the gateway.
    fn judge(
        &mut self,
        object: &str,
        exists: bool,
        compared: Result<(), BrokerError>,
        there: String,
    ) -> (State, String) {
        let declare = self.topology.declare;
        let is_forbidden = matches!(compared, Err(BrokerError::NoPermission { .. }));
        if is_forbidden && declare {
            let state = if exists {
                State::Warning
            } else {
                State::Failed
            };
            let right = format!("configure {object}");
            self.lacks.push((right, state));
        }
        match (exists, compared) {
            (true, Ok(())) => (State::Ok, there),
            (false, Ok(())) if declare => (
                State::Ok,
                format!("there is no {object} yet: the gateway declares it when it starts"),
            ),
            (false, Ok(()) | Err(BrokerError::NoPermission { .. })) => {
                let (vhost, remedy) = (&self.vhost, self.topology.remedy(object));
                let detail = format!("there is no {object} in vhost {vhost}: {remedy}");
                (State::Failed, detail)
            }
            (true, Err(BrokerError::NoPermission { .. })) => (
                if declare { State::Warning } else { State::Ok },
                format!("{there}; not compared, which takes the right to configure it"),
            ),
            // Whoever made it may have meant it.
            (_, Err(error)) if !declare => (State::Warning, error.to_string()),
            (_, Err(error)) => (State::Failed, error.to_string()),
        }
    }

    async fn reads(&mut self, queue: &Queue) {
        if let Err(error) = self.inspection.may_read(queue).await {
            self.lacks_by(error, format!("read {}", queue.object()), State::Failed);
        }
    }

    /// Whether the gateway will bind the queue.
    async fn binds(&mut self, queue: &Queue, exists: bool) -> bool {
        if !self.topology.declare {
            return false;
        }
        let exchange = &self.topology.exchange;
        let Err(error) = self.inspection.may_bind(queue, exchange).await else {
            return true;
        };
        let object = queue.object();
        let right = format!("bind {object}: write on it, and read on exchange {exchange}");
        // One that is there may have been bound by whoever made it.
        let state = if exists {
            State::Warning
        } else {
            State::Failed
        };
        self.lacks_by(error, right, state);
        false
    }

    fn lacks_by(&mut self, error: BrokerError, right: String, state: State) {
        match error {
            BrokerError::NoPermission { .. } => self.lacks.push((right, state)),
            other => self.untold.push(format!("may {right}: {other}")),
        }
    }

    fn bindings(&self, unbound: &[&str], report: &mut Report) {
        let (vhost, exchange) = (&self.vhost, &self.topology.exchange);
        if unbound.is_empty() {
            let detail = format!(
                "the gateway binds its queues to exchange {exchange} each time it starts, and may"
            );
            return report.add("bindings", State::Ok, detail);
        }
        let queues = unbound.join(" and ");
        let wanted = [&self.topology.inbound, &self.topology.status].map(|queue| {
            let keys = queue.bindings.join(" and ");
            format!("{} by {keys}", queue.name)
        });
        let detail = format!(
            "AMQP 0-9-1 lists none, and the gateway will not bind {queues}: rabbitmqctl \
             list_bindings -p {vhost} source_name destination_name routing_key must show, of \
             {exchange}: {}",
            wanted.join(", ")
        );
        report.add("bindings", State::NotLookedAt, detail);
    }

    fn permissions(&self, report: &mut Report) {
        if !self.untold.is_empty() {
            let untold = self.untold.join("; and that it ");
            let detail = format!("the broker does not tell that user {} {untold}", self.user);
            return report.add("permissions", State::Failed, detail);
        }
        if self.lacks.is_empty() {
            let detail = format!("user {} may do what the gateway does", self.user);
            return report.add("permissions", State::Ok, detail);
        }
        let is_failed = self.lacks.iter().any(|(_, state)| *state == State::Failed);
        let state = if is_failed {
            State::Failed
        } else {
            State::Warning
        };
        let lacks: Vec<_> = self.lacks.iter().map(|(right, _)| right.as_str()).collect();
        let rights = Rights::needed(&self.topology, self.journal);
        let declare = match is_failed {
            true => "",
            false => "; AMQP_DECLARE=false says that it is meant",
        };
        let detail = format!(
            "user {user} has no right to {}: {}, which replaces what rabbitmqctl list_permissions \
             -p {vhost} shows{declare}",
            lacks.join("; to "),
            rights.command(&self.user_word, &self.vhost),
            user = self.user,
            vhost = self.vhost,
        );
        report.add("permissions", state, detail);
    }
}

fn described(queue: &Queue, depth: Depth) -> String {
    let Depth { ready, consumers } = depth;
    format!("{}: {ready} ready, {consumers} consuming", queue.name)
}
