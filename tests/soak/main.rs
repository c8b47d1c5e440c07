//! Minutes of chance: the real program behind a network that breaks, publishers and agents that do
//! what comes to their minds, and a judge that compares what every agent saw with what was
//! published. The decisions come from a seed; when they meet is up to the machine.
//!
//! ```text
//! make soak SECONDS=600 SEED=7 MEMBERS=40 WITHOUT=restarts,broker,clients
//! make soak SECONDS=600 REPLICAS=3 JOURNAL=stream BROKERS=3
//! make drill
//! ```
//!
//! The first has one gateway. The second has three that share a stream, and a RabbitMQ of three
//! servers, which go and come as well. `make drill` is no matter of chance: three replicas behind nginx,
//! 300 members, 20,000 events, one replica killed and started again every ten seconds, the stream's
//! leader killed once; each member must have every event, in one piece.
//!
//! `WITHOUT` leaves faults out, to find out which of them a failure needs; SOAK_PROGRAM in the
//! environment names another build of the gateway. It ends with a summary, and with 1 when anything
//! was lost, seen twice, out of order or otherwise not as promised.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what cannot be is a failure"
)]

mod brokers;
mod cluster;
mod faults;
mod fleet;
#[allow(
    dead_code,
    unused_imports,
    reason = "the tests of single behaviours use the rest"
)]
#[path = "../harness/mod.rs"]
mod harness;
mod judge;
mod member;
mod nginx;
mod plan;
mod publisher;
mod replicas;
mod script;
mod trial;
mod vitals;
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, interval, sleep, timeout};

use brokers::Brokers;
use fleet::Fleet;
use judge::Fault;
use member::{Ends, Member};
use plan::Plan;
use publisher::Publisher;
use script::Kind;
use vitals::Vitals;
use world::{Phase, World};

/// How long everybody may take to come to the end once nothing goes wrong any more. The gateway's
/// own pauses before it tries the broker again are part of it.
const DRAIN: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let plan = match Plan::from_env() {
        Ok(plan) => plan,
        Err(mistake) => {
            eprintln!("{mistake}");
            return ExitCode::from(64);
        }
    };
    if let Err(mistake) = trial::try_the_judge() {
        eprintln!("the judge is wrong: {mistake}");
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(soak(plan))
}

async fn soak(plan: Plan) -> ExitCode {
    println!("seed {}: {}", plan.seed, plan.replay());
    let brokers = Arc::new(Brokers::start(&plan).await);
    let world = Arc::new(World::new(plan));
    let program = Program::copy(&world.plan.program);
    let gateways = Fleet::start(world.clone(), brokers.clone(), program.0.clone()).await;
    let measuring = tokio::spawn(vitals::measure(world.clone()));
    let run = Run::start(&world, &brokers, gateways);
    let finished = run.finish(&brokers).await;
    world.phase.send_replace(Phase::Over);
    let generations = measuring.await.unwrap_or_default();
    println!("{}", summary(&world, &generations));
    match finished {
        Finished::Completely if !world.has_findings() => ExitCode::SUCCESS,
        Finished::Completely => {
            for report in world.reports() {
                println!("\n{report}");
            }
            println!(
                "\nthe same decisions again (when they meet may differ): {}",
                world.plan.replay()
            );
            ExitCode::FAILURE
        }
        Finished::Interrupted => ExitCode::from(130),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Finished {
    Completely,
    Interrupted,
}

/// A copy of the program, so that it can be built again meanwhile.
struct Program(PathBuf);

impl Program {
    fn copy(original: &Path) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("soak-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("agent-gateway");
        std::fs::copy(original, &program).unwrap();
        Self(program)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(folder) = self.0.parent() {
            std::fs::remove_dir_all(folder).ok();
        }
    }
}

/// Everything that runs at the same time.
struct Run {
    world: Arc<World>,
    /// Where the scripts end, once they do.
    ends: watch::Sender<Vec<[usize; 2]>>,
    gateways: JoinHandle<Fleet>,
    troubles: JoinSet<()>,
    publishers: JoinSet<()>,
    members: JoinSet<Member>,
    /// How many conversations all members together follow.
    follows: usize,
}

impl Run {
    fn start(world: &Arc<World>, brokers: &Arc<Brokers>, gateways: Fleet) -> Self {
        let ends = watch::Sender::default();
        let mut troubles = JoinSet::new();
        // In a drill everything that goes wrong is in its plan.
        let by_chance = world.plan.drill.is_none();
        if by_chance && world.plan.has("clients") {
            let ways = gateways.ways_to_members();
            for number in 0..ways.count() {
                let (world, ways) = (world.clone(), ways.clone());
                troubles.spawn(faults::trouble_members(world, ways, number));
            }
        }
        if by_chance && world.plan.has("broker") && brokers.are_several() {
            troubles.spawn(cluster::trouble_servers(world.clone()));
        }
        let mut publishers = JoinSet::new();
        for conversation in &world.conversations {
            for kind in Kind::ALL {
                let (brokers, conversation) = (brokers.clone(), conversation.clone());
                let publisher = Publisher::new(world.clone(), brokers, conversation, kind);
                publishers.spawn(publisher.run());
            }
        }
        let mut members = JoinSet::new();
        let mut follows = 0;
        for number in 0..world.plan.members {
            let member = Member::new(world.clone(), number);
            follows += member.follows();
            let ends: Ends = ends.subscribe();
            members.spawn(member.run(ends));
        }
        world.follows.store(follows, Ordering::Release);
        Self {
            world: world.clone(),
            ends,
            gateways: tokio::spawn(gateways.run()),
            troubles,
            publishers,
            members,
            follows,
        }
    }

    async fn finish(mut self, brokers: &Brokers) -> Finished {
        let world = self.world.clone();
        let finished = tokio::select! {
            () = self.time_passes() => Finished::Completely,
            _ = tokio::signal::ctrl_c() => Finished::Interrupted,
        };
        world.phase.send_replace(Phase::Draining);
        while let Some(ended) = self.publishers.join_next().await {
            expect(&world, ended);
        }
        while let Some(ended) = self.troubles.join_next().await {
            expect(&world, ended);
        }
        let gateways = expect(&world, self.gateways.await);
        if finished == Finished::Completely && !world.has_findings() {
            world.say("no more faults: everybody is to come to the end");
            drain(&world, brokers, &self.ends, self.follows).await;
            find_dead_letters(&world, brokers).await;
        }
        world.phase.send_replace(Phase::Over);
        // Of each member, unless something else was found before.
        let is_asked = !self.ends.borrow().is_empty() && !world.has_findings();
        while let Some(ended) = self.members.join_next().await {
            let member = expect(&world, ended);
            let Some(member) = member.filter(|_| is_asked) else {
                continue;
            };
            if let Some(report) = member.lags() {
                world.find_at_large(Fault::Lost, report);
            } else if world.plan.drill.is_some() {
                match member.incomplete() {
                    Some(report) => world.find_at_large(Fault::Lost, report),
                    None => world.count("complete records"),
                }
            }
        }
        if let Some(gateways) = gateways {
            if world.has_findings() {
                println!("the gateways' last lines:\n{}", gateways.log());
            }
            let stopping = tokio::spawn(gateways.stop());
            expect(&world, stopping.await);
        }
        finished
    }

    /// Ends when the time is over, or when something was found.
    async fn time_passes(&mut self) {
        let world = &self.world;
        let end = Instant::now() + world.plan.duration;
        let mut every = interval(Duration::from_secs(1));
        let mut seconds = 0;
        let is_drill = world.plan.drill.is_some();
        while (is_drill || Instant::now() < end) && !world.has_findings() {
            every.tick().await;
            seconds += 1;
            if seconds % 20 == 0 {
                world.say(&format!(
                    "{} published, {} delivered, {} resumed, {} told reset",
                    world.counted("published"),
                    world.counted("delivered"),
                    world.counted("joined resumed"),
                    world.counted("joined reset") + world.counted("reset on the way"),
                ));
            }
            // Nobody ends before the time, unless badly, or in a drill with all published.
            while let Some(ended) = self.publishers.try_join_next() {
                expect(world, ended);
            }
            if is_drill && self.publishers.is_empty() {
                break;
            }
            while let Some(ended) = self.members.try_join_next() {
                expect(world, ended);
            }
            if self.gateways.is_finished() {
                return;
            }
        }
        // What belongs together is found together.
        if world.has_findings() {
            sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Publishes markers until every member has seen one in each of its conversations.
async fn drain(
    world: &World,
    brokers: &Brokers,
    ends: &watch::Sender<Vec<[usize; 2]>>,
    follows: usize,
) {
    let mut arrived = world.arrived.subscribe();
    let deadline = Instant::now() + DRAIN;
    let mut round = 0;
    // One more each time: whoever joins without a replay has missed those before.
    while Instant::now() < deadline && !world.has_findings() {
        let lines = publisher::publish_markers(world, brokers, round).await;
        if round == 0 {
            ends.send_replace(lines);
        }
        round += 1;
        let all = arrived.wait_for(|(arrived, _)| *arrived >= follows);
        if let Ok(Ok(arrived)) = timeout(Duration::from_secs(3), all).await {
            world.say(&format!("all have come, the last was {}", arrived.1));
            break;
        }
    }
    // Whatever comes twice comes now.
    sleep(Duration::from_secs(2)).await;
}

/// Every delivery that can never be an event must be among the dead letters.
async fn find_dead_letters(world: &World, brokers: &Brokers) {
    let broker = brokers.present().await;
    let expected = world.counted("poisons") as usize;
    let mut dead_letters = BTreeSet::new();
    let deadline = Instant::now() + DRAIN;
    while dead_letters.len() < expected && Instant::now() < deadline {
        let queue = &broker.names.dead_letters;
        let depth = broker.depth(queue).await as usize;
        for dead_letter in broker.take(queue, depth).await {
            dead_letters.extend(dead_letter.properties.message_id().clone());
            world.count("dead letters");
        }
        sleep(Duration::from_millis(200)).await;
    }
    if dead_letters.len() < expected {
        let report = format!("{} of {expected} dead letters", dead_letters.len());
        world.find_at_large(Fault::Lost, report);
    }
}

/// What a task has come to. Its panic is a finding.
fn expect<T>(world: &World, ended: Result<T, JoinError>) -> Option<T> {
    match ended {
        Ok(ended) => Some(ended),
        Err(error) => {
            world.find_at_large(Fault::Contract, format!("a part of the run ended: {error}"));
            None
        }
    }
}

fn summary(world: &World, generations: &[Vitals]) -> String {
    let count = |what| world.counted(what);
    let mut lines = vec![
        format!(
            "seed {}, {} s, {} members, {} queues, {}",
            world.plan.seed,
            world.began.elapsed().as_secs(),
            world.plan.members,
            world.plan.queue_type,
            world.plan.journal(),
        ),
        format!(
            "published {}: {} new, {} repeats and stale, {} not events; dead letters {}",
            count("published"),
            count("new"),
            count("repeats"),
            count("poisons"),
            count("dead letters"),
        ),
        format!(
            "delivered {}, of which {} replayed; events that nobody saw {}",
            count("delivered"),
            count("replayed"),
            world.unseen(),
        ),
        format!(
            "connections {}, lost {}, refused {}, not answered in time {}, naps {}; CONNECTs {}, joined {}: {} fresh, {} resumed, {} told reset; {} told reset on the way",
            count("connections"),
            count("connections lost"),
            count("connections refused"),
            count("connections not answered in time"),
            count("naps"),
            count("CONNECTs"),
            count("joined fresh") + count("joined resumed") + count("joined reset"),
            count("joined fresh"),
            count("joined resumed"),
            count("joined reset"),
            count("reset on the way"),
        ),
    ];
    if world.plan.drill.is_some() {
        let (longest, member) = world.longest_pause();
        lines.push(format!(
            "complete records {} of {} members; the longest pause {:.1} s, of {member}",
            count("complete records"),
            world.plan.members,
            longest.as_secs_f64(),
        ));
    }
    let faults: Vec<_> = world
        .faults()
        .into_iter()
        .map(|(fault, count)| format!("{fault} {count}"))
        .collect();
    lines.push(format!("faults: {}", faults.join(", ")));
    let found: Vec<_> = Fault::ALL
        .into_iter()
        .map(|(fault, name)| format!("{name} {}", world.found(fault)))
        .collect();
    lines.push(found.join(", "));
    lines.extend(Vitals::lines(generations, world.plan.replicas.is_some()));
    lines.join("\n")
}
