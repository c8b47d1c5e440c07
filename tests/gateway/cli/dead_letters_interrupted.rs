//! `dead-letters retry`, interrupted and killed: none is lost, and no agent sees one twice.

use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Instant;

use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use rustix::process::{Pid, kill_process};

use super::{environment, program, text};
use crate::harness::{Broker, Client, Signal, TestGateway, message};

const ALL: usize = 10_000;

/// Puts letters into the queue, as the gateway writes them.
async fn put_all(broker: &Broker) {
    let channel = broker.channel().await;
    let confirms = ConfirmSelectOptions::default();
    channel.confirm_select(confirms).await.unwrap();
    let mut headers = FieldTable::default();
    for (name, value) in [
        ("x-gateway-reason", "internal_error"),
        ("x-gateway-queue", &broker.names.inbound),
    ] {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    let properties = BasicProperties::default().with_headers(headers);
    let mut confirms = Vec::with_capacity(ALL);
    for number in 0..ALL {
        let body = message("acme", "c-1", &format!("m-{number}")).to_string();
        let queue = broker.names.dead_letters.as_str().into();
        let (options, properties) = (BasicPublishOptions::default(), properties.clone());
        let published =
            channel.basic_publish("".into(), queue, options, body.as_bytes(), properties);
        confirms.push(published.await.unwrap());
    }
    for confirm in confirms {
        assert!(confirm.await.unwrap().is_ack());
    }
}

/// Sends all back until the agent has so many in all, then sends the signal; how it ended.
async fn interrupted(
    broker: &Broker,
    agent: &mut Client,
    seen: &mut Vec<String>,
    count: usize,
    signal: Signal,
) -> std::process::Output {
    let mut command = program(&environment(broker), &["dead-letters", "retry", "--all"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let missing = count - seen.len();
    seen.extend(agent.message_ids(missing).await);
    let pid = child.id().unwrap().try_into().ok().and_then(Pid::from_raw);
    kill_process(pid.unwrap(), signal).unwrap();
    child.wait_with_output().await.unwrap()
}

#[tokio::test]
async fn ten_thousand_come_back_once_each_through_a_signal_and_two_kills() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let mut agent = gateway.agent("acme", "c-1").await;
    put_all(&broker).await;
    let mut seen = Vec::with_capacity(ALL);
    let begun = Instant::now();

    let output = interrupted(&broker, &mut agent, &mut seen, ALL / 5, Signal::TERM).await;
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("interrupted"), "{stderr}");
    for part in [2, 3] {
        let count = ALL / 5 * part;
        let output = interrupted(&broker, &mut agent, &mut seen, count, Signal::KILL).await;
        assert_eq!(output.status.signal(), Some(Signal::KILL.as_raw()));
    }

    let mut command = program(&environment(&broker), &["dead-letters", "retry", "--all"]);
    let (output, rest) = tokio::join!(command.output(), agent.message_ids(ALL - seen.len()));
    let output = output.unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    seen.extend(rest);
    // One more after all of them: what came twice would have come before it.
    broker.delivers(&mut agent, "the last").await;
    let different: HashSet<_> = seen.iter().collect();
    assert_eq!(different.len(), ALL);
    assert_eq!(broker.depth(&broker.names.dead_letters).await, 0);
    // What was in both queues when it was killed, and told apart by the gateway.
    let twice = gateway.metric("agent_gateway_duplicates_total").await;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{twice} of {ALL} were sent back twice, and shown once, in {seconds:.1} s");
}
