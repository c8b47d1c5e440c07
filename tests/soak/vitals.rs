//! The memory of each process of the gateway, by /proc.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::interval;

use super::world::{Phase, World};

/// What was measured of one process generation, in KiB, once a second.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    generation: u32,
    resident: Vec<u64>,
}

/// Measures until the run is over.
pub(crate) async fn measure(world: Arc<World>) -> Vec<Vitals> {
    let mut generations: BTreeMap<u32, Vitals> = BTreeMap::new();
    let mut every = interval(Duration::from_secs(1));
    while world.phase() != Phase::Over {
        tokio::select! {
            _ = every.tick() => {}
            () = world.reaches(Phase::Over) => break,
        }
        let processes = world.processes.lock().unwrap().clone();
        for (generation, pid) in processes {
            // Elsewhere than on Linux, and of a process that has just ended, there is nothing.
            if let Some(resident) = resident(pid) {
                let measured = generations.entry(generation).or_insert_with(|| Vitals {
                    generation,
                    ..Vitals::default()
                });
                measured.resident.push(resident);
            }
        }
    }
    generations.into_values().collect()
}

fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Vitals {
    /// The lines of all: one for each, or of many processes one for all.
    pub(crate) fn lines(all: &[Self], together: bool) -> Vec<String> {
        if !together {
            return all.iter().map(Self::line).collect();
        }
        let mut resident: Vec<_> = all.iter().flat_map(|one| &one.resident).collect();
        resident.sort_unstable();
        let mib = |kib: Option<&&u64>| **kib.unwrap_or(&&0) as f64 / 1024.0;
        vec![format!(
            "{} gateways: RSS median {:.1}, max {:.1} MiB",
            all.len(),
            mib(resident.get(resident.len() / 2)),
            mib(resident.last()),
        )]
    }

    /// One line: how long it lived, and its memory in MiB.
    fn line(&self) -> String {
        let mib = |kib: Option<&u64>| *kib.unwrap_or(&0) as f64 / 1024.0;
        let mut sorted = self.resident.clone();
        sorted.sort_unstable();
        format!(
            "gateway {}: {} s, RSS start {:.1}, median {:.1}, max {:.1}, end {:.1} MiB",
            self.generation,
            self.resident.len(),
            mib(self.resident.first()),
            mib(sorted.get(sorted.len() / 2)),
            mib(sorted.last()),
            mib(self.resident.last()),
        )
    }
}
