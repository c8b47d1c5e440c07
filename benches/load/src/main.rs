//! What a delivered event costs the gateway, how long it takes and whether all came, beside the Node
//! process that would be written otherwise (`benches/peer`), or beside another build of the gateway.
//!
//! ```text
//! make bench                    everything
//! make bench-quick              the same, shortened, in under three minutes
//! ```
//!
//! Each trial starts the server anew, with an exchange, queues and a port of its own, and takes turns:
//! ours, the peer, ours, the peer. What the scenarios are and how they are measured stands in
//! `docs/performance.md`.
//!
//! | module | what |
//! |---|---|
//! | [`settings`], [`scenario`] | what is to be done |
//! | [`trial`], [`driver`] | one scenario against one server |
//! | [`server`], [`process`] | the server as a child process, its processor time and memory |
//! | [`broker`], [`relay`], [`pace`] | publishing, by the clock |
//! | [`crowd`], [`client`] | thousands of sockets in one thread |
//! | [`agent`], [`turns`], [`mark`], [`clock`] | what is sent to which room, and what it says about itself |
//! | [`receipts`], [`report`] | what has come, and the table |

mod agent;
mod broker;
mod client;
mod clock;
mod crowd;
mod driver;
mod mark;
mod pace;
mod process;
mod receipts;
mod relay;
mod report;
mod scenario;
mod server;
mod settings;
mod trial;
mod turns;
mod wait;

use std::fs::File;
use std::io::{Write as _, stderr};
use std::process::ExitCode;
use std::thread::available_parallelism;

use anyhow::Context as _;

use report::Results;
use scenario::Scenario;
use server::Program;
use settings::Settings;

fn main() -> ExitCode {
    // The sockets have a thread of their own, and so has the connection to the broker.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let outcome = runtime.map_err(anyhow::Error::from);
    match outcome.and_then(|runtime| runtime.block_on(compare())) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn compare() -> anyhow::Result<ExitCode> {
    let settings = Settings::from_env()?;
    let sockets = settings.scenarios.iter().map(|one| one.load.sockets());
    process::raise_descriptors(sockets.max().unwrap_or(0) as usize)?;
    wait::handle_signals()?;
    let cores = available_parallelism().map_or(1, usize::from);
    let load = process::load_average();
    let mut results = Vec::new();
    let mut outcome = Ok(());
    for scenario in &settings.scenarios {
        let mut result = Results {
            scenario: scenario.clone(),
            ours: Vec::new(),
            peer: Vec::new(),
        };
        outcome = rounds(&settings, &mut result).await;
        results.push(result);
        if outcome.is_err() {
            break;
        }
    }
    results.retain(|result| !result.ours.is_empty());
    if !results.is_empty() {
        let label = settings.peer.as_ref().map_or("peer", |peer| peer.label);
        println!(
            "{cores} cores, load {load} before; rounds: {}{}{}\n",
            settings.rounds,
            if settings.quick { ", shortened" } else { "" },
            match &settings.peer {
                Some(peer) => format!("; ours: {}; {label}: {}", settings.ours, peer.program),
                None => String::new(),
            }
        );
        println!("{}", report::table(&results, label));
    }
    outcome?;
    let faults: u64 = results.iter().map(Results::our_faults).sum();
    if faults > 0 {
        eprintln!("ours has lost, repeated or disordered {faults} events, or closed connections");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// All rounds of a scenario, in turn against either server.
async fn rounds(settings: &Settings, result: &mut Results) -> anyhow::Result<()> {
    let scenario = result.scenario.clone();
    for round in 1..=settings.rounds {
        let ours = turn(settings, &scenario, "ours", &settings.ours, round);
        result.ours.push(ours.await?);
        if let Some(peer) = &settings.peer {
            let peer = turn(settings, &scenario, peer.label, &peer.program, round);
            result.peer.push(peer.await?);
        }
    }
    Ok(())
}

/// One trial, of which is told at once.
async fn turn(
    settings: &Settings,
    scenario: &Scenario,
    side: &str,
    program: &Program,
    round: usize,
) -> anyhow::Result<trial::Measured> {
    let measured = trial::run(scenario, program, &settings.amqp_url)
        .await
        .with_context(|| format!("{}, {side}", scenario.name))?;
    let line = report::line(scenario, side, round, &measured);
    let brief = report::brief(scenario, side, &measured);
    // Nobody may be listening any more.
    writeln!(stderr(), "{round}/{} {brief}", settings.rounds).unwrap_or_default();
    if let Some(path) = &settings.results {
        let file = File::options().create(true).append(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "{line}"));
        written.with_context(|| format!("RESULTS: {} cannot be written", path.display()))?;
    }
    Ok(measured)
}
