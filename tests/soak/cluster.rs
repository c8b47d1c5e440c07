//! The three RabbitMQ servers of scripts/cluster, and what goes wrong with them: one at a time is
//! killed, stopped or cut off from the others, and comes back before the next.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::brokers::Brokers;
use super::plan::{between, ms};
use super::world::{Phase, World};

pub(crate) const SERVERS: std::ops::RangeInclusive<usize> = 1..=3;

/// How long the servers are left alone between two faults: what one has missed of the stream and the
/// queues, it has to have again before another may go.
const AT_PEACE: (u64, u64) = (10_000, 20_000);

/// How long the servers may take until they see each other.
const WHOLE_WITHIN: Duration = Duration::from_secs(180);

/// Starts what does not run, and gives the servers' URLs.
pub(crate) async fn up() -> Vec<String> {
    let urls = script(&["up"]).await;
    // Who is cut off is to be noticed soon.
    let urls = urls.lines().map(|url| format!("{url}?heartbeat=5"));
    urls.collect()
}

/// Has servers go and come back until the run drains.
pub(crate) async fn trouble_servers(world: Arc<World>) {
    let mut chance = world.plan.chance("servers", 0);
    while world.phase() == Phase::Running {
        let (least, most) = AT_PEACE;
        let pause = between(&mut chance, ms(least), ms(most));
        rest(&world, pause).await;
        let server = chance.random_range(SERVERS);
        let kind = chance.random_range(0..3);
        let time = between(&mut chance, ms(500), ms(10_000));
        if world.phase() != Phase::Running {
            break;
        }
        let (fault, go, come) = [
            ("RabbitMQ server killed", "kill", "start"),
            ("RabbitMQ server stopped", "stop", "start"),
            ("RabbitMQ server cut off", "partition", "heal"),
        ][kind];
        let began = Instant::now();
        world.fault(fault, time);
        order(go, server).await;
        rest(&world, time).await;
        order(come, server).await;
        whole().await;
        let seconds = began.elapsed().as_secs_f64();
        world.say(&format!("all servers are there again after {seconds:.1} s"));
    }
}

/// Kills the server that leads the journal's stream, and starts it again.
pub(crate) async fn kill_leader(world: &World, brokers: &Brokers) {
    let Some(server) = leader(&brokers.names.journal).await else {
        world.say("the stream's leader is not known");
        return;
    };
    world.say(&format!("the stream's leader is server {server}"));
    world.fault("RabbitMQ server killed that led the stream", Duration::ZERO);
    order("kill", server).await;
    rest(world, Duration::from_secs(5)).await;
    order("start", server).await;
    whole().await;
    let now = leader(&brokers.names.journal).await.unwrap_or_default();
    world.say(&format!(
        "all servers are there again, the stream's leader is server {now}"
    ));
}

/// Which server leads this queue.
async fn leader(queue: &str) -> Option<usize> {
    let listed = script(&["ctl", "1", "list_queues", "name", "leader"]).await;
    let line = listed.lines().find(|line| line.starts_with(queue))?;
    let leader = line.split_whitespace().nth(1)?;
    SERVERS
        .into_iter()
        .find(|server| leader.starts_with(&format!("rab{server}-")))
}

/// Waits until all servers see each other. One that was in the minority does not answer until it has begun
/// again.
async fn whole() {
    let deadline = Instant::now() + WHOLE_WITHIN;
    for server in SERVERS {
        let server = server.to_string();
        let command = ["ctl", &server, "await_online_nodes", "3", "--timeout", "60"];
        loop {
            match try_script(&command).await {
                Ok(_) => break,
                Err(said) => assert!(Instant::now() < deadline, "{said}"),
            }
            sleep(ms(500)).await;
        }
    }
}

async fn order(command: &str, server: usize) {
    script(&[command, &server.to_string()]).await;
}

/// What scripts/cluster prints.
async fn script(arguments: &[&str]) -> String {
    match try_script(arguments).await {
        Ok(printed) => printed,
        Err(said) => panic!("{said}"),
    }
}

/// The same, or what it says of its failure.
async fn try_script(arguments: &[&str]) -> Result<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/cluster");
    let output = Command::new(script).args(arguments).output().await.unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("scripts/cluster {arguments:?}: {said}"))
}

async fn rest(world: &World, time: Duration) {
    tokio::select! {
        () = sleep(time) => {}
        () = world.reaches(Phase::Draining) => {}
    }
}
